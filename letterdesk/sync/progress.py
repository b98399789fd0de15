"""How far the copies of mailboxes have come, told cheaply: a few queries, however many mailboxes and letters."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count

from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, Quarantined

from .models import FolderCursor
from .state import counts


@dataclass(frozen=True, slots=True)
class FolderProgress:
    """A folder: letters here, and letters wanted (what a rule leaves out is not). `is_known`: the server was asked."""

    folder: Folder
    here: int = 0
    wanted: int = 0
    unreadable: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    is_known: bool = False

    @property
    def is_done(self) -> bool:
        """Whether everything that is wanted has come."""
        return self.is_known and self.here >= self.wanted


@dataclass(frozen=True, slots=True)
class MailboxProgress:
    """All folders that are on. `percent` is of the letters in folders that the server was asked about."""

    folders: list[FolderProgress]

    @property
    def here(self) -> int:
        """Letters that have come."""
        return sum(each.here for each in self.folders)

    @property
    def wanted(self) -> int:
        """Letters to come and that have come, as far as is known."""
        return sum(each.wanted for each in self.folders)

    @property
    def is_known(self) -> bool:
        """Whether the server was asked about every folder, so that the sums are the whole truth."""
        return bool(self.folders) and all(each.is_known for each in self.folders)

    @property
    def percent(self) -> int:
        """Whole percent, 100 only when nothing is to come any more."""
        if self.is_known and self.here >= self.wanted:
            return 100
        return min(99, self.here * 100 // self.wanted) if self.wanted else 0


def progress_of(mailboxes: Iterable[int]) -> dict[int, MailboxProgress]:
    """The progress of these mailboxes, by key: four queries."""
    folders = list(Folder.objects.filter(mailbox__in=list(mailboxes), gone_at=None, is_selectable=True, is_on=True))
    cursors = {cursor.folder_id: cursor for cursor in FolderCursor.objects.filter(folder__in=folders)}
    here, unreadable = counts(folders), _unreadable(folders)
    found: defaultdict[int, list[FolderProgress]] = defaultdict(list)
    for folder in folders:
        cursor = cursors.get(folder.pk)
        found[folder.mailbox_id].append(_of(folder, cursor, here.get(folder.pk, 0), unreadable.get(folder.pk, 0)))
    return {mailbox: MailboxProgress(each) for mailbox, each in found.items()}


def _of(folder: Folder, cursor: FolderCursor | None, here: int, unreadable: int) -> FolderProgress:
    if cursor is None or cursor.uidvalidity is None:
        return FolderProgress(folder, here=here)
    left_out = {reason: len(UidSet.parse(text)) for reason, text in cursor.left_out.items() if text}
    wanted = max(len(UidSet.parse(cursor.server_uids)) - sum(left_out.values()) - unreadable, 0)
    is_known = cursor.flags_checked_at is not None  # set when the server's UIDs were first learned
    return FolderProgress(folder, min(here, wanted), wanted, unreadable, left_out, is_known)


def _unreadable(folders: Iterable[Folder]) -> dict[int, int]:
    rows = Quarantined.objects.filter(folder__in=[folder.pk for folder in folders], uid__gt=0)
    return dict(rows.values_list("folder").annotate(number=Count("pk")).order_by())
