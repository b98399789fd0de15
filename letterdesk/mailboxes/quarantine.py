"""What the server has and we cannot read or cannot get: counted, shown, kept raw where there is a raw."""

from collections.abc import Sequence
from datetime import datetime

from letterdesk.events.record import record
from letterdesk.mail.imap_types import NotHanded
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

from . import collect, rows
from .columns import clean
from .models import Folder, Mailbox, Quarantined

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
    """These letters are among the messages now, or gone from the server."""
    here = Quarantined.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=list(uids))
    left = list(here.values_list("pk", "blob"))
    if left:
        Quarantined.objects.filter(pk__in=[pk for pk, _ in left]).delete()
        mailbox = Mailbox.objects.get(pk=folder.mailbox_id)
        collect.let_go(mailbox, [blob for _, blob in left if blob], now=now)


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
