"""Legal holds (F05, F07, F08): letters that no rule, plan, task or deletion removes, until 30 days after the release.

A hold writes a Hold row for each of its letters, and for each that arrives, in the transaction that stores it; so all
that removes letters obeys it already (`remove.py`). Placing waits for the mailboxes, as the sweep and the sync do.

It is in force with its first transaction, which writes the hold alone. The rows of its letters follow in pieces; until
the last of them nothing that it may reach is removed (`may_go`). A crash leaves whole pieces, and a job does the rest.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach

from .. import listing
from ..models import Conversation, Hold, LegalHold, Mailbox, Message, Quarantined
from . import receipts
from .holds import settle
from .legal_reach import REASON, among, letters_of, named

GRACE = timedelta(hours=24 * 30)  # F08
AT_ONCE = 500
SOON = 10  # pieces that whoever places a hold waits for; a job does the others
Scope = LegalHold.Scope


class NotPossible(ValueError):
    """Such a hold cannot be placed; the text says why."""


def place(
    account: Account,
    *,
    reason: str,
    mailbox: Mailbox | None = None,
    conversation: Conversation | None = None,
    address: str = "",
    by: Employee | None,
    now: datetime,
) -> LegalHold:
    """Hold the letters of a mailbox, a conversation or an address; of the whole account where none is named.

    What arrives later is held, too. It is in force when this returns; of a large one, `cover_more` does the rest.
    Raises NotPossible without a reason, and for what is not of this account (F10).
    """
    if not reason.strip():
        raise NotPossible(_("Say why: whoever looks at it later wants to know."))
    if any(each is not None and each.account_id != account.pk for each in (mailbox, conversation)):
        raise NotPossible(_("This is not of this account."))
    hold = LegalHold(
        account=account, scope=_scope(mailbox, conversation, address), mailbox=mailbox, conversation=conversation,
        address=address.strip().lower(), reason=reason.strip(), placed_at=now, by=by,
    )  # fmt: skip
    _begin(hold)
    cover_more(hold, now=now, pieces=SOON)
    return hold


def cover_more(hold: LegalHold, *, now: datetime, pieces: int | None = None) -> bool:
    """Write the Hold rows of a hold's next letters, piece by piece (None: all). Returns whether it is complete."""
    done = 0
    while pieces is None or done < pieces:
        is_complete = _cover_piece(hold, now)
        reach("hold.piece.committed")
        if is_complete:
            return True
        done += 1
    return False


def cover_all(*, now: datetime) -> int:
    """Complete the holds that are being placed, also those whose placing was interrupted; returns how many."""
    return sum(cover_more(hold, now=now) for hold in LegalHold.objects.filter(covered_at=None).order_by("pk"))


@transaction.atomic
def release(hold: LegalHold, *, by: Employee | None, now: datetime) -> bool:
    """Release a hold: its letters stay for 30 days more (F08). Returns whether it was in force."""
    done = LegalHold.objects.filter(pk=hold.pk, released_at=None).update(released_at=now)
    if done:
        record("hold.released", account=hold.account, by=by, subject=hold.reference)
    return bool(done)


def conversation_named(account: Account, public_id: str) -> Conversation | None:
    """The conversation of an account by its public id, to be held: who holds it need not be able to read it."""
    return Conversation.objects.filter(account=account, public_id=public_id).first()


def in_force(account: Account) -> QuerySet[LegalHold]:
    """The holds of an account that hold letters, released ones in their 30 days included; the latest first."""
    holds = LegalHold.objects.filter(account=account, freed_at=None)
    return holds.select_related("mailbox", "conversation", "by", "account").order_by("-placed_at", "-pk")


def counted(account: Account) -> dict[str, int]:
    """How many letters each hold of an account holds, by its reference."""
    rows = Hold.objects.filter(account=account, reason=REASON).values_list("reference")
    return dict(rows.annotate(Count("pk")).order_by())


def cover(mailbox: Mailbox, letters: Sequence[Message], *, now: datetime) -> int:
    """Hold those of these new letters that fall under a hold; in the transaction that stores them, the mailbox locked.

    Returns how many.
    """
    if not letters:
        return 0
    held = 0
    for hold in LegalHold.objects.filter(account=mailbox.account_id, released_at=None):
        held += _hold(hold, named(hold, among(hold, [letter.pk for letter in letters])), now)
    return held


def cover_joined(mailbox: Mailbox, conversations: set[int]) -> int:
    """Hold what became one with a held conversation; in the transaction that merges, the mailbox locked (F05)."""
    held = 0
    for hold in LegalHold.objects.filter(account=mailbox.account_id, released_at=None, scope=Scope.CONVERSATION):
        joined = letters_of(hold).filter(mailbox=mailbox, conversation__in=conversations)
        held += _hold(hold, named(hold, joined), timezone.now())
    return held


def may_go(letters: QuerySet[Message]) -> QuerySet[Message]:
    """Those of these letters that no hold may still reach which is being placed; held ones are another question."""
    return letters.filter(~Exists(being_placed(OuterRef("account")).filter(_near(OuterRef("mailbox")))))


def being_placed(account: Account | OuterRef) -> QuerySet[LegalHold]:
    """The holds of an account whose letters do not all have their Hold rows yet."""
    found: QuerySet[LegalHold] = LegalHold.objects.filter(account=account, covered_at=None)
    return found


