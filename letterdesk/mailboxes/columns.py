"""What of a letter stands in columns, for lists and searches; all of it can be rebuilt from the raw bytes.

The parser hands out text without NUL and lone surrogates; it is made sure of once more here, because one such
character would stop a whole batch on PostgreSQL (A38).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from letterdesk.mail.letters import Address, Letter

from . import rows
from .models import Attachment, Message

SNIPPET = 200
LONGEST_LINE = 10_000  # characters of a subject, a name, an address: nobody reads more, every list carries it
MOST_RECIPIENTS = 1000  # of each kind in the column; the raw letter has them all (A37)
SYSTEM_FLAGS = {"\\seen": "is_seen", "\\flagged": "is_flagged", "\\answered": "is_answered", "\\draft": "is_draft"}
SYSTEM_FLAGS |= {"\\deleted": "is_deleted"}


def clean(text: str, limit: int = LONGEST_LINE) -> str:
    """Text that every database takes, cut to a limit."""
    text = text[:limit].replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def message_columns(letter: Letter) -> dict[str, Any]:
    """The columns of a Message that come from its bytes."""
    sender = letter.sender or Address("", "")
    return {
        "message_id": clean(letter.message_id),
        "subject": clean(letter.subject),
        "from_name": clean(sender.name),
        "from_address": clean(sender.address),
        "recipients": _recipients(letter),
        "sent_at": _believable(letter.sent_at),
        "snippet": clean(letter.snippet, SNIPPET),
        "has_attachments": any(not part.inline for part in letter.parts),
        "list_id": clean(letter.list_id),
        "is_automatic": letter.is_automatic,
        "is_auto_reply": letter.is_auto_reply,
    }


def attachments_of(message: Message, letter: Letter) -> list[Attachment]:
    """The rows of a letter's files."""
    return [
        rows.make(
            Attachment,
            account_id=message.account_id,
            message_id=message.pk,
            index=part.index,
            filename=clean(part.filename),
            content_type=clean(part.content_type, 255),
            size=part.size,
            content_id=clean(part.content_id),
            is_inline=part.inline,
        )
        for part in letter.parts
    ]


def flag_columns(flags: Iterable[str]) -> dict[str, Any]:
    """IMAP flags as columns of a Placement. System flags know no case (RFC 9051 2.3.2); \\Recent is nobody's state."""
    columns: dict[str, Any] = dict.fromkeys(SYSTEM_FLAGS.values(), False)
    keywords = set()
    for flag in flags:
        column = SYSTEM_FLAGS.get(flag.lower())
        if column:
            columns[column] = True
        elif flag.lower() != "\\recent":
            keywords.add(clean(flag, 255))
    return columns | {"keywords": sorted(keywords)}


def canonical(flag: str) -> str:
    """A flag as we spell it: system flags know no case."""
    return _SPELLING.get(flag.lower(), flag)


def flags_of(placement: Any) -> frozenset[str]:
    """The columns of a Placement as IMAP flags."""
    system = {name for name, column in _SPELLED.items() if getattr(placement, column)}
    return frozenset(system | set(placement.keywords))


_SPELLED = {name[0] + name[1:].capitalize(): column for name, column in SYSTEM_FLAGS.items()}
_SPELLING = {name.lower(): name for name in _SPELLED}


def received_at_of(internal_date: datetime, now: datetime) -> datetime:
    """R19: the server's date, or now where it lies in the future."""
    return min(internal_date, now)


def _recipients(letter: Letter) -> dict[str, list[list[str]]]:
    kinds = {"to": letter.to, "cc": letter.cc, "bcc": letter.bcc, "reply_to": letter.reply_to}
    return {
        kind: [[clean(one.name), clean(one.address)] for one in addresses[:MOST_RECIPIENTS]]
        for kind, addresses in kinds.items()
        if addresses
    }


def _believable(sent_at: datetime | None) -> datetime | None:
    """A Date header that a database can hold in UTC; year 1 and year 9999 overflow with their zone (A35)."""
    if sent_at is None:
        return None
    aware = sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)
    bounds = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
    if not bounds[0] <= aware <= bounds[1] or abs(aware.utcoffset() or timedelta()) > timedelta(hours=24):
        return None
    return aware.astimezone(UTC)
