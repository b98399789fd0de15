"""The copies of a disconnected mailbox go, by choice of a person or 30 days after its owner left: hidden at once,
removed piece by piece by a job, with a receipt for each piece.

Whatever happens in between, the sweep goes on where it stopped: what is still to be done is read from the rows.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.events.record import record

from . import collect, listing
from .models import Folder, Mailbox, Message, Quarantined
from .remove import remove_messages
from .retention import legal, receipts

AT_ONCE = 500
RULE = "disconnected"


def begin(mailbox: Mailbox, *, now: datetime) -> None:
    """Show the mailbox to nobody from now on. Inside the caller's transaction."""
    mailbox.forgotten_at = now
    mailbox.save(update_fields=["forgotten_at"])
    mailbox.grants.all().delete()


def forget_copies(*, now: datetime, limit: int = AT_ONCE) -> bool:
    """Remove a piece of what is to be forgotten; returns whether anything was left to do. Call until it is not.

    Letters that a task or a person holds stay, without their folders (R4, R27). Nothing is changed on a server.
    """
    mailbox = _unfinished().order_by("forgotten_at").first()
    if mailbox is None:
        return False
    if not _piece(mailbox, now=now, limit=limit):
        _remove_folders(mailbox, now=now)
    return True


@transaction.atomic
def _piece(mailbox: Mailbox, *, now: datetime, limit: int) -> int:
    receipts.lock(mailbox.account_id)
    letters = legal.may_go(Message.objects.filter(mailbox=mailbox, is_held=False, holds=None))
    blobs = remove_messages(mailbox, list(letters.values_list("pk", flat=True)[:limit]), now=now)
    if blobs:
        receipts.write(mailbox, blobs, rule=RULE, now=now)
        record("message.purged", account=mailbox.account, topic=mailbox.topic, count=len(blobs))
    return len(blobs)


def _unfinished() -> QuerySet[Mailbox]:
    letters = legal.may_go(Message.objects.filter(mailbox=OuterRef("pk"), is_held=False, holds=None))
    left = Q(Exists(letters)) | Q(Exists(_free_folders().filter(mailbox=OuterRef("pk"))))
    unfinished: QuerySet[Mailbox] = Mailbox.objects.filter(left, forgotten_at__isnull=False)
    return unfinished


def _free_folders() -> QuerySet[Folder]:
    held = legal.unread_held(Quarantined.objects.filter(folder=OuterRef("pk")))
    free: QuerySet[Folder] = Folder.objects.filter(~Exists(held))
    return free


@transaction.atomic
def _remove_folders(mailbox: Mailbox, *, now: datetime) -> None:
    """The folders, with the quarantine in them and the places of held letters; not where a hold is on it (F05)."""
    receipts.lock(mailbox.account_id)
    folders = list(_free_folders().filter(mailbox=mailbox).values_list("pk", flat=True))
    blobs = list(Quarantined.objects.filter(folder__in=folders).exclude(blob="").values_list("blob", flat=True))
    Folder.objects.filter(pk__in=folders).delete()
    collect.let_go(mailbox, blobs, now=now)
    held = Message.objects.filter(mailbox=mailbox).values_list("conversation_id", flat=True)
    listing.refresh(list(held))
