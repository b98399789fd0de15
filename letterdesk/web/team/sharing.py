"""A single conversation shown to colleagues: given and taken back by who manages the mailbox, read by who got it."""

from collections import defaultdict

from django.contrib import messages
from django.db.models import Min, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.reading import conversation_letters
from letterdesk.notifications.seen import see_conversation
from letterdesk.team import following, sharing
from letterdesk.team.models import Share
from letterdesk.team.openings import opened, openings
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.letter_facts import in_blocks, letter_facts
from letterdesk.web.mail.letters import letters_shared_with
from letterdesk.web.request import Request
from letterdesk.web.team.talk import colleagues, managed_conversation, readable_conversation, talk_facts

MOST = 200
MOST_SENDERS = 8  # named, as in every list


def shares(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/shares: to whom it is shown, and who read it when. POST `to`: show it to them."""
    found = managed_conversation(request, conversation_id)
    if request.method == "POST":
        people = Employee.objects.visible_to(request.employee).working()
        to = get_object_or_404(people, public_id=request.POST.get("to", ""))
        try:
            sharing.share(found, to=to, by=request.employee, now=timezone.now())
            messages.success(request, _("%(name)s can read this conversation now.") % {"name": to.name})
        except sharing.CannotShare as error:
            messages.error(request, str(error))
        return redirect(request.path)
    people = colleagues(request.employee)
    readers = sharing.who_can_read(found, people)
    given = Share.objects.visible_to(request.employee).filter(conversation=found).select_related("employee", "by")
    facts = {
        "area": "mail",
        "conversation": found,
        "shares": given.order_by("employee__name"),
        "people": [each for each in people if each.pk not in readers],
        "openings": openings(found, seen_by=request.employee),
        "next": ours(request.GET.get("next", "")),
    }
    return render(request, "web/talk/shares.html", facts)


@require_POST
def unsharing(request: Request, conversation_id: str, employee_id: str) -> HttpResponse:
    """POST /conversations/<id>/shares/<person>/removal: show it to them no more."""
    found = managed_conversation(request, conversation_id)
    given = Share.objects.editable_by(request.employee).filter(conversation=found, employee__public_id=employee_id)
    of = get_object_or_404(given.select_related("employee")).employee
    sharing.take_back(found, of=of, by=request.employee)
    messages.success(request, _("%(name)s cannot read it any more.") % {"name": of.name})
    return redirect("shares", found.public_id)


@require_POST
def followed(request: Request, conversation_id: str) -> HttpResponse:
    """POST /conversations/<id>/followers: hear of what happens in it; `stop`: no more."""
    found = readable_conversation(request, conversation_id)
    if "stop" in request.POST:
        following.unfollow(found, employee=request.employee)
    else:
        following.follow(found, employee=request.employee)
    return redirect(next_of(request))


def shared_with_me(request: Request) -> HttpResponse:
    """GET /shared: the conversations that colleagues show me, the newest first; in three queries."""
    letters = letters_shared_with(request.employee)
    newest = letters.filter(conversation=OuterRef("pk")).order_by("-received_at").values("received_at")[:1]
    mine = sharing.shared_conversations(request.employee).annotate(shown_at=Subquery(newest))
    rows = mine.filter(shown_at__isnull=False).select_related("mailbox__owner").order_by("-shown_at", "pk")[:MOST]
    names = _senders(letters.filter(conversation__in=[each.pk for each in rows]))
    shown = [(each, list(names[each.pk])[:MOST_SENDERS]) for each in rows]
    return render(request, "web/talk/shared.html", {"area": "mail", "view": "shared", "rows": shown})


def _senders(letters: QuerySet[Message]) -> dict[int, dict[str, None]]:
    """By conversation, who wrote these letters, who wrote first comes first. Of those shown: the columns count all."""
    names: defaultdict[int, dict[str, None]] = defaultdict(dict)
    people = letters.order_by().values("conversation", "from_name", "from_address").annotate(first=Min("received_at"))
    for row in people.order_by("first"):
        names[row["conversation"]][row["from_name"] or row["from_address"]] = None
    return names


def shared_conversation(request: Request, conversation_id: str) -> HttpResponse:
    """GET /shared/<id>: its letters, to read and to comment on; its owner sees that it was opened."""
    now = timezone.now()
    mine = sharing.shared_conversations(request.employee).select_related("mailbox__account", "mailbox__owner")
    found = get_object_or_404(mine, public_id=conversation_id)
    readable = letters_shared_with(request.employee)
    letters = conversation_letters(found, employee=request.employee, now=now, readable=readable)
    if not letters:
        raise Http404
    opened(found.pk, by=request.employee, now=now)
    see_conversation(request.employee, found, now=now)
    shown = [letter_facts(each, request.employee, is_newest=each is letters[-1]) for each in letters]
    blocks = in_blocks(shown, since=None)
    facts = {"area": "mail", "view": "shared", "conversation": found, "letters": shown, "blocks": blocks}
    facts |= {"conversation_address": request.path, **talk_facts(found, request.employee, blocks)}
    return render(request, "web/talk/shared_conversation.html", facts)
