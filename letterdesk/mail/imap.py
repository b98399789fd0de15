"""One IMAP connection: everything that Letterdesk ever asks of a mail server that people read from."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from time import monotonic
from types import TracebackType

from letterdesk.mail import imap_change, imap_fetch, imap_folders, imap_search, imap_signin
from letterdesk.mail.encode import Ways
from letterdesk.mail.errors import MailError, NotSupported
from letterdesk.mail.guard import Guard
from letterdesk.mail.idle import Idle
from letterdesk.mail.imap_trace import Trace
from letterdesk.mail.imap_types import Flags, Login, NotHanded, RemoteFolder, Selected, Status, Summary
from letterdesk.mail.imap_wire import Wire
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

__all__ = ["Connection", "Flags", "Login", "NotHanded", "RemoteFolder", "Selected", "Status", "Summary", "Trace"]

LOGOUT_PATIENCE = 3.0


class Connection:
    """A signed-in connection. Not for several threads at once. Every failure is a `MailError`.

    After Disconnected, ProtocolError or a time-out it is closed for good; after ServerSaysNo it goes on.
    `enabled`: extensions in force (QRESYNC).
    """

    def __init__(self, wire: Wire, capabilities: frozenset[str], enabled: frozenset[str] = frozenset()) -> None:
        self._wire = wire
        self._idle = Idle(wire)
        self.capabilities = capabilities
        self.enabled = enabled
        wire.ways = Ways.of(capabilities)

    @classmethod
    def open(
        cls,
        login: Login,
        guard: Guard,
        *,
        timeout: float = 30,
        within: float | None = None,
        trace: Trace | None = None,
    ) -> "Connection":
        """Connect, encrypt, sign in, enable QRESYNC where offered. `timeout` in seconds for each answer, `within` for
        all that is ever asked of it: then it is closed, however steadily the server goes on.

        Raises the named errors of `mail.errors`; then nothing stays open.
        """
        wire, offered = imap_signin.connect(login, guard, timeout=timeout, within=within, trace=trace)
        try:
            capabilities = imap_signin.sign_in(wire, login, offered)
            enabled = imap_signin.enable(wire, capabilities)
        except BaseException:
            wire.close()
            raise
        return cls(wire, capabilities, enabled)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    # What the server can

    def has(self, capability: str) -> bool:
        """Whether the server offers this capability (any case)."""
        return capability.upper() in self.capabilities

    @property
    def has_condstore(self) -> bool:
        """Mod-sequences: `changed_since`, `unchanged_since`. A folder may still be without (`highestmodseq` None)."""
        return bool(self.capabilities & {"CONDSTORE", "QRESYNC"})

    @property
    def has_qresync(self) -> bool:
        """QRESYNC is offered and enabled: `select(resync=…)` works (A26)."""
        return "QRESYNC" in self.enabled

    @property
    def has_move(self) -> bool:
        """MOVE (RFC 6851)."""
        return bool(self.capabilities & {"MOVE", "IMAP4REV2"})

    @property
    def has_uidplus(self) -> bool:
        """UID EXPUNGE, APPENDUID, COPYUID (RFC 4315)."""
        return bool(self.capabilities & {"UIDPLUS", "IMAP4REV2"})

    @property
    def has_idle(self) -> bool:
        """IDLE (RFC 2177)."""
        return bool(self.capabilities & {"IDLE", "IMAP4REV2"})

    @property
    def has_special_use(self) -> bool:
        """Folders say themselves what they are for (RFC 6154)."""
        return bool(self.capabilities & {"SPECIAL-USE", "IMAP4REV2"})

    @property
    def commands(self) -> Counter[str]:
        """How often each command was sent on this connection ("UID STORE", "UID EXPUNGE" …)."""
        return self._wire.commands

    @property
    def exists(self) -> int:
        """How many letters the selected folder has, as last told."""
        return self._wire.exists

    @property
    def lasts(self) -> float:
        """Seconds until it is closed, whatever comes."""
        return math.inf if self._wire.deadline is None else max(0.0, self._wire.deadline - monotonic())

    def end_within(self, seconds: float) -> None:
        """Closed after so many seconds from now, whatever comes, instead of the time it was opened with."""
        self._wire.deadline = monotonic() + seconds

    # Folders

    def folders(self) -> list[RemoteFolder]:
        """All folders. Raises on NO: a list that failed is not an empty mailbox."""
        return imap_folders.list_folders(self._wire, self.capabilities)

    def status(self, wire_name: str) -> Status:
        """STATUS of a folder that is not selected. Raises ServerSaysNo (`response_code` NONEXISTENT …)."""
        return imap_folders.folder_status(self._wire, wire_name, self.capabilities)

    def statuses(self, wire_names: Iterable[str]) -> dict[str, Status]:
        """STATUS of many folders, by wire name. A folder that fails is absent, which says nothing about it."""
        return imap_folders.folder_statuses(self._wire, wire_names, self.capabilities)

    def create(self, name: str) -> str:
        """Create a folder by its shown name; returns its wire name. Raises ServerSaysNo, NotSendable."""
        return imap_folders.create_folder(self._wire, name, utf8="UTF8=ACCEPT" in self.enabled)

    def select(
        self, wire_name: str, *, readonly: bool = False, resync: tuple[int, int, UidSet | None] | None = None
    ) -> Selected:
        """Open a folder; `resync` is (UIDVALIDITY, mod-sequence, known UIDs or None) and needs `has_qresync`.

        Without QRESYNC, or when the server did not go along, `Selected.resynced` is False and nothing was told.
        """
        return imap_folders.select_folder(
            self._wire,
            wire_name,
            readonly=readonly,
            capabilities=self.capabilities,
            resync=resync if self.has_qresync else None,
        )

    # Reading

    def uids(self, *, since: date | None = None, before: date | None = None) -> UidSet:
        """The UIDs of the selected folder, or of the letters received in these days. Never half of an answer."""
        return imap_search.search_all(self._wire, since=since, before=before, capabilities=self.capabilities)

    def find(self, message_id: str) -> UidSet:
        """UIDs of letters whose Message-ID header contains this text."""
        return imap_search.search_message_id(self._wire, message_id, capabilities=self.capabilities)

    def find_by(self, header: str, text: str) -> UidSet:
        """UIDs of letters whose header of this name ("Subject", "From") contains this text."""
        return imap_search.search_header(self._wire, header, text, capabilities=self.capabilities)

    def flags(self, uids: UidSet, *, changed_since: int | None = None) -> Iterator[Flags]:
        """Flags of these letters, or of those that changed since a mod-sequence (NotSupported without CONDSTORE)."""
        if changed_since is not None and not self.has_condstore:
            raise NotSupported(capability="CONDSTORE")
        return imap_fetch.fetch_flags(self._wire, uids, changed_since=changed_since, with_modseq=self.has_condstore)

    def envelopes(self, uids: UidSet) -> Iterator[Summary]:
        """Size, date and flags of these letters; size 0 where the server does not tell it."""
        return imap_fetch.fetch_summaries(self._wire, uids, with_modseq=self.has_condstore)

    def letters(
        self,
        uids: UidSet | Iterable[UidSet],
        *,
        batch: int = 200,
        batch_bytes: int = 8 << 20,
        max_size: int = 100 << 20,
    ) -> Iterator[list[Fetched | NotHanded]]:
        """Hand out whole letters in batches; `\\Seen` stays as it is. For the newest first give
        `uids.newest_first(200)`: the sets are fetched in their order, pipelined.

        Nothing else may be asked of this connection until the iterator ends; leaving it early is fine. A letter that
        is gone is missing from what comes. After a NotHanded of reason too_large a Disconnected may follow: come
        back and ask for the rest.
        """
        return imap_fetch.fetch_letters(
            self._wire,
            [uids] if isinstance(uids, UidSet) else uids,
            batch=batch,
            batch_bytes=batch_bytes,
            max_size=max_size,
            with_modseq=self.has_condstore,
        )

    # Changing

    def store(
        self,
        uids: UidSet,
        *,
        add: frozenset[str] = frozenset(),
        remove: frozenset[str] = frozenset(),
        unchanged_since: int | None = None,
    ) -> UidSet:
        """Add and remove flags; returns the UIDs that had changed since `unchanged_since` and were left alone."""
        if unchanged_since is not None and not self.has_condstore:
            raise NotSupported(capability="CONDSTORE")
        return imap_change.store_flags(self._wire, uids, add=add, remove=remove, unchanged_since=unchanged_since)

    def move(self, uids: UidSet, to_wire_name: str) -> dict[int, int]:
        """Move by MOVE alone (else NotSupported); returns old to new UID, {} when not told."""
        if not self.has_move:
            raise NotSupported(capability="MOVE")
        return imap_change.move_letters(self._wire, uids, to_wire_name)

    def copy(self, uids: UidSet, to_wire_name: str) -> dict[int, int]:
        """Copy; returns old to new UID, {} when not told."""
        return imap_change.copy_letters(self._wire, uids, to_wire_name)

    def expunge(self, uids: UidSet) -> None:
        """Remove these letters, which are marked \\Deleted, for good. NotSupported without UIDPLUS (A18)."""
        imap_change.expunge_letters(self._wire, uids, capabilities=self.capabilities)

    def append(
        self,
        wire_name: str,
        raw: bytes,
        *,
        flags: frozenset[str] = frozenset(),
        internal_date: datetime | None = None,
    ) -> tuple[int, int] | None:
        """Put a letter into a folder; (UIDVALIDITY, UID) when told. `internal_date` has to be aware."""
        return imap_change.append_letter(self._wire, wire_name, raw, flags=flags, internal_date=internal_date)

    # Waiting

    def idle(self) -> None:
        """Begin IDLE. Watch `fileno()`, call `idle_events()` once at first and whenever it is readable."""
        if not self.has_idle:
            raise NotSupported(capability="IDLE")
        self._idle.begin()

    def fileno(self) -> int:
        """For a selector. -1 when closed."""
        return self._wire.socket.fileno()

    def has_pending(self) -> bool:
        """Whether events wait that a selector cannot see (in TLS's buffer): call `idle_events()`."""
        return self._idle.has_pending()

    def idle_events(self) -> list[str]:
        """What has come, without waiting ("4 EXISTS", "2 FETCH (FLAGS …)", "VANISHED 7"). Raises Disconnected."""
        return self._idle.events()

    def done(self) -> list[str]:
        """End IDLE; returns the events that came in the meantime."""
        return self._idle.end()

    # Ending

    def noop(self) -> None:
        """Ask for nothing: is the connection alive, and how many letters are there (`exists`)?"""
        self._wire.run(name="NOOP")

    def logout(self) -> None:
        """Say goodbye and close. Nothing that goes wrong here matters any more."""
        try:
            self._wire.set_timeout(LOGOUT_PATIENCE)
            self._idle.end()
            self._wire.run(name="LOGOUT")
        except (MailError, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """End abruptly, without a word to the server."""
        self._wire.close()
