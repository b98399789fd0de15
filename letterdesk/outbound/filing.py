"""What has left lies in Sent: here at once, and on the server once – appended by the sync, or filed by the provider.

Our copy has a provisional place, with minus the key of its APPEND for a UID, as a move has (`mailboxes/move.py`): the
sync's append or the next pull turns it into the real one. Where the provider files what it sends by itself, our append
waits, and gives way to the provider's copy, which has the same Message-ID and often other bytes. A failure here never
sends anything again (E08).

What left through a verified sender lies in no Sent: where it was written its copy is kept (R6,
`crm/writing/written.py`).
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Max, QuerySet

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.autoconfig import files_sent
from letterdesk.mail.fields import people_field
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes import collect, receive
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.folder_for import folder_for
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox, Message, PendingChange, Placement
from letterdesk.mailboxes.move import next_uid
from letterdesk.mailboxes.placing import mark_unplaced
from letterdesk.mailboxes.reminders import await_answer
from letterdesk.mailboxes.remove import remove_messages

from .models import Delivery, RecipientState, State

PROVIDER_FIRST = timedelta(minutes=10)  # for a provider that files by itself, and for the sync to see it
LOOKED_FOR = timedelta(days=3)
CLOCKS = timedelta(days=1)  # by which a server's may differ from ours
SEEN = "\\Seen"
NOT_YET = 2**32 - 1  # a UID for the blink until the key of the append is known
# bytes that are gone or damaged, a full disk, a name that no header carries
CANNOT_FILE = (blobs.BlobMissing, blobs.BlobDamaged, OSError, ValueError, DatabaseError)
logger = logging.getLogger(__name__)


def file(pk: int, *, now: datetime) -> bool:
    """Store the Sent copy of a letter that has left, and mark what it answers; again does nothing.

    Outside any transaction. Returns whether this call did it: what cannot be filed now is tried again with the rest,
    and keeps no other letter waiting.
    """
    try:
        return _file(pk, now=now)
    except CANNOT_FILE:
        logger.warning("The copy of delivery %s cannot be filed in Sent", pk, exc_info=True)
        return False


def _file(pk: int, *, now: datetime) -> bool:
    row = _unfiled().select_related("mailbox__account", "by").filter(pk=pk).first()
    if row is None or row.mailbox is None:
        return False
    mailbox, raw = row.mailbox, sent_copy(row)
    with transaction.atomic():
        folder = folder_for(mailbox, FolderRole.SENT)
    letter = Fetched(0, raw, row.sent_at or now, frozenset({SEEN}))
    prepared = receive.prepare(folder, [letter], now=now)
    reach("filing.prepared")
    with transaction.atomic():
        Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        if not _unfiled().filter(pk=pk).exists():
            return False
        uid = NOT_YET if mailbox.imap_host else next_uid(folder)
        letters = tuple(replace(read, fetched=replace(read.fetched, uid=uid)) for read in prepared.letters)
        validity = folder.uidvalidity or 0
        receive.store(folder, replace(prepared, letters=letters), uidvalidity=validity, now=now)
        filed = Message.objects.filter(mailbox=mailbox, blob=blobs.hash_of(raw)).first()
        if mailbox.imap_host:
            _intend_append(row, folder, blobs.hash_of(raw), now)
        close(row, filed, now=now)
        reach("filing.before_commit")
    return True


def close(row: Delivery, filed: Message | None, *, now: datetime) -> None:
    """Its copy lies in Sent: mark what it answers, and remember to remind. Inside the caller's transaction."""
    Delivery.objects.filter(pk=row.pk).update(filed=filed, is_filed=True)
    _mark_answered(row, now)
    if filed is not None and (remind_at := row.reminds_at(filed.received_at)) is not None:
        await_answer(filed.conversation_id, since=filed.received_at, remind_at=remind_at, by=row.by)
    _let_go(row, now)


def in_sent(row: Delivery) -> Message | None:
    """The server's own copy of the letter in Sent, as the sync brought it; None also where there is no Sent."""
    if row.mailbox_id is None:
        return None
    since = row.created_at - CLOCKS
    copies = _of_server().filter(mailbox=row.mailbox, received_at__gte=since, message_id=row.message_id)
    return copies.exclude(pk=row.filed_id or 0).first()


def _of_server() -> QuerySet[Message]:
    roles = [FolderRole.SENT, FolderRole.ALL]
    copies: QuerySet[Message] = Message.objects.filter(placements__uid__gt=0, placements__folder__role__in=roles)
    return copies


def sent_copy(row: Delivery) -> bytes:
    """The letter as it lies in Sent: with the Bcc that did not travel (E16), without what counts its readers."""
    raw = blobs.get(row.account_id, row.plain_blob or row.blob)
    hidden = [(each.name, each.address) for each in row.recipients.filter(field="bcc").order_by("pk")]
    return people_field("Bcc", hidden).encode() + raw if hidden else raw


