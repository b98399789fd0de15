"""What this person was told: one list, its count on every page, and notes on the page that is open."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from letterdesk.notifications.digest import BadLink, person_of
from letterdesk.notifications.lines import lines_of, unseen_count
from letterdesk.notifications.models import Kind, Notification
from letterdesk.notifications.seen import be_present, see, see_all
from letterdesk.notifications.wishes import stop_digest
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.request import Request

NEWS = timedelta(minutes=10)
MOST_NEWS = 3


def unseen(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """For the pages: how many lines this employee has not seen; asked for where it is shown, once."""
    employee = getattr(request, "employee", None)
    if employee is None:
        return {}
    kept: list[int] = []

    def count() -> int:
        if not kept:
            kept.append(unseen_count(employee, timezone.now()))
        return kept[0]

    return {"unseen_notices": count}


def notifications(request: Request) -> HttpResponse:
    """GET /notifications: what was told in the last 30 days. POST: all of it is seen."""
    now = timezone.now()
    if request.method == "POST":
        see_all(request.employee, now=now)
        return redirect("notifications")
    facts = {"area": "notifications", "lines": lines_of(request.employee, now), "here": request.path}
    return render(request, "web/notifications/page.html", facts)


def news(request: Request) -> HttpResponse:
    """GET /notifications/news?next=&here=: what was told in the last minutes and is not seen, for our script.

    `here`: somebody looks at the page. New letters are counted and not said: the list beside shows them.
    """
    now = timezone.now()
    if request.GET.get("here") == "yes":
        be_present(request.employee, now=now)
    fresh = lines_of(request.employee, now, most=20, seen_at=None, at__gte=now - NEWS)
    said = [line for line in fresh if line.kind != Kind.LETTERS][:MOST_NEWS]
    return render(request, "web/notifications/news.html", {"lines": said, "next": ours(request.GET.get("next", ""))})


def notification(request: Request, notification_id: int) -> HttpResponse:
    """GET /notifications/<id>: it is seen, and on to what it is about."""
    found = get_object_or_404(Notification.objects.visible_to(request.employee), pk=notification_id)
    lines = lines_of(request.employee, timezone.now(), pk=found.pk)
    see(request.employee, found.pk, now=timezone.now())
    return redirect(next((line.address for line in lines if not line.is_of_tasks), reverse("notifications")))


@require_POST
def notification_seen(request: Request, notification_id: int) -> HttpResponse:
    """POST /notifications/<id>/seen: it is not counted any more."""
    found = get_object_or_404(Notification.objects.visible_to(request.employee), pk=notification_id)
    see(request.employee, found.pk, now=timezone.now())
    return redirect(next_of(request) if request.POST.get("next") else "notifications")


@csrf_exempt
@login_not_required
def digest_ended(request: HttpRequest, token: str) -> HttpResponse:
    """GET /digest/<token>: asks; POST: no digest any more (RFC 8058: a mail program posts it, without a session)."""
    try:
        person = person_of(token)
    except BadLink:
        return render(request, "web/notifications/ended.html", {"state": "unknown"}, status=404)
    if request.method == "POST":
        stop_digest(person)
    return render(request, "web/notifications/ended.html", {"state": "ended" if request.method == "POST" else "asked"})
