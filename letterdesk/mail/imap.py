"""One IMAP connection: everything that Letterdesk ever asks of a mail server that people read from."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from types import TracebackType

from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Flags, Login, NotHanded, RemoteFolder, Selected, Status, Summary
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

__all__ = ["Connection", "Flags", "Login", "NotHanded", "RemoteFolder", "Selected", "Status", "Summary", "Trace"]


class Trace:
    """The last lines of the protocol, for diagnostics: no secrets, no letters."""


class Connection:
    """A signed-in connection. Not for several threads at once. Every failure is a `MailError`."""

    capabilities: frozenset[str]
    commands: Counter[str]
    exists: int

    @classmethod
    def open(cls, login: Login, guard: Guard, *, timeout: float = 30, trace: Trace | None = None) -> "Connection":
        """Connect, encrypt, sign in, enable QRESYNC or CONDSTORE where offered. `timeout` in seconds per answer."""
        raise NotImplementedError

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def has(self, capability: str) -> bool:
        raise NotImplementedError

    @property
    def has_condstore(self) -> bool:
        raise NotImplementedError

    @property
    def has_qresync(self) -> bool:
        raise NotImplementedError

    @property
    def has_move(self) -> bool:
        raise NotImplementedError

    @property
    def has_uidplus(self) -> bool:
        raise NotImplementedError

    @property
    def has_idle(self) -> bool:
        raise NotImplementedError

    @property
    def has_special_use(self) -> bool:
        raise NotImplementedError

    def folders(self) -> list[RemoteFolder]:
        raise NotImplementedError

    def status(self, wire_name: str) -> Status:
        raise NotImplementedError

    def statuses(self, wire_names: Iterable[str]) -> dict[str, Status]:
        raise NotImplementedError

    def create(self, name: str) -> str:
        """Create a folder by its shown name; returns its wire name."""
        raise NotImplementedError

    def select(
        self, wire_name: str, *, readonly: bool = False, resync: tuple[int, int, UidSet | None] | None = None
    ) -> Selected:
        raise NotImplementedError

    def uids(self, *, since: date | None = None, before: date | None = None) -> UidSet:
        raise NotImplementedError

    def find(self, message_id: str) -> UidSet:
        raise NotImplementedError

    def flags(self, uids: UidSet, *, changed_since: int | None = None) -> Iterator[Flags]:
        raise NotImplementedError

    def envelopes(self, uids: UidSet) -> Iterator[Summary]:
        raise NotImplementedError

    def letters(
        self,
        uids: UidSet | Iterable[UidSet],
        *,
        batch: int = 200,
        batch_bytes: int = 8 << 20,
        max_size: int = 100 << 20,
    ) -> Iterator[list[Fetched | NotHanded]]:
        """Hand out whole letters in batches. Give `uids.newest_first(200)` to have the newest first, pipelined.

        Nothing else may be asked of this connection until the iterator ends or is left.
        """
        raise NotImplementedError

    def store(
        self,
        uids: UidSet,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
        unchanged_since: int | None = None,
    ) -> UidSet:
        raise NotImplementedError

    def move(self, uids: UidSet, to_wire_name: str) -> dict[int, int]:
        raise NotImplementedError

    def copy(self, uids: UidSet, to_wire_name: str) -> dict[int, int]:
        raise NotImplementedError

    def expunge(self, uids: UidSet) -> None:
        raise NotImplementedError

    def append(
        self,
        wire_name: str,
        raw: bytes,
        *,
        flags: frozenset[str] = frozenset(),
        internal_date: datetime | None = None,
    ) -> tuple[int, int] | None:
        raise NotImplementedError

    def idle(self) -> None:
        """Begin IDLE. Watch `fileno()`, call `idle_events()` once at first and whenever it is readable."""
        raise NotImplementedError

    def fileno(self) -> int:
        raise NotImplementedError

    def idle_events(self) -> list[str]:
        """The untagged lines that have come, without waiting ("4 EXISTS", "2 FETCH (FLAGS …)", "VANISHED 7")."""
        raise NotImplementedError

    def done(self) -> list[str]:
        """End IDLE; returns lines that came in the meantime."""
        raise NotImplementedError

    def noop(self) -> None:
        raise NotImplementedError

    def logout(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End abruptly, without a word to the server."""
        raise NotImplementedError
