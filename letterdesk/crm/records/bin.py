"""Records go into CRM's bin with the activities that stand nowhere else, come back with them, or go for good (R8).

Only a person ends an activity, and 30 days lie between: a record that is deleted for good earlier leaves its last
activities in the bin until their own 30 days are over. Nothing of this touches a letter in Webmail or on a server.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.mailboxes.retention.sweep import clock_is_in_doubt

from ..access import KEPT
from ..activities.forget import forget_activities, forget_threads
from ..models import Activity, Binding, Note, Record, Unlinked
from .change import InBin

AT_ONCE = 200


class NotInBin(LookupError):
    """It is not in the bin any more, or its 30 days are over."""

    def __init__(self) -> None:
        super().__init__(_("This is not in the bin any more."))


@dataclass(frozen=True, slots=True)
class Consequences:
    """What deleting a record takes along, for the warning: activities that stand nowhere else, those that do, notes."""

    going: int
    staying: int
    notes: int  # and calls


def consequences(records: Collection[int]) -> Consequences:
    """How many activities and notes go into the bin with these records, and how many activities stay at others (R8)."""
    keys = list(records)
    # From the records to their activities: the other way round each activity of the account asks for 5,000 keys.
    here = Activity.objects.present().filter(pk__in=Binding.objects.filter(record__in=keys).values("activity"))
    staying = here.filter(Exists(_present_bindings().exclude(record__in=keys))).count()
    notes = Note.objects.present().filter(record__in=keys).count()
    return Consequences(going=here.count() - staying, staying=staying, notes=notes)


@transaction.atomic
def delete(record: Record, *, by: Employee, now: datetime) -> int:
    """Put a record into the bin with the activities that stand nowhere else. Returns how many. Raises InBin."""
    lock(record.account_id)
    if not Record.objects.filter(pk=record.pk, deleted_at=None).update(deleted_at=now, deleted_by=by):
        raise InBin
    count = settle(_standing_at(record), by=by, now=now)
    tell("record.deleted", account=record.account, by=by, subject=record.reference, activities=count)
    reach("record_delete.before_commit")
    record.refresh_from_db()
    return count


@transaction.atomic
def restore(record: Record, *, by: Employee, now: datetime) -> int:
    """Bring a record back, and the activities that went along. Returns how many. Raises NotInBin."""
    lock(record.account_id)
    if not Record.objects.in_bin(now).filter(pk=record.pk).update(deleted_at=None, deleted_by=None, merged_into=None):
        raise NotInBin
    count = settle(_standing_at(record), by=by, now=now)
    tell("record.restored", account=record.account, by=by, subject=record.reference, activities=count)
    record.refresh_from_db()
    return count


@transaction.atomic
def purge(record: Record, *, by: Employee | None, now: datetime) -> int:
    """Remove a record in the bin for good. Its last activities go, too, when their 30 days are over (R8).

    Returns how many activities went with it now. Raises NotInBin.
    """
    lock(record.account_id)
    if not Record.objects.filter(pk=record.pk, deleted_at__isnull=False).exists():
        raise NotInBin
    alone = Activity.objects.filter(pk__in=_standing_at(record)).exclude(bindings__in=_bindings_elsewhere(record))
    over = list(alone.filter(deleted_at__lte=now - KEPT).values_list("pk", flat=True))
    forget_activities(record.account_id, over, by=by, now=now)
    settle(_standing_at(record), by=by, now=now)  # what came to it while it lay there
    tell("record.purged", account=record.account, by=by, subject=record.reference, activities=len(over))
    taken = list(Unlinked.objects.filter(record=record.pk).exclude(thread=None).values_list("thread_id", flat=True))
    Record.objects.filter(pk=record.pk).delete()
    forget_threads(taken)
    reach("record_purge.before_commit")
    return len(over)


def purge_due(*, now: datetime) -> int:
    """Remove what has lain in CRM's bin for 30 days; returns how much. Nothing while the clock is in doubt (F11)."""
    if clock_is_in_doubt(now):
        return 0
    done = Note.objects.over(now).delete()[0]
    while gone := _purge_activities(now):
        done += gone
    for record in Record.objects.filter(deleted_at__lte=now - KEPT).select_related("account").order_by("deleted_at"):
        try:
            purge(record, by=None, now=now)
        except NotInBin:
            continue  # another scheduler was quicker
        done += 1
    return done


@transaction.atomic
def _purge_activities(now: datetime) -> int:
    """Some of one account."""
    stands_again = Q(Exists(_present_bindings()), went_along=True)  # whatever bound it: a copy too many is no loss
    due = Activity.objects.filter(~stands_again, deleted_at__lte=now - KEPT).order_by("deleted_at")
    first = due.first()
    if first is None:
        return 0
    lock(first.account_id)
    ids = list(due.filter(account=first.account_id).values_list("pk", flat=True)[:AT_ONCE])
    forget_activities(first.account_id, ids, by=None, now=now)
    return len(ids)


def settle(activity_ids: Collection[int], *, by: Employee | None, now: datetime) -> int:
    """Put those of these activities into the bin that stand at no record outside it, and take out those that do again.

    What a person deleted by itself stays where it is. Returns how many went in or came out. The account is locked.
    """
    alone = Activity.objects.filter(~Exists(_present_bindings()), pk__in=list(activity_ids), deleted_at=None)
    went = alone.update(deleted_at=now, deleted_by=by, went_along=True)
    return went + let_out(activity_ids)


def let_out(activity_ids: Collection[int]) -> int:
    """Take out of the bin what went along with a record and stands at one outside it again. Returns how many."""
    these = Activity.objects.filter(pk__in=list(activity_ids), deleted_at__isnull=False, went_along=True)
    return these.filter(Exists(_present_bindings())).update(deleted_at=None, deleted_by=None, went_along=False)


def _present_bindings() -> QuerySet[Binding]:
    bindings: QuerySet[Binding] = Binding.objects.filter(activity=OuterRef("pk"), record__deleted_at=None)
    return bindings


def _standing_at(record: Record) -> list[int]:
    return list(Binding.objects.filter(record=record.pk).values_list("activity_id", flat=True))


def _bindings_elsewhere(record: Record) -> QuerySet[Binding]:
    mine = Binding.objects.filter(record=record.pk).values("activity")
    elsewhere: QuerySet[Binding] = Binding.objects.filter(activity__in=mine).exclude(record=record.pk)
    return elsewhere
