"""Keeps letters of a polled mailbox: bytes to disk, then one transaction enters what is not known yet (R30)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from letterdesk.events.record import record as tell
from letterdesk.intake.doors import Place
from letterdesk.intake.keep import enter, write
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import NotHanded
from letterdesk.mail.letters import Fetched
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes import rows

from ..models import PolledFolder, PolledLetter, PolledMailbox
from .claim import Looked, held
from .dates import Came, Dates
from .key import key_of, key_of_place

DOOR = "mailbox"
AT_ONCE = 500  # lines in a statement
AGAIN_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))  # of what was refused or empty


@dataclass(frozen=True, slots=True)
class Keep:
    """What becomes of letters of one folder."""

    mailbox: PolledMailbox
    folder: PolledFolder
    now: datetime
    found: Looked

    @property
    def dates(self) -> Dates:
        """By which it is told what came after the mailbox was connected."""
        begins = self.mailbox.made_at.replace(microsecond=0)  # servers tell seconds
        return Dates(begins, self.folder.begins_after, self.mailbox.older_since, self.now)

    def keep(self, letters: Sequence[Fetched], missing: Sequence[NotHanded], *, anyway: bool = False) -> None:
        """What is not known yet is written, entered and committed; `anyway`: whenever it came. Raises NotOurs."""
        if not letters and not missing:
            return
        dates = self.dates
        came = {each.uid: dates.came(each) for each in letters}
        passed_over = [each for each in letters if not (anyway or came[each.uid].is_meant)]
        keyed = [(key_of(each.raw), each) for each in letters if anyway or came[each.uid].is_meant]
        known = self._known(keyed)
        if new := [each.raw for key, each in keyed if key not in known]:
            write(self.mailbox.account_id, new, now=self.now)
        reach("polled.before_commit")
        with transaction.atomic():
            held(self.mailbox)
            self._enter(keyed, came)
            self._put([self._row_of_place(each, came) for each in passed_over])  # so that nobody fetches it again
            self._note(missing)
        reach("polled.kept")

    def _known(self, keyed: Sequence[tuple[str, Fetched]]) -> set[str]:
        return set(self._letters().filter(key__in=[key for key, _ in keyed]).values_list("key", flat=True))

    def _enter(self, keyed: Sequence[tuple[str, Fetched]], came: Mapping[int, Came]) -> None:
        """A line for each: of one that is known, for where it lies as well, so that nobody fetches it again."""
        known = self._known(keyed)  # another look may have been quicker
        fresh: dict[str, Fetched] = {}
        again: list[PolledLetter] = []
        for key, each in keyed:
            if key in known or key in fresh:
                again.append(self._row_of_place(each, came))
            else:
                fresh[key] = each
        place = Place(self.mailbox.account_id, DOOR, self.mailbox.public_id)
        handed = [(Handed("", (), each.raw, ""), place) for each in fresh.values()]
        made = {each.blob: each.pk for each in enter(self.mailbox.account_id, handed, now=self.now, is_urgent=False)}
        rows.insert(
            [
                self._row(key, each.uid, came[each.uid], arrived=made.get(blobs.hash_of(each.raw)))
                for key, each in fresh.items()
            ]
        )
        self._put(again)
        self.found.letters += len(fresh)

    def _note(self, missing: Sequence[NotHanded]) -> None:
        """What the server has and does not hand over is shown, and tried again: some times by itself, then when a
        person asks. Administrators hear of what is given up.
        """
        before = self._letters().filter(key__in=[self._place(each.uid) for each in missing])
        tries = dict(before.values_list("key", "tries"))
        noted = []
        for each in missing:
            date = each.internal_date or self.now
            came = Came(min(date, self.now), is_older=self.dates.is_older(each.uid, date))
            noted.append(self._row(self._place(each.uid), each.uid, came, trouble=each.reason, size=each.size))
        for row in noted:
            row.tries = tries.get(row.key, 0) + 1
            if row.trouble != PolledLetter.Trouble.TOO_LARGE and row.tries <= len(AGAIN_AFTER):
                row.again_at = self.now + AGAIN_AFTER[row.tries - 1]
        self._put(noted)
        refused = [row for row in noted if row.trouble != PolledLetter.Trouble.TOO_LARGE]
        if given_up := sum(row.tries == len(AGAIN_AFTER) + 1 for row in refused):
            account, about = self.mailbox.account, self.mailbox.reference
            tell("polled.failing", account=account, subject=about, code="not_handed", letters=given_up)

    def _put(self, places: Sequence[PolledLetter]) -> None:
        """Lines of letters that are told by where they lie, instead of what was known of these places."""
        self._letters().filter(key__in=[each.key for each in places]).delete()
        rows.insert(list(places))

    def _place(self, uid: int) -> str:
        return key_of_place(self.folder.pk, self.folder.uidvalidity or 0, uid)

    def _row_of_place(self, letter: Fetched, came: Mapping[int, Came]) -> PolledLetter:
        return self._row(self._place(letter.uid), letter.uid, came[letter.uid])

    def _row(
        self, key: str, uid: int, came: Came, *, arrived: int | None = None, trouble: str = "", size: int = 0
    ) -> PolledLetter:
        return rows.make(
            PolledLetter,
            account_id=self.mailbox.account_id,
            mailbox_id=self.mailbox.pk,
            folder_id=self.folder.pk,
            key=key,
            uid=uid,
            arrived_id=arrived,
            received_at=came.at,
            is_older=came.is_older,
            trouble=trouble,
            size=size,
        )

    def _letters(self) -> QuerySet[PolledLetter]:
        found: QuerySet[PolledLetter] = PolledLetter.objects.filter(mailbox=self.mailbox)
        return found


def ask_anew(mailbox: PolledMailbox) -> None:
    """What was passed over for its own date is asked about once more: other letters may be wanted now. Those that are
    known by their content stay. Inside the caller's transaction.
    """
    lines = PolledLetter.objects.filter(mailbox=mailbox, is_older=True, trouble="", arrived=None, uid__gt=0)
    told = lines.values_list("pk", "key", "folder", "folder__uidvalidity", "uid")
    places = [pk for pk, key, *place in told.iterator() if key == key_of_place(place[0], place[1] or 0, place[2])]
    for start in range(0, len(places), AT_ONCE):
        PolledLetter.objects.filter(pk__in=places[start : start + AT_ONCE]).delete()
    PolledFolder.objects.filter(mailbox=mailbox).update(read_to=0)
