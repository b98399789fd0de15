"""What people and time do to letters, in the words of the tests: marks, moves, deletes, the end of a month."""

from datetime import timedelta

from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import Placement
from letterdesk.mailboxes.move import delete, move
from letterdesk.mailboxes.retention.sweep import sweep

from .copies import Copy

UNDO = timedelta(seconds=11)  # after that an intention is due


def _chosen(copy: Copy, uids: list[int], name: str) -> list[Placement]:
    return [each for each in copy.placements(name) if each.uid in uids]


def mark(copy: Copy, *uids: int, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), name: str = "INBOX") -> None:
    """The owner sets and takes flags."""
    placements = _chosen(copy, list(uids), name)
    change_flags(placements, add=set(add), remove=set(remove), by=copy.mailbox.owner, now=copy.now)


def move_to(copy: Copy, to: str, *uids: int, name: str = "INBOX") -> None:
    """The owner moves letters, and the time for undoing passes."""
    move(_chosen(copy, list(uids), name), copy.folder(to), by=copy.mailbox.owner, now=copy.now)
    copy.later += UNDO


def throw_away(copy: Copy, *uids: int, name: str = "INBOX") -> None:
    """The owner deletes letters (R27), and the time for undoing passes."""
    delete(_chosen(copy, list(uids), name), by=copy.mailbox.owner, now=copy.now)
    copy.later += UNDO


def let_the_month_end(copy: Copy) -> None:
    """The last day of letters of 29 days ago; the sweep sees the clock go on as clocks do."""
    for _ in range(3):
        assert sweep(now=copy.now) == 0
        copy.later += timedelta(hours=10)
