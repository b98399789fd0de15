"""Legal holds (F05, F07, F08): letters that no rule, plan, task or deletion removes, until 30 days after the release.

A hold writes a Hold row for each of its letters, and for each that arrives, in the transaction that stores it; so all
that removes letters obeys it already (`remove.py`). Placing waits for the mailboxes, as the sweep and the sync do.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.mail.addresses import address_key

from . import listing, receipts
from .models import Conversation, Hold, LegalHold, Mailbox, Message, Quarantined

REASON = "legal"
GRACE = timedelta(hours=24 * 30)  # F08
AT_ONCE = 500
_PLAIN = re.compile(r"(?!xn--)(?!.*ss)[a-z0-9-]+")  # "ss" may be written "ß"
Scope = LegalHold.Scope


class NotPossible(ValueError):
    """Such a hold cannot be placed; the text says why."""


@transaction.atomic
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

    What arrives later is held, too. Raises NotPossible without a reason, and for what is not of this account (F10).
    """
    if not reason.strip():
        raise NotPossible(_("Say why: whoever looks at it later wants to know."))
    if any(each is not None and each.account_id != account.pk for each in (mailbox, conversation)):
        raise NotPossible(_("This is not of this account."))
    scope = Scope.ACCOUNT
    if mailbox or conversation or address:
        scope = Scope.MAILBOX if mailbox else Scope.CONVERSATION if conversation else Scope.ADDRESS
    receipts.lock(account.pk)  # before any deletion, or after its piece (F07)
    list(account.mailboxes.select_for_update().order_by("pk").values_list("pk"))  # nothing arrives or goes meanwhile
    hold = LegalHold.objects.create(
        account=account, scope=scope, mailbox=mailbox, conversation=conversation, address=address.strip().lower(),
        reason=reason.strip(), placed_at=now, by=by,
    )  # fmt: skip
    count = sum(_hold(hold, part, now) for part in _parts(_pairs(hold, _letters(hold))))
    record("hold.placed", account=account, by=by, subject=hold.reference, scope=scope, count=count)
    return hold


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
        found = _letters(hold).filter(pk__in=[letter.pk for letter in letters])
        held += _hold(hold, _pairs(hold, found), now)
    return held


def cover_joined(mailbox: Mailbox, conversations: set[int]) -> int:
    """Hold what became one with a held conversation; in the transaction that merges, the mailbox locked (F05)."""
    held = 0
    for hold in LegalHold.objects.filter(account=mailbox.account_id, released_at=None, scope=Scope.CONVERSATION):
        joined = _letters(hold).filter(mailbox=mailbox, conversation__in=conversations)
        held += _hold(hold, _pairs(hold, joined), timezone.now())
    return held


def unread_free(letters: QuerySet[Quarantined]) -> QuerySet[Quarantined]:
    """Those of these unreadable letters whose bytes are here and may go: no hold is on their account or mailbox.

    Nobody can say of them which conversation or address they are of.
    """
    return letters.exclude(blob="").filter(~_held_unread())


def unread_held(letters: QuerySet[Quarantined]) -> QuerySet[Quarantined]:
    """The others of those whose bytes are here."""
    return letters.exclude(blob="").filter(_held_unread())


def _held_unread() -> Exists:
    everything = Q(scope=Scope.ACCOUNT) | Q(scope=Scope.MAILBOX, mailbox=OuterRef("folder__mailbox"))
    return Exists(LegalHold.objects.filter(everything, account=OuterRef("account"), freed_at=None))


def free(*, now: datetime) -> int:
    """Let go of what was released 30 days ago, in pieces; returns how many letters follow the rules again (F08)."""
    count = 0
    for hold in LegalHold.objects.filter(freed_at=None, released_at__lte=now - GRACE).order_by("pk"):
        while piece := _free(hold):
            count += piece
        LegalHold.objects.filter(pk=hold.pk).update(freed_at=now)
    return count


@transaction.atomic
def _free(hold: LegalHold) -> int:
    rows = Hold.objects.filter(account=hold.account_id, reason=REASON, reference=hold.reference)
    ids = list(rows.order_by("pk").values_list("message_id", flat=True)[:AT_ONCE])
    letters = Message.objects.filter(pk__in=ids)
    conversations = list(letters.select_for_update().order_by("pk").values_list("conversation_id", flat=True))
    rows.filter(message__in=ids).delete()
    letters.filter(~Exists(Hold.objects.filter(message=OuterRef("pk")))).update(is_held=False)
    listing.refresh(sorted(set(conversations)))
    return len(ids)


def _letters(hold: LegalHold) -> QuerySet[Message]:
    """The letters of a hold; one that names nothing it should holds nothing (F22)."""
    letters = Message.objects.filter(account=hold.account_id)
    match hold.scope:
        case Scope.ACCOUNT:
            return letters
        case Scope.MAILBOX if hold.mailbox_id:
            return letters.filter(mailbox=hold.mailbox_id)
        case Scope.CONVERSATION if hold.conversation_id:
            theirs = Hold.objects.filter(account=hold.account_id, reason=REASON, reference=hold.reference)
            part = Exists(theirs.filter(message__conversation=OuterRef("conversation")))  # a side of a split
            return letters.filter(Q(conversation=hold.conversation_id) | part)
        case Scope.ADDRESS if hold.address:
            people: QuerySet[Message] = letters.annotate(people=Cast("recipients", TextField()))
            word = _word_of(hold.address)
            return people.filter(Q(from_address__icontains=word) | Q(people__icontains=word)) if word else people
    return letters.none()


def _word_of(address: str) -> str:
    """The longest part of an address that is stored in one way only, whatever wrote it; empty: there is none.

    Databases write and fold what is not ASCII each in their own way; so `_names` compares what this word finds.
    """
    parts = re.split(r"[@.]", address_key(address))
    return max((part for part in parts if _PLAIN.fullmatch(part)), key=len, default="")


def _names(letter: tuple[str, dict[str, list[list[str]]]], key: str) -> bool:
    """Whether a letter is from or to an address. Pure."""
    sender, recipients = letter
    people = [sender, *(person[1] for line in recipients.values() for person in line)]
    return any(address_key(address) == key for address in people)


def _pairs(hold: LegalHold, letters: QuerySet[Message]) -> list[tuple[int, int]]:
    """Letters of `_letters` with their conversations; of an address those that name it."""
    if hold.scope != Scope.ADDRESS:
        return list(letters.order_by("pk").values_list("pk", "conversation_id"))
    rows = letters.order_by("pk").values_list("pk", "conversation_id", "from_address", "recipients")
    key = address_key(hold.address)
    return [(pk, conversation) for pk, conversation, *people in rows.iterator() if _names((people[0], people[1]), key)]


def _parts(pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    return [pairs[start : start + AT_ONCE] for start in range(0, len(pairs), AT_ONCE)]


def _hold(hold: LegalHold, letters: list[tuple[int, int]], now: datetime) -> int:
    """The letter's row first, as `holds.add` does: who removes it meanwhile was quicker, or finds it held (F07)."""
    ids = [pk for pk, _conversation in letters]
    Message.objects.filter(pk__in=ids).update(is_held=True)
    Hold.objects.bulk_create(
        [
            Hold(account_id=hold.account_id, message_id=pk, reason=REASON, reference=hold.reference, created_at=now)
            for pk in ids
        ],
        ignore_conflicts=True,
    )
    listing.refresh(sorted({conversation for _pk, conversation in letters}))
    return len(ids)
