"""A person deletes an activity: into CRM's bin for 30 days, from where it comes back or goes for good (R8).

Where it also stands at a record that the person may not change, it stays there, and is taken away from theirs alone.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock

from ..models import Activity, Binding, Record, Unlinked
from ..records.bin import NotInBin
from ..records.change import InBin


class NoRecord(ValueError):
    """The records at which the activity stood are gone or in the bin: it has no place to come back to."""

    def __init__(self) -> None:
        super().__init__(
            _("The record of this letter is not there any more. Restore that, or link the letter elsewhere.")
        )


@transaction.atomic
def delete_activity(activity: Activity, *, by: Employee, now: datetime) -> bool:
    """Put an activity into the bin; nothing links its letter again meanwhile. Raises InBin.

    Returns whether it lies there now: where `stays_elsewhere`, it is taken away from the person's records instead.
    """
    lock(activity.account_id)
    if stays_elsewhere(activity, by):
        _take_away_from_theirs(activity, by=by, now=now)
        return False
    found = Activity.objects.filter(pk=activity.pk, deleted_at=None)
    if not found.update(deleted_at=now, deleted_by=by, went_along=False):
        raise InBin
    Unlinked.objects.get_or_create(
        account_id=activity.account_id, identity=activity.identity, thread=None, record=None,
        defaults={"by": by, "at": now},
    )  # fmt: skip
    tell("activity.deleted", account=activity.account, by=by, subject=activity.reference)
    reach("activity_delete.before_commit")
    activity.refresh_from_db()
    return True


def stays_elsewhere(activity: Activity, employee: Employee) -> bool:
    """Whether it stands at a record outside the bin that the employee may not change."""
    theirs = Binding.objects.editable_by(employee).filter(activity=activity.pk)
    present = Binding.objects.present().filter(activity=activity.pk)
    return present.exclude(pk__in=theirs.values("pk")).exists()


def _take_away_from_theirs(activity: Activity, *, by: Employee, now: datetime) -> None:
    theirs = Binding.objects.editable_by(by).filter(activity=activity.pk)
    records = list(Record.objects.filter(pk__in=theirs.values("record")))
    Unlinked.objects.bulk_create(
        [
            Unlinked(account_id=activity.account_id, identity=activity.identity, record=each, by=by, at=now)
            for each in records
        ],
        ignore_conflicts=True,
    )
    Binding.objects.filter(activity=activity.pk, record__in=records).delete()
    for each in records:
        tell("activity.unlinked", account=activity.account, by=by, subject=each.reference, letters=1, binned=0)


@transaction.atomic
def restore_activity(activity: Activity, *, by: Employee, now: datetime) -> None:
    """Bring it back to the records at which it stood. Raises NotInBin, and NoRecord where none of them is left."""
    lock(activity.account_id)
    if not Binding.objects.filter(activity=activity.pk, record__deleted_at=None).exists():
        raise NoRecord
    if not Activity.objects.in_bin(now).filter(pk=activity.pk).exists():
        raise NotInBin
    take_out(activity)
    tell("activity.restored", account=activity.account, by=by, subject=activity.reference)
    activity.refresh_from_db()


def take_out(activity: Activity) -> None:
    """Out of the bin, as long as no purge was there, and what was remembered against it forgotten. Account locked."""
    Activity.objects.filter(pk=activity.pk).update(deleted_at=None, deleted_by=None, went_along=False)
    forgotten = Unlinked.objects.filter(account=activity.account_id)
    standing = Binding.objects.filter(activity=activity.pk).values("record")
    forgotten.filter(identity=activity.identity, thread=None, record=None).delete()
    forgotten.filter(identity=activity.identity, thread=None, record__in=standing).delete()
    forgotten.filter(thread=activity.thread_id, record__in=standing).delete()
