"""One folder, once: look, decide, carry the steps out. Network outside of transactions, a transaction each batch."""

from datetime import datetime, timedelta
from functools import singledispatchmethod

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import Flags, Selected, Status, Summary
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import flags as store_flags
from letterdesk.mailboxes.models import Folder

from . import compare, dates, decide, reconsider, state, storing, validity, vanish
from .decide import Ask, Local, Remote
from .models import FolderCursor
from .passing import Pass

LAST_UID = 2**32 - 1
STALLED_FOR = timedelta(days=1)
FLAGS_AT_ONCE = 1000


class Visit:
    """A look at one folder. `run` brings the new letters; `finish` lets go what is gone, after all other folders."""

    def __init__(self, work: Pass, folder: Folder, status: Status | None = None) -> None:
        self.work = work
        self.folder = folder
        self.status = status
        self.cursor: FolderCursor = state.cursor_of(folder)
        self.report = work.about(folder)
        self.gone = UidSet()  # to be let go in `finish`
        self.rebuilt = False
        self.reused = False  # a UID holds another letter than it did (A05)
        self.cutoff: datetime | None = None
        self.told: dict[int, Summary] = {}  # letters that arrived
        self.held = self.wanted = self.fetched = 0  # for progress

    # Looking --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Select the folder and carry out what is to be done. Raises MailError, LeaseLost, PlanError."""
        self.report.visited = True
        reconsider.judge_anew(self.cursor, self.work.mailbox)
        state.choose_depth(self.folder, self.cursor, self.work.now)
        selected = self._select()
        if self.status is None:
            self.status = Status(
                selected.exists, selected.uidnext, selected.uidvalidity, selected.highestmodseq, selected.object_id
            )
        self._decide_and_act(_remote(selected))

    def _select(self) -> Selected:
        cursor, connection = self.cursor, self.work.connection
        resync = None
        if connection.has_qresync and cursor.uidvalidity and cursor.modseq:
            resync = (cursor.uidvalidity, cursor.modseq, None)
        return connection.select(self.folder.wire_name, readonly=True, resync=resync)

    def _decide_and_act(self, remote: Remote) -> None:
        local = state.local_state(self.folder, self.cursor, self.work.now)
        remote = self._ask(local, remote)
        self.held = len(local.placed)
        self.wanted = self.held + len(decide.pending(local, remote) - (remote.too_old or UidSet()))
        for step in decide.decide(local, remote, now=self.work.now):
            self._do(step, local, remote)

    def _ask(self, local: Local, remote: Remote) -> Remote:
        rules = state.rules_for(self.folder, self.cursor, self.work.now)
        self.cutoff = rules.cutoff
        connection = self.work.connection
        while (what := decide.ask(local, remote, rules)) is not Ask.NOTHING:
            if what is Ask.ARRIVED:
                from_there = UidSet.of_ranges([(local.uidnext, max(LAST_UID, local.uidnext))])
                told = {summary.uid: summary for summary in connection.envelopes(from_there)}
                self.told = {uid: each for uid, each in told.items() if uid >= local.uidnext}  # A07
                remote = decide.with_answers(remote, arrived=UidSet(self.told))
            elif what is Ask.ALL:
                remote = decide.with_answers(remote, uids=connection.uids())
            elif rules.cutoff is not None:
                wanted = decide.pending(local, remote)
                old = dates.too_old(connection, wanted, rules.cutoff, told=self.told, folder=self.folder)
                remote = decide.with_answers(remote, too_old=old)
        return remote

    # Acting ---------------------------------------------------------------------------------------------------------

    @singledispatchmethod
    def _do(self, step: object, local: Local, remote: Remote) -> None:
        raise TypeError(f"nobody carries out {step!r}")

    @_do.register
    def _(self, step: decide.Rebuild, local: Local, remote: Remote) -> None:
        validity.begin(self, step.uidvalidity)
        self._decide_and_act(_without_answers(remote))

    @_do.register
    def _(self, step: decide.Stall, local: Local, remote: Remote) -> None:
        with self.work.transaction():
            self.cursor.stalled_reason = step.reason
            self.cursor.settled = {"stalled": self.work.now.isoformat()}
            self.cursor.save(update_fields=["stalled_reason", "settled"])
        self.report.unsettled = step.reason

    @_do.register
    def _(self, step: decide.Learn, local: Local, remote: Remote) -> None:
        cursor = self.cursor
        here = local.placed | local.quarantined
        left_out = {reason: (uids & step.uids) - here for reason, uids in state.left_out(cursor).items()}
        left_out["too_old"] = (left_out.get("too_old", UidSet()) | step.too_old) & step.uids
        state.keep_left_out(cursor, left_out)
        cursor.server_uids, cursor.expected, cursor.uidnext = str(step.uids), len(step.uids), step.uidnext
        cursor.settled = {}
        if step.history_end is not None:
            cursor.history_end, cursor.modseq = step.history_end, step.modseq
            cursor.compared_at = cursor.audited_at = self.work.now
            cursor.flags_checked_at = self.work.now if step.flags_known else None
        with self.work.transaction():
            cursor.save()
            reach("pull.learn.before_commit")
        reach("pull.learned")

    @_do.register
    def _(self, step: decide.Unhide, local: Local, remote: Remote) -> None:
        vanish.unhide(self, step.uids)

    @_do.register
    def _(self, step: decide.FetchNew, local: Local, remote: Remote) -> None:
        storing.fetch(self, step.uids, initial=False)

    @_do.register
    def _(self, step: decide.FetchOld, local: Local, remote: Remote) -> None:
        storing.fetch(self, step.uids, initial=True)

    @_do.register
    def _(self, step: decide.FlagsTold, local: Local, remote: Remote) -> None:
        self._take_flags(list(step.flags), remote.modseq)

    @_do.register
    def _(self, step: decide.FlagsChangedSince, local: Local, remote: Remote) -> None:
        told = [
            flags
            for flags in self.work.connection.flags(step.uids, changed_since=step.modseq)
            if flags.uid in step.uids
        ]
        self._take_flags(told, remote.modseq)

    @_do.register
    def _(self, step: decide.FlagsOf, local: Local, remote: Remote) -> None:
        told = [flags for flags in self.work.connection.flags(step.uids) if flags.uid in step.uids]
        self._take_flags(told, remote.modseq, everything=step.everything)

    @_do.register
    def _(self, step: decide.Compare, local: Local, remote: Remote) -> None:
        self.reused |= not compare.means_the_same(self, step.uids)
        with self.work.transaction():
            self.cursor.compared_at = self.work.now
            self.cursor.save(update_fields=["compared_at"])

    @_do.register
    def _(self, step: decide.Expunged, local: Local, remote: Remote) -> None:
        self.gone = step.uids

    @_do.register
    def _(self, step: decide.Brake, local: Local, remote: Remote) -> None:
        vanish.brake(self, step, shown=len(local.placed - local.hidden))

    @_do.register
    def _(self, step: decide.Calm, local: Local, remote: Remote) -> None:
        with self.work.transaction():
            self.cursor.vanish_suspected_at = None
            self.cursor.save(update_fields=["vanish_suspected_at"])

    @_do.register
    def _(self, step: decide.LookAgain, local: Local, remote: Remote) -> None:
        self.report.unsettled = "The server contradicts itself about what is in this folder."

    def _take_flags(self, told: list[Flags], told_modseq: int | None, *, everything: bool = False) -> None:
        """Merge, a transaction each thousand; the mark moves with the last one, never before (hard rule 5)."""
        pieces = [told[start : start + FLAGS_AT_ONCE] for start in range(0, len(told), FLAGS_AT_ONCE)] or [[]]
        for number, piece in enumerate(pieces, start=1):
            with self.work.transaction():
                self.report.changed += store_flags.merge_flags(
                    self.folder, piece, uidvalidity=self._uidvalidity, now=self.work.now
                )
                if number == len(pieces):
                    self._move_mark(told, told_modseq, everything=everything)
                reach("pull.flags.before_commit")
            reach("pull.flags.committed")

    def _move_mark(self, told: list[Flags], told_modseq: int | None, *, everything: bool) -> None:
        """Up to the newest change that was seen, not to what HIGHESTMODSEQ claims: it may run ahead (A24, A25)."""
        seen = max((flags.modseq or 0 for flags in told), default=0)
        if told_modseq is None:
            self.cursor.modseq = 0  # A21
        elif everything:
            self.cursor.modseq = min(seen, told_modseq) or told_modseq
        else:
            self.cursor.modseq = max(self.cursor.modseq, min(seen, told_modseq))
        if everything:
            self.cursor.flags_checked_at = self.work.now
        self.cursor.save(update_fields=["modseq", "flags_checked_at"])

    # Finishing ------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Let go what is gone, and write down that the folder is settled, if it is."""
        if self.gone:
            vanish.let_go(self, self.gone)
            self.gone = UidSet()
        if self.reused:
            self._start_over()
        validity.finish(self)
        self._settle()

    def _start_over(self) -> None:
        """UIDs were used again for other letters (A05): nothing that we know by UID is to be believed."""
        validity.begin(self, self._uidvalidity)
        self.report.unsettled = "The server uses UIDs again for other letters; the folder is matched anew."

    def still_to_come(self) -> UidSet:
        """What the server has and we neither hold nor left out, counted now."""
        left = state.local_state(self.folder, self.cursor, self.work.now)
        return left.known - left.placed - left.quarantined - left.left_out

    def _settle(self) -> None:
        if self.cursor.stalled_reason or self.status is None or self.report.unsettled:
            return
        left = state.local_state(self.folder, self.cursor, self.work.now)
        if missing := left.known - left.placed - left.quarantined - left.left_out:
            self.report.unsettled = f"{len(missing)} letters are still to come."
        elif not left.hidden:
            self._write_settled()

    def _write_settled(self) -> None:
        cursor = self.cursor
        assert self.status is not None  # noqa: S101  for the type checker; `_settle` has looked
        cursor.settled = state.seen_as(self.status) | {"held": state.counts([self.folder]).get(self.folder.pk, 0)}
        if not self.rebuilt:
            cursor.validity_changes = 0
        with self.work.transaction():
            cursor.save(update_fields=["settled", "validity_changes", "cutoff", "depth", "left_out", "times_resumed"])
            reach("pull.settled.before_commit")
        reach("pull.settled")

    @property
    def _uidvalidity(self) -> int:
        return self.cursor.uidvalidity or 0


def _remote(selected: Selected) -> Remote:
    return Remote(
        uidvalidity=selected.uidvalidity,
        exists=selected.exists,
        uidnext=selected.uidnext,
        modseq=selected.highestmodseq,
        resynced=selected.resynced,
        vanished=selected.vanished,
        changed=selected.changed,
    )


def _without_answers(remote: Remote) -> Remote:
    return Remote(remote.uidvalidity, remote.exists, uidnext=remote.uidnext, modseq=remote.modseq)
