"""What crosses the border of the mail room: letters as a server handed them out, and as we read them."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """One letter as FETCH returned it. `internal_date` is UTC (RFC 9051 2.3.3), `size` and `raw` in bytes.

    `is_dated`: the server told that date; else it is now.
    """

    uid: int
    raw: bytes
    internal_date: datetime
    flags: frozenset[str] = frozenset()
    modseq: int | None = None
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox of RFC 5322 3.4: the shown name (may be empty) and the address, its domain in lower case."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Part:
    """One attachment or inline file. `index` addresses it for `read_part`; `size` is decoded bytes."""

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A readable letter. Text is free of NUL and lone surrogates, so any database takes it.

    `repairs` says what was left out or done with more patience: header-cut, parts-cut, text-cut, addresses-cut,
    several-senders, limited-parser.
    """

    subject: str
    sender: Address | None
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    sent_at: datetime | None = None
    text: str = ""
    snippet: str = ""
    has_html: bool = False
    parts: tuple[Part, ...] = ()
    list_id: str = ""
    is_automatic: bool = False
    is_auto_reply: bool = False
    repairs: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A letter that neither parser could read: kept raw, in quarantine, with the reason in words."""

    reason: str
