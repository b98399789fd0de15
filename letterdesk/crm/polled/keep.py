"""Keeps letters of a polled mailbox: bytes to disk, then one transaction enters what is not known yet (R30)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from letterdesk.events.record import record as tell
from letterdesk.intake.doors import Place
from letterdesk.intake.keep import enter, write
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import NotHanded, Summary
from letterdesk.mail.letters import Fetched
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes import rows

from ..models import PolledFolder, PolledLetter, PolledMailbox
from .claim import Looked, held
from .key import key_of, key_of_place

DOOR = "mailbox"
AGAIN_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))  # of what was refused or empty
CLOCKS = timedelta(minutes=10)  # by how much the server's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Keep:
    """What becomes of letters of one folder."""

    mailbox: PolledMailbox
    folder: PolledFolder
    now: datetime
    found: Looked

    def is_meant(self, letter: Summary) -> bool:
        """Whether it came after the mailbox was connected, or since the day from which older ones are wanted."""
        older = self.mailbox.older_since
        is_wanted = older is not None and letter.internal_date >= older
        return is_wanted or self._came_later(letter.uid, letter.internal_date)

    def _came_later(self, uid: int, date: datetime) -> bool:
        """Whether it came after the mailbox was connected. What a person moves here later has its old date."""
        begins, after = self.mailbox.made_at.replace(microsecond=0), self.folder.begins_after  # servers tell seconds
        return date >= begins or (after is not None and uid > after and date >= begins - CLOCKS)

    def keep(self, letters: Sequence[Fetched], missing: Sequence[NotHanded]) -> None:
        """What is not known yet is written, entered and committed. Raises NotOurs."""
        if not letters and not missing:
            return
        keyed = [(key_of(each.raw), each) for each in letters]
        known = self._known(keyed)
        if new := [each.raw for key, each in keyed if key not in known]:
            write(self.mailbox.account_id, new, now=self.now)
        reach("polled.before_commit")
        with transaction.atomic():
            held(self.mailbox)
            self._enter(keyed)
            self._note(missing)
        reach("polled.kept")

    def _known(self, keyed: Sequence[tuple[str, Fetched]]) -> set[str]:
        return set(self._letters().filter(key__in=[key for key, _ in keyed]).values_list("key", flat=True))

    def _enter(self, keyed: Sequence[tuple[str, Fetched]]) -> None:
        """A line for each: of one that is known, for where it lies as well, so that nobody fetches it again."""
        known = self._known(keyed)  # another look may have been quicker
        fresh: dict[str, Fetched] = {}
        again: list[PolledLetter] = []
        for key, each in keyed:
            if key in known or key in fresh:
                again.append(self._row(self._place(each.uid), each.uid, each.internal_date))
            else:
                fresh[key] = each
        place = Place(self.mailbox.account_id, DOOR, self.mailbox.public_id)
        handed = [(Handed("", (), each.raw, ""), place) for each in fresh.values()]
        made = {each.blob: each.pk for each in enter(self.mailbox.account_id, handed, now=self.now, is_urgent=False)}
        rows.insert(
            [
                self._row(key, each.uid, each.internal_date, arrived=made.get(blobs.hash_of(each.raw)))
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
        noted = [
            self._row(
                self._place(each.uid), each.uid, each.internal_date or self.now, trouble=each.reason, size=each.size
            )
            for each in missing
        ]
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

    def _row(
        self, key: str, uid: int, date: datetime, *, arrived: int | None = None, trouble: str = "", size: int = 0
    ) -> PolledLetter:
        return rows.make(
            PolledLetter,
            account_id=self.mailbox.account_id,
            mailbox_id=self.mailbox.pk,
            folder_id=self.folder.pk,
            key=key,
            uid=uid,
            arrived_id=arrived,
            received_at=min(date, self.now),
            is_older=not self._came_later(uid, date),
            trouble=trouble,
            size=size,
        )

    def _letters(self) -> QuerySet[PolledLetter]:
        found: QuerySet[PolledLetter] = PolledLetter.objects.filter(mailbox=self.mailbox)
        return found
