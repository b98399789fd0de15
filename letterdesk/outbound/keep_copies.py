"""What is written here is kept on the mail server, too, once the writer has paused: other programs can go on with it.

A draft that is its author's alone is not put where others would read it: in a shared mailbox only answers, and what
came from the server's folder of drafts, are kept there.
"""

import hashlib
import json
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.turns import in_turn
from letterdesk.mail.compose import NotComposable, new_message_id, wire_address
from letterdesk.mail.fields import people_field
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.folder_for import folder_for
from letterdesk.mailboxes.models import FolderRole, Grant, Mailbox, Message, PendingChange

from .composing import CannotSend, letter_of
from .drafts import OnItsWay, lock, remove_discarded
from .identities import SENDING, Identity, identity_for
from .models import Draft, DraftCopy
from .server_copies import has_server, hide_withdrawn, intend, withdraw

QUIET = timedelta(seconds=20)  # after the last saving, while somebody types
AT_THE_LATEST = timedelta(minutes=3)  # although somebody types on
AGAIN = timedelta(days=1)  # after the server refused it, or the intention was dropped with a plan
AT_ONCE = 200
CANNOT_KEEP = (CannotSend, NotComposable, blobs.BlobMissing, blobs.BlobDamaged, OSError)


def keep_copies(*, now: datetime) -> int:
    """Put the server's folders in step with what was written since; returns how many drafts were looked at."""
    found = [*_written(now)[:AT_ONCE], *_shared_since()[:AT_ONCE], *_given_up(now)[:AT_ONCE]]
    in_turn(found, lambda draft: keep_copy(draft, now=now), failure="The copy of draft %s cannot be kept")
    return len(found)


def keep_copy(draft: Draft, *, now: datetime) -> bool:
    """Intend the copy of one draft, or that it goes; whether there was anything to do. Outside any transaction."""
    identity = identity_for(draft, draft.author) if belongs_there(draft) else None
    if identity is None:
        return _withdraw(draft, now)
    said = said_by(draft)
    newest = draft.copies.filter(mailbox=draft.mailbox_id).order_by("pk").last()
    if newest is not None and newest.said == said and (newest.stored_at is not None or newest.pk in _waiting()):
        _done(draft)
        return False
    try:
        message_id = new_message_id(identity.email)
        raw = copy_of(draft, identity, message_id=message_id, now=now)
        blob = blobs.hash_of(raw)
        collect.announce(draft.account_id, [blob], now=now)
        blobs.put(draft.account_id, {blob: raw})
    except CANNOT_KEEP:  # it is kept here; sending says what is wrong with it
        _done(draft)
        return False
    reach("draft_copy.written")
    return _intend(draft, DraftCopy(message_id=message_id, blob=blob, said=said, created_at=now), now)


@transaction.atomic
def make_room_for_readers(mailbox: Mailbox, *, now: datetime) -> None:
    """Others are about to read this mailbox: copies that are their authors' alone are shown nowhere from now on.

    In the transaction that gives the access. The locks let no copy slip in beside it.
    """
    own = Draft.objects.open().filter(mailbox=mailbox, is_teams=False).order_by("pk")
    list(own.select_for_update().values_list("pk"))
    for draft in _shared_since().filter(mailbox=mailbox):
        _withdraw(draft, now)
    remove_discarded(now=now, mailbox=mailbox)
    hide_withdrawn(mailbox, now=now)


def belongs_there(draft: Draft) -> bool:
    """Whether a copy on the server shows the draft to nobody who may not see it here."""
    if draft.mailbox is None or not has_server(draft.mailbox) or not (draft.version > 1 or draft.files.exists()):
        return False
    if draft.is_teams or not draft.mailbox.grants.exists():
        return True
    return Message.objects.filter(drafts=draft, mailbox=draft.mailbox_id).exists()


def copy_of(draft: Draft, identity: Identity, *, message_id: str, now: datetime) -> bytes:
    """The draft as a letter, with its Bcc; recipients that no letter carries yet are left out. Raises CANNOT_KEEP."""
    rest = {name: [pair for pair in getattr(draft, name) if _fits(*pair)] for name in ("to", "cc", "bcc")}
    shown = Draft(pk=draft.pk, **{**{each: getattr(draft, each) for each in SAID}, **rest})
    raw = letter_of(shown, identity, message_id=message_id, date=now)
    hidden = [(name, wire_address(address)) for name, address in rest["bcc"]]
    return people_field("Bcc", hidden).encode() + raw if hidden else raw