def waited_for(account: Account, mailboxes: Collection[int]) -> set[int]:
    """Those of these mailboxes of which no letter `may_go`."""
    reached = set(being_placed(account).values_list("mailbox_id", flat=True))
    return set(mailboxes) if None in reached else reached & set(mailboxes)


def _near(mailbox: OuterRef) -> Q:
    """Holds that may reach letters of a mailbox: all but those of another one."""
    return Q(mailbox=None) | Q(mailbox=mailbox)


def unread_free(letters: QuerySet[Quarantined]) -> QuerySet[Quarantined]:
    """Those of these unreadable letters whose bytes are here and may go: no hold may mean them.

    Nobody can say of them which conversation or address they are of: a hold on an address keeps all of the account,
    one on a conversation all of its mailbox.
    """
    return letters.exclude(blob="").filter(~_held_unread())


def unread_held(letters: QuerySet[Quarantined]) -> QuerySet[Quarantined]:
    """The others of those whose bytes are here."""
    return letters.exclude(blob="").filter(_held_unread())


def _held_unread() -> Exists:
    here = OuterRef("folder__mailbox")
    of_mailbox = Q(scope=Scope.MAILBOX, mailbox=here) | Q(scope=Scope.CONVERSATION, conversation__mailbox=here)
    any_of = Q(scope__in=(Scope.ACCOUNT, Scope.ADDRESS)) | of_mailbox
    return Exists(LegalHold.objects.filter(any_of, account=OuterRef("account"), freed_at=None))


def free(*, now: datetime) -> int:
    """Let go of what was released 30 days ago, in pieces; returns how many letters follow the rules again (F08)."""
    count = 0
    for hold in _to_be_freed(now):
        while piece := _free(hold):
            count += piece
        LegalHold.objects.filter(pk=hold.pk).update(freed_at=now)
    return count


def _to_be_freed(now: datetime) -> QuerySet[LegalHold]:
    over = LegalHold.objects.filter(freed_at=None, covered_at__isnull=False, released_at__lte=now - GRACE)
    return over.order_by("pk")


@transaction.atomic
def _free(hold: LegalHold) -> int:
    rows = Hold.objects.filter(account=hold.account_id, reason=REASON, reference=hold.reference)
    ids = list(rows.order_by("pk").values_list("message_id", flat=True)[:AT_ONCE])
    letters = Message.objects.filter(pk__in=ids)
    conversations = list(letters.select_for_update().order_by("pk").values_list("conversation_id", flat=True))
    rows.filter(message__in=ids).delete()
    settle(letters)
    listing.refresh(sorted(set(conversations)))
    reach("hold.freed.before_commit")
    return len(ids)


def _scope(mailbox: Mailbox | None, conversation: Conversation | None, address: str) -> LegalHold.Scope:
    if mailbox:
        return Scope.MAILBOX
    if conversation:
        return Scope.CONVERSATION
    return Scope.ADDRESS if address else Scope.ACCOUNT


@transaction.atomic
def _begin(hold: LegalHold) -> None:
    """From this commit on it holds. A conversation is held whole at once: it may be split between two pieces."""
    receipts.lock(hold.account_id)  # before any deletion, or after its piece (F07)
    mailboxes = hold.account.mailboxes.select_for_update(no_key=True)  # nothing arrives meanwhile
    list(mailboxes.order_by("pk").values_list("pk"))
    hold.save()
    if hold.scope == Scope.CONVERSATION:
        _hold(hold, named(hold, letters_of(hold)), hold.placed_at)
    record("hold.placed", account=hold.account, by=hold.by, subject=hold.reference, scope=hold.scope)
    reach("hold.placed.before_commit")


@transaction.atomic
def _cover_piece(hold: LegalHold, now: datetime) -> bool:
    """Hold the letters that come next by their key; returns whether the hold is complete. Locks as a deletion does."""
    receipts.lock(hold.account_id)
    hold.refresh_from_db()
    if hold.covered_at is not None:
        return True
    letters = letters_of(hold).filter(pk__gt=hold.covered_to).order_by("pk")
    ids = [] if hold.scope == Scope.CONVERSATION else list(letters.values_list("pk", flat=True)[:AT_ONCE])
    mailboxes = Mailbox.objects.filter(messages__in=ids).values("pk")
    list(Mailbox.objects.select_for_update(no_key=True).filter(pk__in=mailboxes).order_by("pk").values_list("pk"))
    _hold(hold, named(hold, among(hold, ids)), now)
    if ids:
        hold.covered_to = ids[-1]
    else:
        hold.covered_at = now
        count = Hold.objects.filter(account=hold.account_id, reason=REASON, reference=hold.reference).count()
        record("hold.covered", account=hold.account, subject=hold.reference, count=count)
    hold.save(update_fields=["covered_to", "covered_at"])
    reach("hold.piece.before_commit")
    return not ids


def _hold(hold: LegalHold, letters: list[tuple[int, int]], now: datetime) -> int:
    """The letter's row first, as `holds.add` does: who removes it meanwhile was quicker, or finds it held (F07)."""
    ids = [pk for pk, _conversation in letters]
    Message.objects.filter(pk__in=ids).update(is_held=True, held_by_law=True)
    Hold.objects.bulk_create(
        [
            Hold(account_id=hold.account_id, message_id=pk, reason=REASON, reference=hold.reference, created_at=now)
            for pk in ids
        ],
        ignore_conflicts=True,
    )
    listing.refresh(sorted({conversation for _pk, conversation in letters}))
    return len(ids)
