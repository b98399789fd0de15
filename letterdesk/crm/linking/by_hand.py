"""A person links letters to a record, takes them away from one, or moves them; and that is remembered.

Of a letter, or of its whole conversation at CRM. What a person took away comes back there by no rule; what loses its
last record goes into CRM's bin instead, where it stands where it stood (R8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.retention.receipts import lock

from ..activities.bin import take_out
from ..models import Activity, Binding, Reason, Record, Thread, Unlinked
from ..records import change
from .decide import Bind, direction
from .earlier import take_earlier
from .ground import grounds_of, ours_of
from .keep import ToKeep, bind, keep
from .threads import remember_keys


class LetterGone(LookupError):
    """The letter was removed before it could be linked."""

    def __init__(self) -> None:
        super().__init__(_("This letter is not here any more."))


@dataclass(frozen=True, slots=True)
class TakenAway:
    """How many letters do not stand at the record any more; `binned` of them stood nowhere else."""

    count: int
    binned: int


@transaction.atomic
def link_by_hand(
    letter: Message, record: Record, *, by: Employee, now: datetime, with_earlier: bool = True
) -> Activity:
    """Save a letter at a record, with the earlier letters of its conversation unless that was unticked (R5, R6).

    The caller has found letter and record by right. Raises InBin, LetterGone.
    """
    _same_account(letter.account_id, record)
    lock(letter.account_id)
    held = Mailbox.objects.select_for_update(of=("self",), no_key=True)  # not the account: see `receipts.lock`
    mailbox = held.select_related("account").get(pk=letter.mailbox_id)
    change.lock(record)
    found = Message.objects.filter(pk=letter.pk).select_related("conversation").first()
    if found is None:
        raise LetterGone
    wanted = _to_keep(mailbox, found, record, now)
    [activity] = keep(mailbox.account_id, [wanted], through=mailbox.address, now=now, by=by)
    _forget_unlinked(record, [activity])
    _out_of_the_bin(activity)
    earlier = 0
    if with_earlier:
        earlier = take_earlier(mailbox, [wanted], ours=ours_of(mailbox.account_id), now=now, by=by)
    tell(
        "activity.linked",
        account=record.account,
        by=by,
        topic=mailbox.topic,
        subject=record.reference,
        letters=1 + earlier,
        conversations=[found.conversation.public_id],
    )
    reach("crm_link_by_hand.before_commit")
    return activity


@transaction.atomic
def stand_at(
    activity: Activity, record: Record, *, by: Employee, now: datetime, whole_conversation: bool = False
) -> int:
    """An activity, or its whole conversation, stands at one more record. Returns how many are new there.

    Raises InBin where the record is in the bin.
    """
    _same_account(activity.account_id, record)
    lock(activity.account_id)
    change.lock(record)
    activities = _of(activity, by, whole_conversation=whole_conversation)
    standing = Binding.objects.filter(record=record.pk, activity__in=[each.pk for each in activities])
    before = standing.count()
    bind(activity.account_id, [(each, (Bind(record.pk, Reason.PERSON),)) for each in activities], now=now, by=by)
    _forget_unlinked(record, activities)
    count = len(activities) - before
    tell("activity.linked", account=record.account, by=by, subject=record.reference, letters=count)
    return count


@transaction.atomic
def take_away(
    activity: Activity, record: Record, *, by: Employee, now: datetime, whole_conversation: bool = False
) -> TakenAway:
    """Take an activity, or its whole conversation with what will answer it, away from a record.

    What stands nowhere else goes into CRM's bin for 30 days: the caller has warned (R8).
    """
    _same_account(activity.account_id, record)
    lock(activity.account_id)
    elsewhere = Binding.objects.filter(activity=OuterRef("pk"), record__deleted_at=None).exclude(record=record.pk)
    these = [each.pk for each in _of(activity, by, whole_conversation=whole_conversation)]
    standing = Activity.objects.filter(pk__in=these, bindings__record=record.pk)
    last = list(standing.filter(~Exists(elsewhere)).values_list("pk", flat=True))
    facts = dict(standing.values_list("pk", "identity"))
    _remember(activity, record, list(facts.values()), whole_conversation=whole_conversation, by=by, now=now)
    Binding.objects.filter(record=record.pk, activity__in=set(facts) - set(last)).delete()
    Activity.objects.filter(pk__in=last).update(deleted_at=now, deleted_by=by, went_along=False)
    tell(
        "activity.unlinked",
        account=record.account,
        by=by,
        subject=record.reference,
        letters=len(facts),
        binned=len(last),
    )
    reach("crm_take_away.before_commit")
    return TakenAway(len(facts), len(last))


@transaction.atomic
def move(
    activity: Activity,
    *,
    source: Record,
    target: Record,
    by: Employee,
    now: datetime,
    whole_conversation: bool = False,
) -> int:
    """From one record to another; returns how many letters. The other way round undoes it. Raises InBin."""
    stand_at(activity, target, by=by, now=now, whole_conversation=whole_conversation)
    if source.pk == target.pk:
        return 0
    return take_away(activity, source, by=by, now=now, whole_conversation=whole_conversation).count


def _same_account(account_id: int, record: Record) -> None:
    if record.account_id != account_id:  # F10
        raise ValueError(f"record {record.pk} is of another account than {account_id}")


def _to_keep(mailbox: Mailbox, letter: Message, record: Record, now: datetime) -> ToKeep:
    grounds = grounds_of(mailbox, [letter], now=now)
    identity = grounds.identities[letter.pk]
    found = Activity.objects.filter(account=letter.account_id, identity=identity).first()
    thread = found.thread_id if found else grounds.thread(letter)
    if thread is None:
        thread = Thread.objects.create(account_id=letter.account_id, subject=letter.conversation.subject).pk
    remember_keys(letter.account_id, {letter.conversation_id: thread}, grounds.threads.keys)
    way = direction(grounds.people[letter.pk], grounds.roles.get(letter.pk, frozenset()), grounds.ours)
    return ToKeep(letter, thread, way, (Bind(record.pk, Reason.PERSON),), identity)


def _out_of_the_bin(activity: Activity) -> None:
    """A person wants it, so that it was deleted is over; where it was taken away from its last record it stays away."""
    taken = Unlinked.objects.filter(account=activity.account_id, identity=activity.identity, thread=None)
    if activity.deleted_at is not None:
        Binding.objects.filter(activity=activity.pk, record__in=taken.exclude(record=None).values("record")).delete()
        take_out(activity)
        activity.refresh_from_db()
    taken.filter(record=None).delete()


def _of(activity: Activity, by: Employee, *, whole_conversation: bool) -> list[Activity]:
    """The activity, or of its conversation what the person may change: nobody hands on what is hidden (P9)."""
    if not whole_conversation:
        return [activity]
    mine = Activity.objects.editable_by(by).present()
    return list(mine.filter(thread=activity.thread_id).order_by("received_at", "pk"))


def _forget_unlinked(record: Record, activities: Sequence[Activity]) -> None:
    taken = Unlinked.objects.filter(account=record.account_id, record=record.pk)
    taken.filter(identity__in=[each.identity for each in activities], thread=None).delete()
    taken.filter(thread__in={each.thread_id for each in activities}).delete()


def _remember(
    activity: Activity,
    record: Record,
    identities: Sequence[str],
    *,
    whole_conversation: bool,
    by: Employee,
    now: datetime,
) -> None:
    said = {"account_id": record.account_id, "record": record, "by": by, "at": now}
    taken = [Unlinked(identity=identity, **said) for identity in identities]
    if whole_conversation:
        taken.append(Unlinked(thread_id=activity.thread_id, **said))
    Unlinked.objects.bulk_create(taken, ignore_conflicts=True)
