"""Saved searches – views –, and what the search field offers while somebody types."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.search.records import names_by_words
from letterdesk.mailboxes.models import Mailbox, SavedSearch
from letterdesk.mailboxes.search.saved import TooMany, change, move, recent_of, save, views_of
from letterdesk.mailboxes.search.suggest import people, subjects
from letterdesk.web.account.plan_notice import offers_webmail
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request

MOST = 5
STEPS = {"up": -1, "down": 1}


@require_POST
def saved(request: Request) -> HttpResponse:
    """POST /searches: keep a query, under a name if one is given, shared as `share` says."""
    query = request.POST.get("q", "").replace("\0", " ").strip()[:1000]
    if query:
        try:
            save(request.employee, query, name=_name(request), now=timezone.now(), **_share(request))
            messages.success(request, _("Saved. It stands on the search page, in the palette, and under the field."))
        except TooMany as error:
            messages.error(request, str(error))
    return redirect(f"{reverse('search')}?{urlencode({'q': query})}")


@require_POST
def changed(request: Request, search_id: str) -> HttpResponse:
    """POST /searches/<id>: another `name`, another `share`; by its author, or an administrator who sees it."""
    view = _editable(request, search_id)
    is_as_before = request.POST.get("share", "") == _shared_as(view)  # its author may have lost the mailbox since
    shared = {"mailbox": view.mailbox, "is_everyones": view.is_everyones} if is_as_before else _share(request)
    change(view, name=_name(request), **shared)
    messages.success(request, _("Saved."))
    return redirect("search")


@require_POST
def moved(request: Request, search_id: str) -> HttpResponse:
    """POST /searches/<id>/place `to`: "up" or "down" in the reader's own order."""
    seen = SavedSearch.objects.visible_to(request.employee).filter(is_saved=True)
    found = get_object_or_404(seen, public_id=search_id)
    to = request.POST.get("to", "")
    if to not in STEPS:
        raise Http404
    move(request.employee, found, by=STEPS[to])
    return redirect(f"{reverse('search')}?moved={found.public_id}.{to}")


@require_POST
def forgotten(request: Request, search_id: str) -> HttpResponse:
    """POST /searches/<id>/removal: forget it, for all who see it."""
    found = _editable(request, search_id)
    found.delete()
    if found.is_shared:
        messages.success(request, _("Forgotten, for everyone with whom it was shared."))
    return redirect(next_of(request))


def _editable(request: Request, search_id: str) -> SavedSearch:
    found: SavedSearch = get_object_or_404(SavedSearch.objects.editable_by(request.employee), public_id=search_id)
    return found


def _name(request: Request) -> str:
    return request.POST.get("name", "").replace("\0", "").strip()


def _share(request: Request) -> dict[str, Any]:
    """With whom the form shares: nobody, "all", or who reads the mailbox with this id, of those that one reads."""
    share = request.POST.get("share", "")
    if share in {"", "all"}:
        return {"is_everyones": share == "all"}
    return {"mailbox": get_object_or_404(Mailbox.objects.visible_to(request.employee), public_id=share)}


def view_facts(request: Request, query: str) -> dict[str, Any]:
    """What the search page shows of saved and recent searches; two queries, the second when they are shown.

    `saved_now`: the reader's own one that asks for `query`.
    """
    views = views_of(request.employee)
    last = len(views) - 1
    lines = [{"view": each, "share": _shared_as(each), "is_last": place == last} for place, each in enumerate(views)]
    own = (view for view in views if view.employee_id == request.employee.pk and view.query == query)
    return {
        "views": lines,
        "recent": recent_of(request.employee, most=8),
        "moved": request.GET.get("moved", ""),
        "saved_now": next(own, None),
    }


def _shared_as(view: SavedSearch) -> str:
    return "all" if view.is_everyones else view.mailbox.public_id if view.mailbox else ""


def suggestions(request: Request) -> HttpResponse:
    """GET /search/suggestions?q=…: people, subjects, records, recent and saved searches, as options of the field.

    Without Webmail no people and subjects of letters there.
    """
    typed = request.GET.get("q", "").strip()[:100]
    kept = [*views_of(request.employee), *recent_of(request.employee, most=20)]
    fitting = [each for each in kept if typed.casefold() in f"{each.name} {each.query}".casefold()]
    last = typed.rsplit(" ", 1)[-1]
    facts: dict[str, Any] = {"searches": fitting[:MOST], "typed": typed}
    if len(last) > 1 and ":" not in last:
        now = timezone.now()
        if offers_webmail(request.employee):  # R2
            facts["people"] = people(request.employee, last, now=now, most=MOST)
            facts["subjects"] = subjects(request.employee, typed, now=now, most=MOST)
        records = names_by_words(request.employee, typed, most=MOST)
        facts["records"] = [(each, BY_KIND[each.kind].icon) for each in records]
    return render(request, "web/search/suggestions.html", facts)