def file_rest(*, now: datetime) -> int:
    """File what a dead worker left, and let provisional copies give way to the provider's; returns how many."""
    newest = _unfiled().order_by("-pk")  # those that can never be filed must not fill each round
    done = sum(file(pk, now=now) for pk in list(newest.values_list("pk", flat=True)[:50]))
    return done + sum(_join(row, now) for row in _provisional(now))


def _unfiled() -> QuerySet[Delivery]:
    states = [State.SENT, State.DEFERRED, State.SENDING]
    left: QuerySet[Delivery] = Delivery.objects.filter(
        state__in=states, sent_at__isnull=False, is_filed=False, mailbox__isnull=False
    )
    return left


def _intend_append(row: Delivery, folder: Folder, blob: str, now: datetime) -> None:
    """The sync appends it, looking first whether the provider has; until then the place is provisional."""
    real = Placement.objects.filter(folder=folder, uidvalidity=folder.uidvalidity or 0).exclude(uid=NOT_YET)
    last = real.aggregate(last=Max("uid"))["last"] or 0
    detail: dict[str, Any] = {"blob": blob, "flags": [SEEN], "internal_date": (row.sent_at or now).isoformat()}
    if not folder.is_wanted:
        detail["before"] = {"uidvalidity": folder.uidvalidity or 0, "uidnext": max(0, last) + 1}
    wait = PROVIDER_FIRST if files_sent(folder.mailbox.smtp_host) else timedelta(0)
    change = PendingChange.objects.create(
        account_id=row.account_id, mailbox=folder.mailbox, folder=folder, kind=PendingChange.Kind.APPEND, detail=detail,
        by=row.by, created_at=now, due_at=now + wait,
    )  # fmt: skip
    Placement.objects.filter(folder=folder, uid=NOT_YET, message__blob=blob).update(uid=-change.pk)


def _mark_answered(row: Delivery, now: datetime) -> None:
    if row.answers_id is not None:
        flag = "$Forwarded" if row.is_forward else "\\Answered"
        places = Placement.objects.filter(message=row.answers_id, account=row.account_id)
        change_flags(places, add=[flag], by=row.by, now=now)


def _let_go(row: Delivery, now: datetime) -> None:
    """The bytes that travelled are needed no more, unless some recipient is still asked."""
    waiting = row.recipients.filter(state__in=[RecipientState.WAITING, RecipientState.DEFERRED])
    if not waiting.exists():
        let_go_of_bytes(row, now=now)


@transaction.atomic
def kept(row: Delivery, *, now: datetime) -> None:
    """Where this letter was written its copy is kept now (R6): the bytes that travelled are needed no more."""
    Delivery.objects.filter(pk=row.pk).update(is_kept=True)
    row.is_kept = True
    if row.is_filed or row.mailbox_id is None:
        _let_go(row, now)


def to_keep() -> QuerySet[Delivery]:
    """Letters that have left and were written about something that has not kept its copy yet (R6)."""
    left: QuerySet[Delivery] = Delivery.objects.filter(sent_at__isnull=False, is_kept=False).exclude(about="")
    return left


def let_go_of_bytes(row: Delivery, *, now: datetime) -> None:
    """Nobody sends this letter any more. What was written in CRM, and left, keeps its bytes until its copy is kept
    there, and the sweep comes. Inside the caller's transaction."""
    if row.about and not row.is_kept and row.sent_at is not None:
        return
    collect.let_go_of_all(row.account_id, row.holder, now=now)


def _provisional(now: datetime) -> Iterable[Delivery]:
    """Letters whose copy is provisional, and lies at the server, too. Each mailbox's recent letters are read once,
    for they have no index by Message-ID."""
    waiting = Placement.objects.filter(uid__lt=0).values("message")
    recent = Delivery.objects.filter(is_filed=True, sent_at__gte=now - LOOKED_FOR, filed__in=waiting)
    for mailbox in list(recent.order_by().values_list("mailbox", flat=True).distinct()):
        theirs = _of_server().filter(mailbox=mailbox, received_at__gte=now - LOOKED_FOR - CLOCKS)
        both = recent.filter(mailbox=mailbox, message_id__in=theirs.values("message_id"))
        yield from both.select_related("mailbox")[:200]


@transaction.atomic
def _join(row: Delivery, now: datetime) -> bool:
    """The provider's copy has come: ours goes, so that there is one. A held one stays where it is held (R4)."""
    mailbox = Mailbox.objects.select_for_update(no_key=True).get(pk=row.mailbox_id)
    theirs = in_sent(row)
    if theirs is None:
        return False
    places = Placement.objects.filter(message=row.filed_id, uid__lt=0)
    PendingChange.objects.filter(pk__in=[-uid for uid in places.values_list("uid", flat=True)]).delete()
    places.delete()
    mark_unplaced([row.filed_id or 0], now=now)
    if not Placement.objects.filter(message=row.filed_id).exists():
        remove_messages(mailbox, [row.filed_id or 0], now=now)
    Delivery.objects.filter(pk=row.pk).update(filed=theirs)
    reach("filing.joined")
    return True
