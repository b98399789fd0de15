"""What the demo company's people say to each other at a conversation of the sales mailbox."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message
from letterdesk.team.comments import add
from letterdesk.team.models import Comment

from .company import DOMAIN

TEXT = "@Lea can you check the discount before we answer? Forty desks are more than we ever sold at once."


def links(now: datetime) -> list[Callable[[], bool]]:
    """As tasks.links: each says whether it is done."""
    return [partial(_said, now)]


def _said(now: datetime) -> bool:
    if Comment.objects.exists():
        return True
    letters = Message.objects.filter(mailbox__address=f"sales@{DOMAIN}", from_address="amara@okafor-studio.example")
    letter = letters.select_related("conversation__mailbox").order_by("received_at").last()
    people = Employee.objects.in_bulk([f"{key}@{DOMAIN}" for key in ("ines", "lea")], field_name="email")
    if letter is None or len(people) < 2:
        return False
    ines, lea = people[f"ines@{DOMAIN}"], people[f"lea@{DOMAIN}"]
    add(letter.conversation, TEXT, by=ines, now=now - timedelta(hours=1), mentions=[lea])
    return True
