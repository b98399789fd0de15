"""CRM beside a conversation: who its people are, their deals, tasks and last letters (W2, ux.md 1.6).

Fetched when it is opened, so that reading mail stays light; without a script it is a page of its own.
"""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from letterdesk.accounts.preferences import prefer
from letterdesk.crm.beside import Person, people_of
from letterdesk.crm.lists import deals_of
from letterdesk.crm.models import Kind
from letterdesk.crm.stages import stages_of
from letterdesk.crm.timeline import latest_at
from letterdesk.crm.why import crm_lines
from letterdesk.mailboxes.models import Conversation
from letterdesk.mailboxes.reading import conversation_letters, find_conversation
from letterdesk.tasks.reading import tasks_of_conversations
from letterdesk.web.acts import next_of, ours
from letterdesk.web.letters import letters_to_link
from letterdesk.web.records import crm_facts
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
    """People with their records, open deals, tasks and last letters of these."""
    me = request.employee
    read = conversation_letters(found, employee=me, now=timezone.now())
    if not read:
        raise Http404
    letters = [letter.message for letter in read]
    people = people_of(letters, me)
    records = {record.pk: record for person in people for record in person.records}
    clients = [pk for pk, record in records.items() if record.kind in CLIENTS]
    deals = list(deals_of(clients, me)) if clients else []
    lines = crm_lines(letters, employee=me, now=timezone.now())
    may_act = set(letters_to_link(me).filter(conversation=found.pk).values_list("pk", flat=True))
    return {
        "conversation": found,
        "kept": sum(not line.why_not for line in lines.values()),
        "not_kept": [
            {"message": letter, "line": lines[letter.pk], "may_act": letter.pk in may_act}
            for letter in reversed(letters)
            if lines[letter.pk].why_not
        ][:MOST_LETTERS],
        "people": people,
        "opens_first": _opens_first(people),
        "deals": [deal for deal in deals if deal.stage and not deal.stage.outcome],
        "stages": stages_of(me.account, Kind.DEAL) if deals else [],
        "tasks": tasks_of_conversations([found.pk], employee=me).get(found.pk, []),
        "activities": latest_at([*records, *(deal.pk for deal in deals)], most=MOST_LETTERS) if records else [],
        "is_always": me.preferences.get("crm_panel") == "open",
        "next": ours(request.GET.get("next", "")) or request.path,
    }


def _opens_first(people: list[Person]) -> str:
    """Whose section is open: who is known, else who wrote last."""
    return next((person.address for person in people if person.records), people[0].address if people else "")
