"""Drafts, and letters on their way: what waits, what failed and why, and what to do with each."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.outbound import send
from letterdesk.outbound.again import edit_again, send_again
from letterdesk.outbound.models import OPEN, Delivery, Draft, State
from letterdesk.outbound.resolve import NotSo, as_sent
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.web.draft_form import FIELDS
from letterdesk.web.request import Request

PER_PAGE = 100
MOST = 200  # letters on their way


def drafts(request: Request) -> HttpResponse:
    """GET /drafts?page=: letters that are being written, those changed last first."""
    mine = Draft.objects.editable_by(request.employee).open().select_related("mailbox", "author")
    page = Paginator(mine.order_by("-updated_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    lines = [{"draft": each, "people": _people(each), "is_own": each.author_id == request.employee.pk} for each in page]
    return render(request, "web/outbox/drafts.html", {"area": "mail", "view": "drafts", "page": page, "lines": lines})


def _people(draft: Draft) -> str:
    return ", ".join(name or address for field in FIELDS for name, address in getattr(draft, field)[:5])


def outbox(request: Request) -> HttpResponse:
    """GET /outbox: what has not left yet, or not for certain."""
    found = Delivery.objects.visible_to(request.employee).filter(state__in=OPEN).select_related("mailbox", "by")
    found = found.prefetch_related("recipients").order_by("due_at", "pk")[:MOST]
    mailboxes = set(Delivery.objects.editable_by(request.employee).filter(state__in=OPEN).values_list("pk", flat=True))
    now = timezone.now()
    lines = [_line(each, now, may_act=each.pk in mailboxes) for each in found]
    return render(request, "web/outbox/outbox.html", {"area": "mail", "view": "outbox", "lines": lines})


def _line(each: Delivery, now: Any, *, may_act: bool) -> dict[str, Any]:
    people = sorted(each.recipients.all(), key=lambda one: one.pk)
    kind = "later" if each.state == State.QUEUED and (each.due_at - now).total_seconds() > 60 else each.state
    return {
        "letter": each,
        "kind": kind,
        "tone": {"failed": "danger", "unknown": "warn", "deferred": "warn"}.get(each.state, ""),
        "people": ", ".join(one.name or one.address for one in people[:5]),
        "answers": [one for one in people if one.text],
        "may_act": may_act,
        "can_stop": each.state == State.QUEUED and not each.attempts,
    }


def _delivery(request: Request, delivery_id: str) -> Delivery:
    mine = Delivery.objects.editable_by(request.employee).select_related("mailbox__account")
    found: Delivery = get_object_or_404(mine, public_id=delivery_id)
    return found


@require_POST
def stopping(request: Request, delivery_id: str) -> HttpResponse:
    """POST /outbox/<id>/stopping: undo, as long as it has not left; the letter is a draft again."""
    found = _delivery(request, delivery_id)
    try:
        draft = send.stop(found, by=request.employee, now=timezone.now())
    except send.TooLate:
        messages.error(request, _("Too late: this letter has left already."))
        return redirect("outbox")
    if found.may_have_left:
        messages.success(request, _("Stopped. It is not sent again; whether it left before, nobody knows."))
        return redirect("outbox")
    messages.success(request, _("Not sent. The letter is a draft again."))
    return _to_draft(request, draft)


def _to_draft(request: Request, draft: Draft | None) -> HttpResponse:
    if draft is None or not Draft.objects.editable_by(request.employee).filter(pk=draft.pk).exists():
        return redirect("outbox")
    return redirect("draft", draft.public_id)


@require_POST
def resolution(request: Request, delivery_id: str) -> HttpResponse:
    """POST /outbox/<id>/resolution: what a person decides `as`: "sent", "again", or "edit", a failed one as a draft."""
    found = _delivery(request, delivery_id)
    me, now = request.employee, timezone.now()
    try:
        match request.POST.get("as", ""):
            case "sent":
                as_sent(found, by=me, now=now)
                messages.success(request, _("It counts as sent."))
            case "again":
                send_again(found, by=me, now=now)
                messages.success(request, _("It is tried again."))
            case "edit":
                return _to_draft(request, edit_again(found, by=me, now=now))
            case _:
                raise Http404
    except NotSo:
        messages.error(request, _("This letter has moved on meanwhile. Look at its line again."))
    except (NotInPlan, LimitReached) as error:  # R22, R24
        messages.error(request, str(error))
    return redirect("outbox")
