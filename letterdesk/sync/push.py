"""Carries out on the server what people did here. The only place that sends STORE, MOVE, COPY, EXPUNGE, APPEND (P4).

A change may have reached the server although we died before we noted it. So nothing is repeated blindly: flags are
sent one by one as adding and removing, which can be repeated; a letter that is no longer in its folder was moved
already; before a COPY or APPEND is repeated, the target is searched.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import groupby

from django.db.models import F

from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import MailError, NotSupported, ServerSaysNo
from letterdesk.mail.imap import Selected
from letterdesk.mailboxes.flags import merge_flags
from letterdesk.mailboxes.models import PendingChange

from . import backoff, push_append, push_done, push_draft, push_move
from .passing import Pass
from .writable import open_folder, uids_of

AT_ONCE = 200
TEMPORARY = frozenset({"INUSE", "UNAVAILABLE", "SERVERBUG", "LIMIT", "EXPUNGEISSUED", "CONTACTADMIN"})  # RFC 5530 3
TRIES = 5  # for refusals that sound temporary
Kind = PendingChange.Kind
ALONE = (Kind.APPEND, Kind.DRAFT)  # they bring a letter, and need no place of one
Run = list[PendingChange]


def push(work: Pass) -> None:
    """Send what is due, in the order in which people did it. Raises MailError when the line is lost.

    Raises LeaseLost and PlanError before anything is sent that may no longer be: nothing is changed on the server of
    a mailbox that was suspended, or whose plan has ended (R11, R13).
    """
    due = _due(work)
    for _, changes in groupby(due, key=_alike):
        for run in _pieces(list(changes)):
            work.check()
            _send(work, run)
    push_done.give_up_lost(work)
    work.report.waiting = len(_due(work)) if due else 0


def _due(work: Pass) -> Run:
    """What waits and may be sent: not what can still be undone (R27), nor what has no UID yet, nor an old one's."""
    waiting = PendingChange.objects.filter(
        mailbox=work.mailbox, state=PendingChange.State.WAITING, due_at__lte=work.now, folder__gone_at=None
    )
    found = waiting.select_related("folder", "target", "placement", "placement__message").order_by("pk")
    for change in found:
        change.folder.mailbox = work.mailbox
    return [change for change in found if change.kind in ALONE or _has_place(change)]


def _has_place(change: PendingChange) -> bool:
    known = change.uid is not None and change.uid > 0
    return known and change.uidvalidity == change.folder.uidvalidity


def _alike(change: PendingChange) -> tuple[object, ...]:
    """Neighbours that are alike are sent together."""
    flags = [sorted(change.detail.get(word, [])) for word in ("add", "remove")] if change.kind == Kind.FLAGS else []
    alone = change.pk if change.kind in ALONE else 0
    return change.kind, change.folder_id, change.target_id, str(flags), alone


def _pieces(changes: Run) -> Iterator[Run]:
    for start in range(0, len(changes), AT_ONCE):
        yield changes[start : start + AT_ONCE]


def _send(work: Pass, run: Run) -> None:
    try:
        _SENDERS[Kind(run[0].kind)](work, run)
    except (ServerSaysNo, NotSupported) as error:
        if len(run) > 1:  # which of them is refused?
            for change in run:
                _send(work, [change])
        else:
            _refused(work, run[0], error)
    except MailError:
        with work.transaction():
            PendingChange.objects.filter(pk__in=[change.pk for change in run]).update(attempts=F("attempts") + 1)
        raise
    else:
        work.report.pushed += len(run)


def _send_flags(work: Pass, run: Run) -> None:
    """Each flag by itself, so that what another program sets at the same time stays (A29)."""
    folder, detail = run[0].folder, run[0].detail
    selected = open_folder(work, folder, run)
    uids = uids_of(run)
    add, remove = (_that_stay(selected, detail.get(word, [])) for word in ("add", "remove"))
    reach("push.flags.before_send")
    if add:
        work.connection.store(uids, add=add)
    reach("push.flags.half_sent")
    if remove:
        work.connection.store(uids, remove=remove)
    reach("push.flags.sent")
    with work.transaction():
        PendingChange.objects.filter(pk__in=[change.pk for change in run]).delete()
        reach("push.flags.before_commit")
    reach("push.flags.committed")


def _that_stay(selected: Selected, flags: list[str]) -> frozenset[str]:
    """Flags that this folder can keep; others stay ours alone, and are not tried again and again (A30)."""
    known = {flag.lower() for flag in selected.permanent_flags}
    return frozenset(
        flag for flag in flags if flag.lower() in known or (selected.accepts_keywords and not flag.startswith("\\"))
    )


# Refusals -----------------------------------------------------------------------------------------------------------


def _refused(work: Pass, change: PendingChange, error: MailError) -> None:
    code = error.response_code if isinstance(error, ServerSaysNo) else ""
    if code in TEMPORARY and change.attempts + 1 < TRIES:
        with work.transaction():
            change.attempts += 1
            change.error = error.text[:1000]
            change.due_at = work.now + timedelta(seconds=backoff.delay(change.attempts))
            change.save(update_fields=["attempts", "error", "due_at"])
        return
    _fail(work, change, error)


def _fail(work: Pass, change: PendingChange, error: MailError) -> None:
    """For good: the owner is told, and our copy shows again what the server has."""
    with work.transaction():
        change.state, change.error = PendingChange.State.FAILED, error.text[:1000]
        change.attempts += 1
        change.save(update_fields=["state", "error", "attempts"])
        if change.kind in {Kind.MOVE, Kind.DELETE}:
            push_done.take_back(change)
        record(
            "change.failed",
            account=work.mailbox.account,
            by=change.by,
            topic=work.mailbox.topic,
            subject=f"folder:{change.folder.public_id}",
            change=change.pk,
            what=change.kind,
            error=error.text[:500],
        )
        reach("push.failed.before_commit")
    work.report.failed += 1
    if change.kind == Kind.FLAGS:
        _show_the_servers_flags(work, change)


def _show_the_servers_flags(work: Pass, change: PendingChange) -> None:
    try:
        work.connection.select(change.folder.wire_name, readonly=True)
        told = list(work.connection.flags(uids_of([change])))
    except ServerSaysNo:
        return
    with work.transaction():
        merge_flags(change.folder, told, uidvalidity=change.uidvalidity or 0, now=work.now)


_SENDERS: dict[PendingChange.Kind, Callable[[Pass, Run], None]] = {
    Kind.FLAGS: _send_flags,
    Kind.MOVE: push_move.send_moves,
    Kind.DELETE: push_move.send_deletes,
    Kind.APPEND: push_append.send_append,
    Kind.DRAFT: push_draft.send_draft,
}
