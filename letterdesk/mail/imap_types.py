"""What an IMAP connection hands out: frozen, typed, times in UTC, sizes in bytes."""

from dataclasses import dataclass, field
from datetime import datetime

from letterdesk.mail.uidset import UidSet


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom to sign in. `security`: tls, starttls or none. With `oauth_token`, XOAUTH2 or OAUTHBEARER."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(default="", repr=False)
    oauth_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder of LIST. `name` is for people; only `wire_name` goes back to the server, exactly as it came.

    `role`: "" or inbox, sent, drafts, trash, spam, archive, all. At most one folder has each role.
    """

    name: str
    wire_name: str
    delimiter: str
    role: str = ""
    selectable: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS of a folder that is not selected. None: the server did not say, or said nonsense (A21)."""

    messages: int
    uidnext: int | None
    uidvalidity: int | None
    highestmodseq: int | None = None
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags and keywords of one letter as they are on the server, spelled as the server spells them."""

    uid: int
    flags: frozenset[str]
    modseq: int | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """The answer to SELECT. `vanished` and `changed` mean something only when `resynced` (RFC 7162 3.2.5)."""

    exists: int
    uidvalidity: int
    uidnext: int | None = None
    highestmodseq: int | None = None
    permanent_flags: frozenset[str] = frozenset()
    accepts_keywords: bool = False
    readonly: bool = False
    object_id: str = ""
    resynced: bool = False
    vanished: UidSet = field(default_factory=UidSet)
    changed: tuple[Flags, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A letter without its content. `size` 0: the server does not tell it. `is_dated`: it tells a date of receipt;
    else `internal_date` is now.
    """

    uid: int
    internal_date: datetime
    size: int
    flags: frozenset[str]
    modseq: int | None = None
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class NotHanded:
    """A letter that the server has but did not hand over. `reason`: empty, too_large or refused (A10, A37)."""

    uid: int
    reason: str
    size: int = 0
    internal_date: datetime | None = None
    detail: str = ""
