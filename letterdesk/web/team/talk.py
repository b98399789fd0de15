"""What colleagues say and show each other at a conversation: found by who may read it, whatever gives the right."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation, Mailbox
from letterdesk.mailboxes.reading import find_conversation
from letterdesk.team import presence
from letterdesk.team.comments import comments_at
from letterdesk.team.following import follows
from letterdesk.team.models import Comment
from letterdesk.team.sharing import shared_conversations
from letterdesk.web.mail.letters import letters_of, letters_shared_with
from letterdesk.web.request import Request

MOST_COLLEAGUES = 500


def readable_conversation(request: Request, public_id: str) -> Conversation:
    """The conversation, for who may read a letter of it at this moment (R2, R20). Raises Http404."""
    me = request.employee
    shared = shared_conversations(me).select_related("mailbox__account").filter(public_id=public_id)
    found = find_conversation(me, public_id) or shared.first()
    if found is None:
        raise Http404
    by_right, by_share = (
        Q(pk__in=rows.filter(conversation=found).values("pk")) for rows in (letters_of(me), letters_shared_with(me))
    )
    if not found.messages.filter(by_right | by_share).exists():
        raise Http404
    return found


def managed_conversation(request: Request, public_id: str) -> Conversation:
    """The conversation, for who owns or manages its mailbox. Raises Http404."""
    found = readable_conversation(request, public_id)
    if not may_share(found, request.employee):
        raise Http404
    return found


def may_share(conversation: Conversation, employee: Employee) -> bool:
    """Whether this employee may share single conversations of its mailbox."""
    owns = conversation.mailbox.owner_id == employee.pk
    return owns or Mailbox.objects.manageable_by(employee).filter(pk=conversation.mailbox_id).exists()


def colleagues(employee: Employee) -> list[Employee]:
    """All who work in the account, by name."""
    people = Employee.objects.visible_to(employee).working()
    return list(people.exclude(pk=employee.pk).order_by("name", "pk")[:MOST_COLLEAGUES])


def talk_facts(found: Conversation, employee: Employee, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Comments between the letters, who else is there, and what the reader may do; four queries."""
    said = comments_at(found, employee)
    put_between(said, blocks)
    return {
        "comments": said,
        "others": presence.others(found, employee=employee, now=timezone.now()),
        "follows": follows(found, employee),
        "may_share": may_share(found, employee),
    }


def put_between(said: Sequence[Comment], blocks: Sequence[dict[str, Any]]) -> None:
    """Each comment below the last letter that had come by then; the page shows them in this order. Pure."""
    for comment in said:
        earlier = [block for block in blocks if _begins(block) <= comment.at]
        for block in [*earlier[-1:], *blocks[:1]][:1]:
            block.setdefault("comments", []).append(comment)


def _begins(block: dict[str, Any]) -> datetime:
    begins: datetime = block["letters"][0]["message"].received_at
    return begins
