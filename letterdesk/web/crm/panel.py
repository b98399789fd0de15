"""CRM beside a conversation: who its people are, their deals, tasks and last letters (W2, ux.md 1.6).

Fetched when it is opened, so that reading mail stays light; without a script it is a page of its own.
"""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from letterdesk.accounts.preferences import prefer
from letterdesk.crm.activities.timeline import latest_at
from letterdesk.crm.linking.why import crm_lines
from letterdesk.crm.models import Kind
from letterdesk.crm.records.beside import Person, kept_of, open_deals, people_of
from letterdesk.crm.records.stages import stages_for
from letterdesk.mailboxes.models import Conversation, Message
from letterdesk.mailboxes.reading import find_conversation, letters_lying
from letterdesk.tasks.reading import tasks_of_conversations
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.letters import letters_to_link
from letterdesk.web.request import Request

MOST_LETTERS = 10  # of the conversation, and of the activities
CLIENTS = {Kind.CONTACT, Kind.COMPANY}


def crm_panel(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/crm?next=: the panel. POST `show` "always" or "asked": whether it opens by itself."""
    if request.method == "POST":
        prefer(request.employee, crm_panel="open" if request.POST.get("show") == "always" else "")
        return redirect(next_of(request))
    found = find_conversation(request.employee, conversation_id)
    if found is None:
        raise Http404
    facts = panel_facts(request, found)
    if request.htmx:
        return render(request, "web/crm/panel.html", facts)
    return render(request, "web/crm/panel_page.html", {**crm_facts(""), **facts})


def panel_facts(request: Request, found: Conversation) -> dict[str, Any]:
    """People with their records, open deals, tasks and last letters of these; why letters are not kept when asked."""
    me = request.employee
    letters = _letters(request, found)
    people = people_of(letters, me)
    records = {record.pk: record for person in people for record in person.records}
    deals = open_deals([pk for pk, record in records.items() if record.kind in CLIENTS], me)
    kept = kept_of(letters)
    return {
        "conversation": found,
        "latest": letters[-1],
        "kept": kept,
        "not_kept": len(letters) - kept,
        "people": people,
        "opens_first": _opens_first(people),
        "deals": deals,
        "stages": (stages := stages_for(me, Kind.DEAL, to_change=True) if deals else []),
        "usable": {stage.pk for stage in stages},
        "tasks": tasks_of_conversations([found.pk], employee=me).get(found.pk, []),
        "activities": latest_at([*records, *(deal.pk for deal in deals)], most=MOST_LETTERS) if records else [],
        "is_always": me.preferences.get("crm_panel") == "open",
        "next": ours(request.GET.get("next", "")) or request.path,
    }


def not_kept(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/crm/reasons?next=: the letters that are not kept in CRM, each with why."""
    me = request.employee
    found = find_conversation(me, conversation_id)
    if found is None:
        raise Http404
    letters = _letters(request, found)
    lines = crm_lines(letters, employee=me, now=timezone.now())
    may_act = set(letters_to_link(me).filter(conversation=found.pk).values_list("pk", flat=True))
    facts = {
        "conversation": found,
        "letters": [
            {"message": letter, "line": lines[letter.pk], "may_act": letter.pk in may_act}
            for letter in reversed(letters)
            if lines[letter.pk].why_not
        ][:MOST_LETTERS],
        "next": ours(request.GET.get("next", "")) or request.path,
    }
    if request.htmx:
        return render(request, "web/crm/not_kept.html", facts)
    return render(request, "web/crm/not_kept_page.html", {**crm_facts(""), **facts})


def _letters(request: Request, found: Conversation) -> list[Message]:
    """The letters that are shown. Raises Http404 where none is."""
    letters = letters_lying(found, employee=request.employee, now=timezone.now())
    if not letters:
        raise Http404
    return letters


def _opens_first(people: list[Person]) -> str:
    """Whose section is open: who is known, else who wrote last."""
    return next((person.address for person in people if person.records), people[0].address if people else "")
