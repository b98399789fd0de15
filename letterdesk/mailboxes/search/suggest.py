"""What a search field offers while somebody types: people and subjects of letters that they may read."""

from datetime import datetime
from itertools import islice

from letterdesk.accounts.models import Employee

from ..models import Message
from ..retention.own_times import periods_of
from ..retention.periods import Kept
from .letters import BadQuery, Search

LOOKED_AT = 60  # letters


def people(
    employee: Employee, typed: str, *, now: datetime, most: int, period: Kept | None = None
) -> list[tuple[str, str]]:
    """Name and address of senders that begin so, the latest first, each once."""
    found: dict[str, tuple[str, str]] = {}
    for message in _letters(employee, "from", typed, now=now, period=period):
        found.setdefault(message.from_address.casefold(), (message.from_name, message.from_address))
    return list(found.values())[:most]


def correspondents(employee: Employee, typed: str, *, now: datetime, most: int) -> list[tuple[str, str]]:
    """Name and address of people that begin so and wrote to this employee's mailboxes, or were written to from them."""
    found: dict[str, tuple[str, str]] = {}
    for message in _letters(employee, "to", typed, now=now, period=None):
        for name, address in [*message.recipients.get("to", []), *message.recipients.get("cc", [])]:
            if any(word.startswith(typed.casefold()) for word in f"{name} {address}".casefold().split()):
                found.setdefault(address.casefold(), (name, address))
    wrote = people(employee, typed, now=now, most=most)
    return list({**{address.casefold(): (name, address) for name, address in wrote}, **found}.values())[:most]


def subjects(employee: Employee, typed: str, *, now: datetime, most: int, period: Kept | None = None) -> list[str]:
    """Subjects of conversations with a word that begins so, the latest first, each once."""
    found = (message.conversation.subject for message in _letters(employee, "subject", typed, now=now, period=period))
    return list(dict.fromkeys(subject for subject in found if subject))[:most]


def _letters(employee: Employee, field: str, typed: str, *, now: datetime, period: Kept | None) -> list[Message]:
    words = typed.replace('"', " ").split()
    query = " ".join(f'{field}:"{word}*"' for word in words[:6])
    try:
        asked = Search(employee, query, now=now, mailbox=None, period=period or periods_of(employee.account, now))
    except BadQuery:
        return []
    rows = Message.objects.filter(pk__in=list(islice(asked.newest(), LOOKED_AT))).select_related("conversation")
    return list(rows.order_by("-received_at"))
