"""The purge of R12: where a plan without Webmail is in force, all letters not connected to tasks go, here alone (R26).

It begins when Webmail has ended and the operator's time of grace is over, mailbox by mailbox, in pieces of one
transaction each. A piece holds the lock on the account's plan and asks for it anew: an upgrade stops the purge at once.
What is still to be done is read from the rows, so a crash leaves whole pieces, and running again does the rest. What
has no original on a server stays: a letter of ours that waits to be stored there (R9).
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from letterdesk.accounts.models import Account
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.plans import limits
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import letters_go_at, plan_at, without_webmail

from .. import listing
from ..intentions import drop
from ..models import Mailbox, Message, PendingChange, Placement, Quarantined
from ..remove import remove_messages, remove_quarantined
from . import legal, receipts
from .pace import in_pieces
from .sweep import account_for

AT_ONCE = 1000
RULE = "R12"
Kind, State = PendingChange.Kind, PendingChange.State
QUEUED = Q(state__in=(State.WAITING, State.SENT)) & ~Q(kind__in=(Kind.APPEND, Kind.DRAFT))


def purge(account: Account, *, now: datetime) -> int:
    """Remove what R12 removes from this account; returns how many letters went. Nothing before it is due."""
    mailboxes = account.mailboxes.filter(forgotten_at=None).order_by("pk")
    return sum(_purge_mailbox(mailbox, now) for mailbox in mailboxes)


def accounts_to_purge(now: datetime) -> QuerySet[Account]:
    """Accounts without Webmail in which anything is left that R12 may remove, in grace or not."""
    mailbox = Mailbox.objects.filter(account=OuterRef("pk"), forgotten_at=None).filter(_has_something())
    refused = without_webmail(now).values("account")
    found: QuerySet[Account] = Account.objects.filter(Exists(mailbox), pk__in=refused).order_by("pk")
    return found


def free(mailbox: Mailbox) -> QuerySet[Message]:
    """Letters that R12 removes from a mailbox."""
    return not_held(Message.objects.filter(mailbox=mailbox))


def not_held(letters: QuerySet[Message]) -> QuerySet[Message]:
    """Those of R12: all but those that are held (R4), and what no server has yet: a letter of ours on its way (R9)."""
    return legal.may_go(letters.filter(~Exists(_unsent_places().filter(message=OuterRef("pk"))), is_held=False))


def unsent(mailboxes: Collection[int]) -> QuerySet[Message]:
    """Letters of these mailboxes that nothing holds and no server has yet; few."""
    places = _unsent_places().filter(folder__mailbox__in=mailboxes)
    return Message.objects.filter(pk__in=places.values("message"), is_held=False)


def _unsent_places() -> QuerySet[Placement]:
    appended = PendingChange.objects.filter(kind=Kind.APPEND, pk=OuterRef("uid") * Value(-1))
    places: QuerySet[Placement] = Placement.objects.provisional().filter(Exists(appended))
    return places


def unread_letters(mailbox: Mailbox) -> QuerySet[Quarantined]:
    """Letters that could not be read and whose bytes are here, under no hold."""
    return legal.unread_free(Quarantined.objects.filter(folder__mailbox=mailbox))


def queued(mailbox: Mailbox) -> QuerySet[PendingChange]:
    """Intentions that R12 drops; what is written here and the server does not have yet is none (R9)."""
    return PendingChange.objects.filter(QUEUED, mailbox=mailbox)


def _has_something() -> Q:
    this = OuterRef("pk")
    letters = not_held(Message.objects.filter(mailbox=this))
    unreadable = legal.unread_free(Quarantined.objects.filter(folder__mailbox=this))
    return Q(Exists(letters)) | Q(Exists(unreadable)) | Q(Exists(PendingChange.objects.filter(QUEUED, mailbox=this)))


def _purge_mailbox(mailbox: Mailbox, now: datetime) -> int:
    in_pieces(partial(_drop_piece, mailbox, now))
    return in_pieces(partial(_piece, mailbox, now))


def _piece(mailbox: Mailbox, now: datetime) -> int:
    """Some letters of the mailbox, with tombstones and receipt."""
    with limits.locked(mailbox.account) as subscription:
        if not _is_due(subscription, now):
            return 0
        receipts.lock(mailbox.account_id)
        ids = list(free(mailbox).order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])
        blobs = remove_messages(mailbox, ids, now=now)
        blobs += remove_quarantined(mailbox, unread_letters(mailbox), now=now)
        if blobs:
            account_for(mailbox, blobs, rule=RULE, kind="message.purged", now=now)
        reach("purge.before_commit")
    reach("purge.committed")
    return len(blobs)


def _drop_piece(mailbox: Mailbox, now: datetime) -> int:
    """Some intentions that nobody will carry out any more; the event lists them."""
    with limits.locked(mailbox.account) as subscription:
        if not _is_due(subscription, now):
            return 0
        Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        changes = list(queued(mailbox).select_related("folder", "target", "placement", "by").order_by("pk")[:AT_ONCE])
        if not changes:
            return 0
        listed = [_in_words(change) for change in changes]
        PendingChange.objects.filter(pk__in=[each.pk for each in changes if each.kind == Kind.FLAGS]).delete()
        listing.refresh(drop(change for change in changes if change.kind != Kind.FLAGS))
        record("change.dropped", account=mailbox.account, topic=mailbox.topic, count=len(changes), listed=listed)
        reach("purge.dropped.before_commit")
    reach("purge.dropped")
    return len(changes)


def _is_due(subscription: Subscription, now: datetime) -> bool:
    """Judged by the row that is locked, and by the clock; its mailboxes were fitted to this very plan before (R13).

    Else a purge between two plans would leave a mailbox connected whose letters are buried.
    """
    go_at = letters_go_at(subscription, now)
    return go_at is not None and now >= go_at and subscription.followed == plan_at(subscription, now)


def _in_words(change: PendingChange) -> str:
    """What was meant, by whom and when; nothing of the letter."""
    way = f"{change.folder.name} → {change.target.name}" if change.target else change.folder.name
    who = f"employee:{change.by.public_id}" if change.by else "nobody"
    return f"{change.kind} {way}, {who}, {change.created_at:%Y-%m-%d %H:%M}Z"[:900]
