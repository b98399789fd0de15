"""Where a letter of Webmail stands in CRM: its line in the conversation, and the page on which people link it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking.by_hand import LetterGone, link_by_hand
from letterdesk.crm.linking.why import CrmLine, crm_lines
from letterdesk.crm.models import Activity, Record
from letterdesk.crm.records.change import InBin
from letterdesk.crm.records.lists import found_by_words
from letterdesk.mailboxes.reading import ReadLetter
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.letters import letters_to_link
from letterdesk.web.request import Request

REFUSALS = (InBin, LetterGone)
MOST_FOUND = 20


def crm_beside(letters: Sequence[ReadLetter], employee: Employee) -> dict[int, CrmLine]:
    """Where each of these letters stands in CRM, by letter; no query where none does. Why not is told when asked."""
    saved = [letter.message for letter in letters if letter.message.in_crm]
    return crm_lines(saved, employee=employee, now=timezone.now())


def letter_crm(request: Request, message_id: str) -> HttpResponse:
    """GET /messages/<id>/crm?q=&next=: where the letter stands, or why not. POST `record` and `earlier`: link it."""
    mine = letters_to_link(request.employee).select_related("mailbox__account", "conversation", "account")
    letter = get_object_or_404(mine, public_id=message_id)
    if request.method != "POST":
        line = crm_lines([letter], employee=request.employee, now=timezone.now())[letter.pk]
        mine = Activity.objects.editable_by(request.employee).present()
        may_move = line.activity is not None and mine.filter(pk=line.activity.pk).exists()
        facts = {"letter": letter, "activity": line.activity, "line": line, "may_move": may_move}
        return render(request, "web/crm/letter_places.html", {**crm_facts(""), **facts, **search_facts(request)})
    target = record_named(request, "record")
    try:
        earlier = request.POST.get("earlier") == "yes"
        link_by_hand(letter, target, by=request.employee, now=timezone.now(), with_earlier=earlier)
        messages.success(request, _("The letter stands at %(name)s now.") % {"name": target.name})
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(next_of(request))


def record_named(request: Request, name: str) -> Record:
    """The record that the form names. Raises Http404 for one that the reader may not change."""
    mine = Record.objects.editable_by(request.employee).present()
    found: Record = get_object_or_404(mine, public_id=request.POST.get(name, ""))
    return found


def search_facts(request: Request) -> dict[str, Any]:
    """The records that the page offers, of those that the reader may change: with the words of `q`, else the latest.

    `found_first`: these are the first so many of more; 0: they are all.
    """
    words = request.GET.get("q", "").strip()[:200]
    found = list(found_by_words(request.employee, words)[: MOST_FOUND + 1])
    first = MOST_FOUND if len(found) > MOST_FOUND else 0
    return {
        "query": words,
        "found": found[:MOST_FOUND],
        "found_first": first,
        "next": ours(request.GET.get("next", "")),
    }