SAID = ("to", "cc", "bcc", "subject", "body_html", "body_text", "in_reply_to", "references")


def said_by(draft: Draft) -> str:
    """A hash of what a draft says, its files included."""
    files = list(draft.files.order_by("pk").values_list("filename", "blob"))
    said = [[getattr(draft, name) for name in SAID], [list(each) for each in files]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _fits(name: str, address: str) -> bool:
    try:
        wire_address(address)
    except NotComposable:
        return False
    return not any(each in name for each in "\r\n\0")


@transaction.atomic
def _intend(draft: Draft, copy: DraftCopy, now: datetime) -> bool:
    try:
        row = lock(draft)
    except (OnItsWay, Draft.DoesNotExist):
        return False
    if (row.updated_at, row.mailbox_id) != (draft.updated_at, draft.mailbox_id) or not belongs_there(row):
        return False  # written on, or shared: the next round sees it
    assert row.mailbox is not None  # noqa: S101  else it would not belong there
    elsewhere = list(row.copies.exclude(mailbox=row.mailbox_id).select_related("mailbox"))
    by = row.writer or row.author
    withdraw(row, elsewhere, by=by, now=now)
    copy.account_id, copy.mailbox, copy.draft = row.account_id, row.mailbox, row
    copy.folder = folder_for(row.mailbox, FolderRole.DRAFTS)
    copy.save(force_insert=True)
    collect.hold(row.account_id, [copy.blob], holder=copy.holder, now=now)
    intend(row, copy, by=by, now=now)
    _done(row)
    reach("draft_copy.before_commit")
    return True


@transaction.atomic
def _withdraw(draft: Draft, now: datetime) -> bool:
    """What we composed is to lie there no more; nobody has asked for more than that (R26)."""
    try:
        row = lock(draft)
    except (OnItsWay, Draft.DoesNotExist):
        return False
    copies = list(row.copies.filter(is_foreign=False).select_related("mailbox"))
    withdraw(row, copies, by=row.author, now=now)
    _done(draft)
    return bool(copies)


def _done(draft: Draft) -> None:
    Draft.objects.filter(pk=draft.pk).update(copied_at=draft.updated_at)


def _written(now: datetime) -> QuerySet[Draft]:
    """Drafts that were written in since, and are left in peace now, or long enough."""
    since = Q(copied_at=None) | Q(copied_at__lt=F("updated_at"))
    long = Q(copied_at=None, created_at__lte=now - AT_THE_LATEST) | Q(copied_at__lte=now - AT_THE_LATEST)
    left = Q(mailbox=None) & Q(Exists(DraftCopy.objects.filter(draft=OuterRef("pk"))))  # it goes from a sender now
    able = Draft.objects.open().filter(Q(mailbox__state__in=SENDING) | left)
    found: QuerySet[Draft] = able.filter(since, Q(updated_at__lte=now - QUIET) | long)
    return found.select_related("mailbox__account", "author__account").order_by("updated_at")


def _given_up(now: datetime) -> list[Draft]:
    """Drafts whose copy the server never took, and for which no intention waits any more."""
    copies = DraftCopy.objects.filter(
        stored_at=None, created_at__lte=now - AGAIN, draft__sent_at=None, draft__discarded_at=None,
        draft__mailbox__state__in=SENDING,
    )  # fmt: skip
    waiting = _waiting()
    of_drafts = copies.filter(draft__isnull=False).select_related("draft__mailbox__account", "draft__author__account")
    return [each.draft for each in of_drafts.order_by("pk") if each.draft is not None and each.pk not in waiting]


def _waiting() -> set[int]:
    """Keys of the copies that the sync is to store; few."""
    changes = PendingChange.objects.filter(kind=PendingChange.Kind.DRAFT, state=PendingChange.State.WAITING)
    return set(changes.values_list("detail__copy", flat=True))


def _shared_since() -> QuerySet[Draft]:
    """Drafts with copies whose mailbox has grants: what is its author's alone goes from where others read it."""
    shared = Grant.objects.values("mailbox")
    own = Draft.objects.open().filter(mailbox__in=shared, is_teams=False, copies__is_foreign=False)
    found: QuerySet[Draft] = own.exclude(answers__mailbox=F("mailbox")).distinct()
    return found.select_related("mailbox__account", "author__account")
