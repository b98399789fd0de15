"""When a letter of a polled mailbox came, and whether after the mailbox was connected (R30).

The server's date of receipt says so (INTERNALDATE), never the Date field: senders write that, and a letter that is
passed on keeps an old one. Only where the server tells none, or one that cannot be, the letter's number and its Date
field stand in for it (A35).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from letterdesk.mail.charsets import decode
from letterdesk.mail.dates import read_date
from letterdesk.mail.headers import read_head
from letterdesk.mail.imap import Summary
from letterdesk.mail.letters import Fetched

FIRST = datetime(1982, 8, 13, tzinfo=UTC)  # RFC 822: servers that know no date tell 1970 or 1980
AHEAD = timedelta(days=1)  # by so much a clock or a zone may be wrong
CLOCKS = timedelta(minutes=10)  # by how much the server's clock may be behind ours
ON_ITS_WAY = timedelta(days=5)  # so long a letter may take (RFC 5321 4.5.4.1)


@dataclass(frozen=True, slots=True)
class Came:
    """When a letter came, in UTC; whether it was there before the mailbox was connected; whether it is to be taken."""

    at: datetime
    is_older: bool
    is_meant: bool = True


@dataclass(frozen=True, slots=True)
class Dates:
    """Of a folder: the mailbox was connected at `begins`, when its highest number was `after` (None: nobody knows).
    `older_since`: from when on older letters are wanted, too.
    """

    begins: datetime
    after: int | None
    older_since: datetime | None
    now: datetime

    def may_be_meant(self, letter: Summary) -> bool:
        """Whether it is to be taken, as far as that is known before it is here."""
        date = self._believed(letter.internal_date) if letter.is_dated else None
        if date is None:
            return self.older_since is not None or self.after is None or letter.uid > self.after
        return self._is_wanted(date) or self._came_later(letter.uid, date)

    def came(self, letter: Fetched) -> Came:
        """What is known of one that is here. What has no date at all is taken rather than passed over."""
        date = self._believed(letter.internal_date) if letter.is_dated else None
        if date is not None:
            return Came(min(date, self.now), is_older=not self._came_later(letter.uid, date))
        said = self._believed(read_date(decode(read_head(letter.raw).first("date"))))
        is_later = self._came_undated(letter.uid, said)
        at = min(said or self.now, self.now)
        return Came(at, is_older=not is_later, is_meant=is_later or said is None or self._is_wanted(said))

    def is_older(self, uid: int, date: datetime) -> bool:
        """Whether it was there before, of one that is not here."""
        return not self._came_later(uid, date)

    def _came_later(self, uid: int, date: datetime) -> bool:
        """What a person moves here later has its old date."""
        return date >= self.begins or (self.after is not None and uid > self.after and date >= self.begins - CLOCKS)

    def _came_undated(self, uid: int, said: datetime | None) -> bool:
        if self.after is None:
            return said is not None and said >= self.begins - CLOCKS
        return uid > self.after and (said is None or said >= self.begins - ON_ITS_WAY)

    def _is_wanted(self, date: datetime) -> bool:
        return self.older_since is not None and date >= self.older_since

    def _believed(self, date: datetime | None) -> datetime | None:
        return date if date is not None and FIRST <= date <= self.now + AHEAD else None
