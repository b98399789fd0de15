"""What the server has and we cannot read or cannot get: counted, shown, kept raw where there is a raw."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from letterdesk.events.record import record
from letterdesk.mail.imap_types import NotHanded
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

from . import collect, rows
from .columns import clean
from .models import Folder, Mailbox, Message, Quarantined
from .retention import legal, receipts

AT_ONCE = 500

IN_WORDS = {
    "empty": "The server has this letter and hands out nothing.",
    "too_large": "The letter is larger than what is fetched.",
    "refused": "The server refuses to hand out this letter.",
}
ONCE_MORE = (  # the same UID again: still unreadable
    "ON CONFLICT (folder_id, uidvalidity, uid) DO UPDATE SET reason = excluded.reason, blob = excluded.blob,"
    " size = excluded.size, internal_date = excluded.internal_date, attempts = mailboxes_quarantined.attempts + 1"
)


def keep(folder: Folder, letters: Sequence[tuple[Fetched, str, str]], *, uidvalidity: int, now: datetime) -> None:
    """Keep letters that nobody could read: (letter, blob, reason). Their bytes are held by the caller's transaction."""
    kept = {}
    for letter, blob, reason in letters:
        row = _row(folder, letter.uid, uidvalidity=uidvalidity, now=now, reason=reason, size=len(letter.raw))
        row.blob, row.internal_date = blob, letter.internal_date
        kept[letter.uid] = row
    rows.insert(list(kept.values()), conflict=ONCE_MORE)


def not_handed(folder: Folder, items: Sequence[NotHanded], *, uidvalidity: int, now: datetime) -> None:
    """Note letters that the server has and does not hand out (A10, A37). Each call is one more attempt."""
    noted = {}
    for item in items:
        row = _row(folder, item.uid, uidvalidity=uidvalidity, now=now, reason=_words(item), size=item.size or 0)
        row.internal_date = item.internal_date
        noted[item.uid] = row
    rows.insert(list(noted.values()), conflict=ONCE_MORE)
    tell(folder, len(noted))


def leave(folder: Folder, uids: UidSet, *, uidvalidity: int, now: datetime) -> None:
    """These letters are among the messages now."""
    _drop(folder, _with_uids(folder, uids, uidvalidity), now)


def gone(folder: Folder, uids: UidSet, *, uidvalidity: int, now: datetime) -> None:
    """These letters are no longer on the server: they go here, too, but for those that a legal hold may mean (F05)."""
    let_go(folder, _with_uids(folder, uids, uidvalidity), now=now)


def let_go(folder: Folder, letters: QuerySet[Quarantined], *, now: datetime) -> None:
    """The same for letters of this folder whose UIDs mean nothing any more. What is kept has no UID: minus its key."""
    letters = letters.filter(uid__gt=0)
    kept = legal.unread_held(letters).filter(~_also_elsewhere(letters))
    Quarantined.objects.filter(pk__in=list(kept.values_list("pk", flat=True))).update(uid=F("pk") * -1)
    _drop(folder, letters, now)


def forget_gone(*, now: datetime) -> int:
    """Remove some that only a legal hold kept, once it lets go (F08); returns how many. Call until it is none."""
    free = legal.unread_free(Quarantined.objects.filter(uid__lt=0)).select_related("folder")
    return sum(_forget(letter, now) for letter in free.order_by("pk")[:AT_ONCE])


@transaction.atomic
def _forget(letter: Quarantined, now: datetime) -> int:
    """Under the locks of a deletion, asked anew: a hold may have been placed meanwhile."""
    receipts.lock(letter.account_id)
    Mailbox.objects.select_for_update(no_key=True).get(pk=letter.folder.mailbox_id)
    return _drop(letter.folder, legal.unread_free(Quarantined.objects.filter(pk=letter.pk)), now)


def _with_uids(folder: Folder, uids: UidSet, uidvalidity: int) -> QuerySet[Quarantined]:
    found: QuerySet[Quarantined] = Quarantined.objects.filter(
        folder=folder, uidvalidity=uidvalidity, uid__in=list(uids)
    )
    return found


def _also_elsewhere(going: QuerySet[Quarantined]) -> Q:
    """The same bytes are among the mailbox's letters, or lie on the server under a UID that does not go, too.

    Of several that go together, one is kept.
    """
    mailbox, blob = OuterRef("folder__mailbox"), OuterRef("blob")
    other = Quarantined.objects.filter(folder__mailbox=mailbox, blob=blob)
    staying = other.exclude(pk__in=going.values("pk"))
    kept_for_it = other.filter(pk__in=legal.unread_held(going).values("pk"), pk__lt=OuterRef("pk"))
    letters = Message.objects.filter(mailbox=mailbox, blob=blob)
    return Q(Exists(letters)) | Q(Exists(staying)) | Q(Exists(kept_for_it))


def _drop(folder: Folder, letters: QuerySet[Quarantined], now: datetime) -> int:
    left = list(letters.values_list("pk", "blob"))
    if left:
        Quarantined.objects.filter(pk__in=[pk for pk, _ in left]).delete()
        mailbox = Mailbox.objects.get(pk=folder.mailbox_id)
        collect.let_go(mailbox, [blob for _, blob in left if blob], now=now)
    return len(left)


def tell(folder: Folder, count: int) -> None:
    """One event for a batch."""
    if count:
        record(
            "message.quarantined",
            account=folder.account,
            topic=folder.mailbox.topic,
            subject=f"folder:{folder.public_id}",
            count=count,
        )


def _words(item: NotHanded) -> str:
    words = IN_WORDS.get(item.reason, item.reason)
    return f"{words} ({item.detail})" if item.detail else words


def _row(folder: Folder, uid: int, *, uidvalidity: int, now: datetime, reason: str, size: int) -> Quarantined:
    return Quarantined(
        account_id=folder.account_id,
        folder=folder,
        uidvalidity=uidvalidity,
        uid=uid,
        reason=clean(reason),
        size=size,
        first_seen_at=now,
    )
