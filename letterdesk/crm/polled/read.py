"""Reads one folder of a mailbox polled for CRM alone: every letter once, and none passed over in silence (R30).

How far a folder was read moves only to a UID that was kept, noted as not handed over, or named with a date before
what is wanted: never to what UIDNEXT or an empty search suggest, which lag on some servers (A22). Once a day the UIDs
that the server names are compared with those that were decided about, for letters that appear late among older ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from letterdesk.events.record import record as tell
from letterdesk.intake.models import Arrived, State
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import Disconnected, MailError, ProtocolError, ServerSaysNo
from letterdesk.mail.imap import Connection, NotHanded, Selected, Summary
from letterdesk.mail.imap_fetch import UID_MAX
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

from ..models import PolledFolder, PolledLetter, PolledMailbox
from ..models.polled import RENUMBERED_MOST
from .claim import Looked, NotOurs, PutAside, held
from .keep import DOOR, Keep
from .patience import Patience

AT_ONCE = 50  # letters in one transaction
BATCH_BYTES = 8 << 20
LARGEST = 50_000_000  # bytes of a letter; a person may ask for one that is larger,
LARGEST_ASKED = 100_000_000  # up to this
RENUMBERED_WITHIN = timedelta(days=1)
MOST_WAITING = 500  # letters of an account that nobody has looked at yet; then a look ends (D13)
BREAKS_MOST = 3  # times in a row that a server may break off in the same letter, which is put aside then
COMPARED_EVERY = timedelta(days=1)
WIDTH = 2_000  # UIDs of the first question; wider while few letters answer, for numbers may lie far apart
NONE = UidSet()
FEW, MANY = 500, 5_000  # answers after which the next question is wider, or narrower


@dataclass(slots=True)
class FolderRead:
    """One folder, opened for reading."""

    mailbox: PolledMailbox
    folder: PolledFolder
    connection: Connection
    patience: Patience
    found: Looked

    def read(self) -> None:
        """Keep what is new, in the order of UIDs, as far as time allows."""
        try:
            opened = self.connection.select(self.folder.wire_name, readonly=True)
        except ServerSaysNo as error:
            if error.response_code == "NONEXISTENT":  # it went since the folders were listed
                return
            raise
        if opened.uidvalidity != self.folder.uidvalidity or self._is_another(opened):
            self._begin_anew(opened)
            if not self.folder.is_on:
                return
        elif opened.object_id != self.folder.object_id:
            PolledFolder.objects.filter(pk=self.folder.pk).update(object_id=opened.object_id)
        asked = UidSet(self._asked().values_list("uid", flat=True))
        if asked and not self._take_all(self._meant(asked, anyway=True), moves=False, asked=asked):
            return
        if opened.exists and self._read_on(opened):
            self._compare()

    def _is_another(self, opened: Selected) -> bool:
        """Whether it is another folder under the same name, whatever its numbers (RFC 8474 4)."""
        return bool(self.folder.object_id and opened.object_id and self.folder.object_id != opened.object_id)

    def _begin_anew(self, opened: Selected) -> None:
        """Other numbers for the same letters (RFC 9051 2.3.1.1), or a first look: all is asked about once more."""
        with transaction.atomic():
            held(self.mailbox)
            self._rows().filter(trouble__gt="").delete()  # they are known by their numbers alone
            self._rows().update(uid=0)
            numbers = {"uidvalidity": opened.uidvalidity, "begins_after": None, "read_to": 0, "broke_at": 0}
            anew: dict[str, object] = {**numbers, "object_id": opened.object_id, **self._count_changes()}
            PolledFolder.objects.filter(pk=self.folder.pk).update(**anew)
            if not anew.get("is_on", True):
                tell("polled.failing", account=self.mailbox.account, subject=self.mailbox.reference, code="renumbered")
        self.folder.refresh_from_db()

    def _count_changes(self) -> dict[str, object]:
        """A server that renumbers at each look would have all fetched anew without an end: the folder is off (A04)."""
        folder = self.folder
        if folder.uidvalidity is None:  # a first look
            return {}
        if folder.renumbered_since is None or folder.renumbered_since < self.patience.now - RENUMBERED_WITHIN:
            return {"renumbered": 1, "renumbered_since": self.patience.now}
        off = {"is_on": False} if folder.renumbered >= RENUMBERED_MOST else {}
        return {"renumbered": folder.renumbered + 1, **off}

    def _read_on(self, opened: Selected) -> bool:
        """Ask about all beyond what was read, some numbers at a time; whether that is the end."""
        width, start = WIDTH, self.folder.read_to + 1
        while True:
            end = start + width - 1
            if end >= (opened.uidnext or 0) - 1:
                end = UID_MAX  # whatever UIDNEXT says
            named = Named()
            if not self._take_all(self._meant(UidSet.of_ranges([(start, end)]), named), moves=True):
                return False
            self._move_on(named.highest)
            if end == UID_MAX:
                return True
            if self._is_over():
                return False
            width = width * 4 if named.count < FEW else max(width // 2, WIDTH) if named.count > MANY else width
            start = end + 1

    def _compare(self) -> None:
        """Daily: what the server names now among the numbers that were read, and nobody decided about."""
        last = self.folder.compared_at
        if last is not None and last > self.patience.now - COMPARED_EVERY:
            return
        since = min(self.mailbox.older_since or self.mailbox.made_at, self.mailbox.made_at) - timedelta(days=2)
        behind = self._named_since(since, UidSet.of_ranges([(1, max(self.folder.read_to, 1))]))
        left = behind - UidSet(self._rows().filter(uid__gt=0).values_list("uid", flat=True))
        if left and not self._take_all(self._meant(left), moves=False):
            return
        PolledFolder.objects.filter(pk=self.folder.pk).update(compared_at=self.patience.now)

    def _named_since(self, since: datetime, uids: UidSet) -> UidSet:
        """Of these the letters that came since then, as days of the server's zone go; all of them, where the server
        does not search."""
        try:
            return self.connection.uids(since=since.date()) & uids
        except ServerSaysNo:
            return UidSet(each.uid for each in self.connection.flags(uids))

    def _meant(self, uids: UidSet, named: "Named | None" = None, *, anyway: bool = False) -> list[Summary]:
        """Of these the letters to be taken, in order; `named` hears of all that the server names."""
        low, high = uids.min(), uids.max()
        known = set(decided(self.folder, low, high, self.patience.now).values_list("uid", flat=True))
        meant, dates = {}, self._keep.dates
        for each in self.connection.envelopes(uids):
            if named is not None:
                named.count, named.highest = named.count + 1, max(named.highest, each.uid)
            if each.uid not in known and (anyway or dates.may_be_meant(each)):
                meant[each.uid] = each
        return [meant[uid] for uid in sorted(meant)]

    def _take_all(self, letters: Sequence[Summary], *, moves: bool, asked: UidSet = NONE) -> bool:
        """Keep them, a piece at a time; whether there was time for all."""
        done = 0
        for piece in _pieces(letters, alone=asked | UidSet([self.folder.broke_at])):
            if (done and self._is_over()) or self._is_crowded():
                return False
            self._take(piece, is_asked=bool(asked))
            done += len(piece)
            if moves:
                self._move_on(piece[-1].uid)
        if asked:  # what is left is gone from the server; what is here, or noted anew, has a new line
            self._asked().filter(uid__in=list(asked)).delete()
        return True

    def _take(self, piece: Sequence[Summary], *, is_asked: bool) -> None:
        most = LARGEST_ASKED if is_asked else LARGEST
        large = [NotHanded(each.uid, "too_large", each.size, each.internal_date) for each in piece if each.size > most]
        self._keep.keep([], large)
        missing = {each.uid: each for each in piece if each.size <= most}
        self.patience.wait_for(sum(each.size for each in missing.values()), self.connection)
        try:
            for _twice in range(2):  # once more: an answer may be lost
                for uid in self._fetch(UidSet(missing), anyway=is_asked):
                    missing.pop(uid, None)
        except (Disconnected, ProtocolError, ServerSaysNo) as error:
            if missing:
                self._broke_off(missing[min(missing)], error, is_asked=is_asked)
            raise
        if missing:  # what is still named is there
            still = self.connection.envelopes(UidSet(missing))
            self._keep.keep([], [NotHanded(each.uid, "refused", each.size, each.internal_date) for each in still])

    def _broke_off(self, letter: Summary, error: MailError, *, is_asked: bool) -> None:
        """The server went, or was too slow, when this letter was due. So that it holds up no other for ever it is asked
        for alone next time, and put aside when that has been in vain: then it raises PutAside. Raises NotOurs.
        """
        breaks = self.folder.broken + 1 if self.folder.broke_at == letter.uid else 1
        is_over = is_asked or breaks >= BREAKS_MOST
        at, breaks = (0, 0) if is_over else (letter.uid, breaks)
        with transaction.atomic():
            held(self.mailbox)
            PolledFolder.objects.filter(pk=self.folder.pk).update(broke_at=at, broken=breaks)
        if is_over:
            self._keep.keep([], [NotHanded(letter.uid, "broke_off", letter.size, letter.internal_date)])
            raise PutAside(error) from error

    def _fetch(self, uids: UidSet, *, anyway: bool) -> Iterator[int]:
        """Keep these letters; hands out the UIDs that were answered."""
        if not uids:
            return
        for handed in self.connection.letters(uids, batch=AT_ONCE, batch_bytes=BATCH_BYTES, max_size=LARGEST_ASKED):
            reach("polled.fetched")
            letters = [each for each in handed if isinstance(each, Fetched)]
            self._keep.keep(letters, [each for each in handed if isinstance(each, NotHanded)], anyway=anyway)
            yield from (each.uid for each in handed)

    @property
    def _keep(self) -> Keep:
        return Keep(self.mailbox, self.folder, self.patience.now, self.found)

    def _asked(self) -> QuerySet[PolledLetter]:
        return asked_for(self.folder, self.patience.now)

    def _rows(self) -> QuerySet[PolledLetter]:
        found: QuerySet[PolledLetter] = PolledLetter.objects.filter(folder=self.folder)
        return found

    def _is_over(self) -> bool:
        """Whether the time is over; then there is more."""
        if not self.patience.is_over:
            return False
        self.found.is_whole = False
        return True

    def _is_crowded(self) -> bool:
        """Whether so many letters of the account wait to be looked at that no more are fetched for now."""
        waiting = Arrived.objects.filter(account=self.mailbox.account_id, state=State.WAITING, door=DOOR, tries=0)
        if waiting.count() < MOST_WAITING:
            return False
        self.found.is_whole, self.found.is_crowded = False, True
        return True

    def _move_on(self, read_to: int) -> None:
        """Everything up to this UID was decided about; only where no other look went on before us."""
        if read_to <= self.folder.read_to:
            return
        with transaction.atomic():
            held(self.mailbox)
            same = PolledFolder.objects.filter(
                pk=self.folder.pk, uidvalidity=self.folder.uidvalidity, read_to=self.folder.read_to
            )
            if not same.update(read_to=read_to):
                raise NotOurs
        self.folder.read_to = read_to


def asked_for(folder: PolledFolder, now: datetime) -> QuerySet[PolledLetter]:
    """Letters that were put aside, and are tried now: by the clock, or because a person asked."""
    found: QuerySet[PolledLetter] = PolledLetter.objects.filter(folder=folder)
    return found.filter(again_at__isnull=False, again_at__lte=now)


def decided(folder: PolledFolder, low: int, high: int, now: datetime) -> QuerySet[PolledLetter]:
    """Letters with these numbers that were decided about, and are not asked for."""
    found: QuerySet[PolledLetter] = PolledLetter.objects.filter(folder=folder, uid__gte=low, uid__lte=high)
    return found.filter(Q(again_at=None) | Q(again_at__gt=now))


@dataclass(slots=True)
class Named:
    """How many letters the server named, and the highest of their UIDs."""

    count: int = 0
    highest: int = 0


def _pieces(letters: Iterable[Summary], *, alone: UidSet) -> Iterator[list[Summary]]:
    """In their order, each with few enough letters and bytes: what a connection that breaks off costs at the most.
    `alone`: each of these is a piece of its own.
    """
    piece: list[Summary] = []
    weight = 0
    for each in letters:
        is_full = len(piece) >= AT_ONCE or weight + each.size > BATCH_BYTES
        if piece and (is_full or each.uid in alone or piece[-1].uid in alone):
            yield piece
            piece, weight = [], 0
        piece.append(each)
        weight += each.size
    if piece:
        yield piece
