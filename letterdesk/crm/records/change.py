"""People change records: what stands in them, how far they have come, who is responsible."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields as names_of
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell

from ..models import Kind, Record, Stage
from ..own.said import Said
from ..own.values import all_said_at, write_own
from .fields import STAGED, Fields, checked, fields_seen, put, write_reach
from .stages import hold, may_change

REACH = ("addresses", "phones")
APART = (*REACH, "own")  # in tables of their own


class InBin(ValueError):
    """The record lies in the bin, or is gone: nothing can be changed in it."""

    def __init__(self) -> None:
        super().__init__(_("This lies in the bin. Restore it first."))


class ChangedMeanwhile(ValueError):
    """Somebody else changed the record after the person who changes it now had opened it."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this while you were writing. Look at it above; save again to replace it."))


def version_of(record: Record, own: Mapping[int, Said] | None = None) -> str:
    """What `change` would replace, as a short word: another one after every change of it.

    `own`: `all_said_at` the record, where that is known already.
    """
    said = fields_seen(record)  # by key: the reader's copy of the record may hide its company and contact from them
    values = [getattr(said, each.name) for each in names_of(said) if each.name not in {"company", "contact", "own"}]
    plain = [getattr(value, "pk", value) for value in values] + [record.company_id, record.contact_id]
    plain += [(key, each.plain) for key, each in sorted((all_said_at(record) if own is None else own).items())]
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:16]


@transaction.atomic
def change(record: Record, fields: Fields, *, by: Employee, seen: str = "") -> list[str]:
    """Write all fields of a record anew; returns the names of those that changed. Without a stage it keeps its own.

    `seen`: the `version_of` what the person saw; empty: whatever it was. Letters of a new address that are here
    already come along by a job. Raises BadRecord, InBin, and ChangedMeanwhile where somebody else wrote since.
    """
    lock(record)
    record.refresh_from_db()
    if seen and seen != version_of(record):
        raise ChangedMeanwhile
    if record.kind in STAGED and fields.stage is None:
        fields = replace(fields, stage=record.stage)
    wanted = checked(record.kind, fields, by=by)
    fixed = APART if record.kind == Kind.DEAL else (*APART, "contact")  # a lead's is what became of it: qualify.py
    own = [each.name for each in names_of(wanted) if each.name not in fixed]
    changed = [name for name in own if getattr(record, name) != getattr(wanted, name)]
    if "stage" in changed and wanted.stage is not None and not hold(wanted.stage):
        raise ChangedMeanwhile
    put(record, wanted, changed)
    changed += write_reach(record, wanted) + write_own(record, wanted.own)
    if changed:
        tell("record.changed", account=record.account, by=by, subject=record.reference, changed=changed)
    return changed


@transaction.atomic
def move_to_stage(record: Record, stage: Stage, *, by: Employee, seen: str = "") -> bool:
    """Say how far a lead or deal has come. Returns whether that is new.

    `seen`: the public id of the stage that the person saw; empty: whatever it was. Raises InBin, and ChangedMeanwhile
    where somebody else moved it since, deleted the stage, or took the right to its pipeline from this person.
    """
    lock(record)
    record.refresh_from_db()
    if not may_change(record, by):
        raise ChangedMeanwhile
    if seen and record.stage is not None and record.stage.public_id not in {seen, stage.public_id}:
        raise ChangedMeanwhile
    if record.kind not in STAGED or stage.account_id != record.account_id or stage.pipeline.kind != record.kind:
        raise ValueError(f"stage {stage.pk} is none of record {record.pk}")
    if not hold(stage):  # deleted meanwhile
        raise ChangedMeanwhile
    if not Record.objects.filter(pk=record.pk).exclude(stage=stage).update(stage=stage):
        return False
    record.refresh_from_db()
    tell("record.changed", account=record.account, by=by, subject=record.reference, changed=["stage"])
    return True


@transaction.atomic
def entrust(record: Record, to: Employee, *, by: Employee) -> bool:
    """Make somebody responsible for a record. Returns whether that is new. Raises InBin."""
    lock(record)
    if to.account_id != record.account_id:  # F10
        raise ValueError(f"employee {to.pk} is of another account")
    if not Record.objects.filter(pk=record.pk).exclude(responsible=to).update(responsible=to):
        return False
    tell("record.changed", account=record.account, by=by, subject=record.reference, changed=["responsible"])
    return True


def lock(record: Record) -> None:
    """Hold the record as it is until the end of the transaction. Raises InBin."""
    row = Record.objects.select_for_update().filter(pk=record.pk).first()
    if row is None or row.deleted_at is not None:
        raise InBin
