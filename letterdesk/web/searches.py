"""Saved searches, and what the search field offers while somebody types."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.models import SavedSearch
from letterdesk.mailboxes.saved_searches import TooMany, save
from letterdesk.mailboxes.suggest import people, subjects
from letterdesk.web.acts import next_of
from letterdesk.web.request import Request

MOST = 5


@require_POST
def saved(request: Request) -> HttpResponse:
    """POST /searches: keep a query, under a name if one is given."""
    query = request.POST.get("q", "").strip()[:1000]
    if query:
        try:
            save(request.employee, query, name=request.POST.get("name", "").strip(), now=timezone.now())
            messages.success(request, _("Saved. It stands on the search page, in the palette, and under the field."))
        except TooMany as error:
            messages.error(request, str(error))
    return redirect(f"{reverse('search')}?{urlencode({'q': query})}")


@require_POST
def forgotten(request: Request, search_id: str) -> HttpResponse:
    """POST /searches/<id>/removal: forget one of one's own."""
    kept = get_object_or_404(SavedSearch.objects.visible_to(request.employee), public_id=search_id)
    kept.delete()
    return redirect(next_of(request))


def suggestions(request: Request) -> HttpResponse:
    """GET /search/suggestions?q=…: people, subjects, recent and saved searches, as options of the field."""
    typed = request.GET.get("q", "").strip()[:100]
    mine = SavedSearch.objects.visible_to(request.employee).order_by("-is_saved", "-used_at")[:40]
    fitting = [each for each in mine if typed.casefold() in f"{each.name} {each.query}".casefold()]
    last = typed.rsplit(" ", 1)[-1]
    facts = {"searches": fitting[:MOST], "typed": typed}
    if len(last) > 1 and ":" not in last:
        now = timezone.now()
        facts["people"] = people(request.employee, last, now=now, most=MOST)
        facts["subjects"] = subjects(request.employee, typed, now=now, most=MOST)
    return render(request, "web/search/suggestions.html", facts)
