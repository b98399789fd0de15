"""Letters that are gone from the server, and the brake for when very many seem to be (P5, A20)."""

from typing import TYPE_CHECKING

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import move, quarantine

from .decide import Brake, is_mass

if TYPE_CHECKING:
    from .visit import Visit

AT_ONCE = 1000


def let_go(visit: "Visit", uids: UidSet) -> None:
    """Another program deleted these on the server: their placements go here too (R27), except what is held (R4)."""
    uidvalidity = visit.cursor.uidvalidity or 0
    for piece in uids.chunks(AT_ONCE):
        with visit.work.transaction():
            removed = move.remove_vanished(visit.folder, piece, uidvalidity=uidvalidity, now=visit.work.now)
            quarantine.gone(visit.folder, piece, uidvalidity=uidvalidity, now=visit.work.now)
            reach("pull.expunge.before_commit")
        visit.report.removed += removed
        reach("pull.expunge.committed")


def unhide(visit: "Visit", uids: UidSet) -> None:
    """What the brake had hidden is there again."""
    with visit.work.transaction():
        move.unhide(visit.folder, uids, now=visit.work.now)
        reach("pull.unhide.before_commit")
    visit.report.changed += len(uids)


def brake(visit: "Visit", step: Brake, *, shown: int) -> None:
    """Ask a second, fresh connection. If it says the same, suspect; a cycle later hide softly. Nothing is deleted."""
    there = _ask_fresh(visit)
    if there is None:
        visit.report.unsettled = "Most of the folder seems gone, and the server gives no clear answer."
        return
    gone = step.uids - there
    if not is_mass(len(gone), shown):
        _believe(visit, there)
        visit.report.unsettled = "The server has taken back that most of the folder is gone."
    elif step.hide:
        _hide(visit, gone)
    else:
        _suspect(visit, gone)


def _ask_fresh(visit: "Visit") -> UidSet | None:
    """All UIDs by another connection; None where the answer contradicts itself."""
    with visit.work.reconnect() as fresh:
        selected = fresh.select(visit.folder.wire_name, readonly=True)
        uids = fresh.uids()
    if selected.uidvalidity != visit.cursor.uidvalidity or len(uids) < selected.exists:
        return None
    return uids


def _believe(visit: "Visit", there: UidSet) -> None:
    with visit.work.transaction():
        visit.cursor.server_uids, visit.cursor.expected = str(there), len(there)
        visit.cursor.vanish_suspected_at = None
        visit.cursor.save(update_fields=["server_uids", "expected", "vanish_suspected_at"])


def _suspect(visit: "Visit", gone: UidSet) -> None:
    visit.report.unsettled = f"The server says that {len(gone)} letters are gone. They are kept until that is certain."
    if visit.cursor.vanish_suspected_at is not None:
        return
    with visit.work.transaction():
        visit.cursor.vanish_suspected_at = visit.work.now
        visit.cursor.save(update_fields=["vanish_suspected_at"])
        visit.work.record("folder.vanish_suspected", visit.folder, count=len(gone))
        reach("pull.suspect.before_commit")


def _hide(visit: "Visit", gone: UidSet) -> None:
    with visit.work.transaction():
        move.hide_softly(visit.folder, gone, now=visit.work.now)
        reach("pull.hide.before_commit")
    visit.report.removed += len(gone)
