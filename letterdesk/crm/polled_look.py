"""Looks at a mailbox polled for CRM alone, and keeps what is new, before it is understood (R30).

The server is asked to list, to open folders for reading (EXAMINE) and to hand out letters without marking them
(BODY.PEEK): nothing there changes, not even what is recent. Bytes are on disk before the transaction that enters the
letters, what tells them apart, and how far the folder was read: a crash at any point is made good by the next look.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from letterdesk.intake.doors import Place
from letterdesk.intake.keep import enter, write
from letterdesk.intake.models import Arrived
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, NotHanded, Selected, Summary
from letterdesk.mail.letters import Fetched
from letterdesk.mail.smtpd import Handed
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import rows

from .models import PolledFolder, PolledLetter, PolledMailbox, PolledState
from .polled_folders import bring_folders
from .polled_key import key_of, key_of_place

DOOR = "mailbox"
AT_ONCE = 50  # letters in one transaction
BATCH_BYTES = 8 << 20
LARGEST = 50 << 20  # bytes of a letter; a person may ask for one that is larger,
LARGEST_ASKED = 100 << 20  # up to this
CLOCKS = timedelta(minutes=10)  # by how much the server's clock may be behind ours
AT_A_TIME = 60.0  # seconds after which a look ends, to go on in its turn
PATIENCE = 20.0  # seconds for each answer


@dataclass(slots=True)
class Looked:
    """What a look brought: how many letters were new, and whether there are more."""

    letters: int = 0
    is_whole: bool = True


class NotOurs(Exception):
    """The mailbox was paused or disconnected meanwhile, or another look is ahead of this one."""


def look(mailbox: PolledMailbox, *, guard: Guard, now: datetime) -> Looked:
    """Read what is new in its folders. Never inside a transaction. Raises MailError, NotOurs."""
    login = Login(
        mailbox.imap_host, mailbox.imap_port, mailbox.imap_security, mailbox.imap_user,
        password=(mailbox.secret or {}).get("password", ""),
    )  # fmt: skip
    until = time.monotonic() + AT_A_TIME
    found = Looked()
    with Connection.open(login, guard, timeout=PATIENCE) as connection:
        listed = connection.folders()
        with transaction.atomic():
            bring_folders(_held(mailbox), listed)
        folders = PolledFolder.objects.filter(mailbox=mailbox, is_on=True, is_there=True)
        # Sent ones first: a letter that we wrote to ourselves as well is one that we wrote.
        for folder in sorted(folders, key=lambda each: (each.role != "sent", each.role != "inbox", each.pk)):
            _Folder(mailbox, folder, connection, now, until, found).read()
            if not found.is_whole:
                break
        connection.logout()
    return found


@dataclass(slots=True)
class _Folder:
    """One folder, opened for reading."""

    mailbox: PolledMailbox
    folder: PolledFolder
    connection: Connection
    now: datetime
    until: float
    found: Looked

    def read(self) -> None:
        """Keep what is new, in the order of UIDs."""
        try:
            opened = self.connection.select(self.folder.wire_name, readonly=True)
        except ServerSaysNo as error:
            if error.response_code == "NONEXISTENT":  # it went since the folders were listed
                return
            raise
        if opened.uidvalidity != self.folder.uidvalidity:
            self._begin_anew(opened)
        wanted = self._wanted(opened)
        for piece in wanted.chunks(AT_ONCE):
            self._take(piece)
            if time.monotonic() > self.until and piece.max() < wanted.max():
                self.found.is_whole = False
                return
        if (opened.uidnext or 0) - 1 > self.folder.read_to:
            self._move_on((opened.uidnext or 0) - 1)

    def _begin_anew(self, opened: Selected) -> None:
        """Other numbers for the same letters (RFC 9051 2.3.1.1), or a first look: all is asked about once more."""
        with transaction.atomic():
            _held(self.mailbox)
            old = PolledLetter.objects.filter(folder=self.folder).exclude(trouble="")
            old.delete()  # they are known by their numbers alone
            anew = {"uidvalidity": opened.uidvalidity, "begins_after": None, "read_to": 0}
            PolledFolder.objects.filter(pk=self.folder.pk).update(**anew)
        self.folder.refresh_from_db()

    def _wanted(self, opened: Selected) -> UidSet:
        """UIDs that were not decided about, and those for which a person asked."""
        asked = UidSet(PolledLetter.objects.filter(folder=self.folder, is_wanted=True).values_list("uid", flat=True))
        if opened.uidnext is not None and opened.uidnext - 1 <= self.folder.read_to:
            return asked
        since = (self.mailbox.older_since or self.mailbox.made_at - CLOCKS) - timedelta(days=1)  # zones of servers
        found = self.connection.uids(since=since.date())
        return asked | (found - UidSet.of_ranges([(1, self.folder.read_to)]) if self.folder.read_to else found)

    def _take(self, piece: UidSet) -> None:
        """Keep the letters of this piece, then move on behind it."""
        noted = self._letters().filter(folder=self.folder, uid__in=list(piece)).exclude(trouble="")
        asked = set(noted.filter(is_wanted=True).values_list("uid", flat=True))
        known = UidSet(noted.filter(is_wanted=False).values_list("uid", flat=True))  # it would break off there again
        seen = {each.uid: each for each in self.connection.envelopes(piece - known) if self._is_meant(each)}
        small = UidSet(uid for uid, each in seen.items() if each.size <= LARGEST or uid in asked)
        large = [each for uid, each in seen.items() if uid not in small]
        self._keep([], [NotHanded(each.uid, "too_large", each.size, each.internal_date) for each in large])
        for handed in self.connection.letters(small, batch=AT_ONCE, batch_bytes=BATCH_BYTES, max_size=LARGEST_ASKED):
            reach("polled.fetched")
            letters = [each for each in handed if isinstance(each, Fetched)]
            self._keep(letters, [each for each in handed if isinstance(each, NotHanded)])
        noted.filter(is_wanted=True).delete()  # it is here, noted anew, or gone from the server
        self._move_on(piece.max())

    def _is_meant(self, letter: Summary) -> bool:
        """Whether it came after the mailbox was connected, or since the day from which older ones are wanted."""
        older = self.mailbox.older_since
        is_wanted = older is not None and letter.internal_date >= older
        return is_wanted or self._came_later(letter.uid, letter.internal_date)

    def _came_later(self, uid: int, date: datetime) -> bool:
        """Whether it came after the mailbox was connected. What a person moves here later has its old date."""
        begins, after = self.mailbox.made_at.replace(microsecond=0), self.folder.begins_after  # servers tell seconds
        return date >= begins or (after is not None and uid > after and date >= begins - CLOCKS)

    def _keep(self, letters: Sequence[Fetched], missing: Sequence[NotHanded]) -> None:
        """What is not known yet is written, entered and committed."""
        if not letters and not missing:
            return
        by_key = {key_of(each.raw): each for each in letters}
        known = set(self._letters().filter(key__in=list(by_key)).values_list("key", flat=True))
        new = {key: each for key, each in by_key.items() if key not in known}
        if new:
            write(self.mailbox.account_id, [each.raw for each in new.values()], now=self.now)
        reach("polled.before_commit")
        with transaction.atomic():
            _held(self.mailbox)
            self.found.letters += self._enter(new)
            self._note(missing)
        reach("polled.kept")

    def _enter(self, new: dict[str, Fetched]) -> int:
        known = set(self._letters().filter(key__in=list(new)).values_list("key", flat=True))  # another look was quicker
        place = Place(self.mailbox.account_id, DOOR, self.mailbox.public_id)
        fresh = {key: each for key, each in new.items() if key not in known}
        handed = [(Handed("", (), each.raw, ""), place) for each in fresh.values()]
        made = {each.blob: each for each in enter(self.mailbox.account_id, handed, now=self.now)}
        rows.insert(
            [
                self._row(key, each.uid, each.internal_date, arrived=made.get(blobs.hash_of(each.raw)))
                for key, each in fresh.items()
            ]
        )
        return len(fresh)

    def _note(self, missing: Sequence[NotHanded]) -> None:
        """What the server has and does not hand over is shown, and tried again when a person asks."""
        validity = self.folder.uidvalidity or 0
        noted = [
            self._row(
                key_of_place(self.folder.pk, validity, each.uid), each.uid, each.internal_date or self.now,
                trouble=each.reason, size=each.size,
            )
            for each in missing
        ]  # fmt: skip
        self._letters().filter(key__in=[each.key for each in noted]).delete()
        rows.insert(noted)

    def _row(
        self, key: str, uid: int, date: datetime, *, arrived: Arrived | None = None, trouble: str = "", size: int = 0
    ) -> PolledLetter:
        return rows.make(
            PolledLetter,
            account_id=self.mailbox.account_id,
            mailbox_id=self.mailbox.pk,
            folder_id=self.folder.pk,
            key=key,
            uid=uid,
            arrived_id=arrived.pk if arrived else None,
            received_at=min(date, self.now),
            is_older=not self._came_later(uid, date),
            trouble=trouble,
            size=size,
        )

    def _letters(self) -> QuerySet[PolledLetter]:
        found: QuerySet[PolledLetter] = PolledLetter.objects.filter(mailbox=self.mailbox)
        return found

    def _move_on(self, read_to: int) -> None:
        """Everything up to this UID was decided about; only where no other look went on before us."""
        if read_to <= self.folder.read_to:
            return
        with transaction.atomic():
            _held(self.mailbox)
            same = PolledFolder.objects.filter(
                pk=self.folder.pk, uidvalidity=self.folder.uidvalidity, read_to=self.folder.read_to
            )
            if not same.update(read_to=read_to):
                raise NotOurs
        self.folder.read_to = read_to


def _held(mailbox: PolledMailbox) -> PolledMailbox:
    """The mailbox, locked, as long as it is to be read. Inside the caller's transaction. Raises NotOurs."""
    found = PolledMailbox.objects.select_for_update(no_key=True).filter(pk=mailbox.pk, state=PolledState.CONNECTED)
    held: PolledMailbox | None = found.first()
    if held is None:
        raise NotOurs
    return held
