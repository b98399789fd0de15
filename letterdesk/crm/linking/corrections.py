"""A person says of an address where its letters belong, or do not, from now on; and takes that back.

It holds for letters that answer no conversation in CRM: replies follow theirs. For people who see the record (P9).
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.mailboxes.retention.receipts import lock

from ..models import Activity, Correction, Direction, Record
from ..records import change
from .ground import ours_of
from .identity import people_of

HERE, AWAY, NOTHING = "here", "away", "none"


def counterpart_of(activity: Activity) -> str:
    """Of whom a letter is, as corrections name them: its sender, or the first to whom we wrote. Empty: among us."""
    people, ours = people_of(activity), ours_of(activity.account_id)
    if activity.direction == Direction.INCOMING and people.sender not in ours:
        return people.sender
    return next((address for address in (*people.to, *people.others) if address not in ours), "")


@transaction.atomic
def belongs(address: str, record: Record, *, by: Employee, now: datetime) -> Correction:
    """Letters of this folded address that come from now on belong at the record. Raises InBin."""
    return _say(address, record, by=by, now=now, here=True)


@transaction.atomic
def belongs_not(address: str, record: Record, *, by: Employee, now: datetime) -> Correction:
    """Letters of this folded address that come from now on do not belong at the record. Raises InBin."""
    return _say(address, record, by=by, now=now, here=False)


@transaction.atomic
def forget(correction: Correction, *, by: Employee) -> None:
    """The rules alone decide again."""
    if Correction.objects.filter(pk=correction.pk).delete()[0]:
        tell("correction.forgotten", account=by.account, by=by, subject=correction.record.reference)


@transaction.atomic
def take_back(address: str, record: Record, *, was: str, by: Employee, now: datetime) -> None:
    """What `by` said last of this address and record is as it was before (`standing`); what others said since stays."""
    mine = Correction.objects.filter(account=record.account_id, key=address, record=record, by=by)
    for said in mine.select_related("record"):
        if was == NOTHING:
            forget(said, by=by)
        else:
            _say(address, record, by=by, now=now, here=was == HERE)


def standing(address: str, record: Record) -> str:
    """What is said of this folded address and record: HERE, AWAY or NOTHING."""
    said = Correction.objects.filter(account=record.account_id, key=address, record=record)
    return {True: HERE, False: AWAY, None: NOTHING}[said.values_list("belongs", flat=True).first()]


def said_of(address: str, employee: Employee) -> Sequence[Correction]:
    """What was said of an address, of records that the employee may see."""
    found = Correction.objects.visible_to(employee).filter(key=address, record__deleted_at=None)
    return list(found.select_related("record", "by").order_by("-belongs", "pk"))


def _say(address: str, record: Record, *, by: Employee, now: datetime, here: bool) -> Correction:
    if record.account_id != by.account_id or not address:  # F10
        raise ValueError(f"record {record.pk} is of another account than {by.account_id}")
    lock(record.account_id)
    change.lock(record)
    said, _ = Correction.objects.update_or_create(
        account_id=record.account_id, key=address, record=record, defaults={"belongs": here, "by": by, "at": now}
    )
    tell("correction.said", account=record.account, by=by, subject=record.reference, belongs=here)
    return said
