"""One change of many records: chosen in a list, told before it is made, made in pieces, taken back as one.

Each record is changed by itself, in a transaction of its own, by the functions that change one: as far as whoever asked
may change it at that moment (P9). What could not be changed is counted. After a crash it goes on from there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.labels import BadLabel
from letterdesk.mailboxes.retention.receipts import lock

from ..models import ChangeOfMany, Label, OneOfMany, Record, Stage
from .bin import NotInBin, delete, restore
from .change import ChangedMeanwhile, InBin, entrust, move_to_stage
from .fields import STAGED
from .labels import give, make_label, take
from .lists import RecordFilter, keys_of
from .stages import may_use

MOST = 5000  # records of one change
AT_ONCE = 50  # in a piece; so many are changed while one waits
KEPT = timedelta(days=30)
REFUSALS = (InBin, NotInBin, ChangedMeanwhile, BadLabel)
What, State = ChangeOfMany.What, OneOfMany.State


class NotSo(ValueError):
    """These records cannot be changed so; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which records a change would reach, in the list's order; how many of the list's the reader may only look at,
    and whether the list has more than `MOST`."""

    keys: tuple[int, ...]
    only_seen: int
    is_cut: bool

    @property
    def version(self) -> str:
        """Another word for other records: who says what is to become of them has seen these."""
        return hashlib.sha256(repr(sorted(self.keys)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of them; the caller found person, label and stage among what `by` may use.

    `label`: the name of one to add, made where there is none; a `Label` to take off.
    """

    what: str
    responsible: Employee | None = None
    label: str | Label = ""
    stage: Stage | None = None


def choose(employee: Employee, wanted: RecordFilter, ids: Sequence[str] | None = None) -> Chosen:
    """All records of a list, or of its kind those with these public ids."""
    if ids is None:
        found = keys_of(employee, wanted, most=MOST + 1)
    else:
        seen = Record.objects.visible_to(employee).present().filter(kind=wanted.kind, public_id__in=ids[:MOST])
        found = list(seen.order_by("-active_at", "-pk").values_list("pk", flat=True))
    reached = found[:MOST]
    may = set(Record.objects.editable_by(employee).filter(pk__in=reached).values_list("pk", flat=True))
    keys = tuple(pk for pk in reached if pk in may)
    return Chosen(keys, only_seen=len(reached) - len(keys), is_cut=len(found) > MOST)


@transaction.atomic
def begin(wish: Wish, keys: Sequence[int], *, kind: str, by: Employee) -> ChangeOfMany:
    """Write down what is to become of these records; `work` does it. Raises NotSo, BadLabel."""
    label = make_label(by.account, str(wish.label)) if wish.what == What.LABEL else wish.label
    target = {What.RESPONSIBLE: wish.responsible, What.STAGE: wish.stage, What.BIN: by}.get(What(wish.what), label)
    if not keys or not target:
        raise NotSo(_("Say what is to become of them."))
    if wish.stage is not None and (kind not in STAGED or wish.stage.pipeline.kind != kind):
        raise ValueError(f"stage {wish.stage.pk} is none of a {kind}")
    made: ChangeOfMany = ChangeOfMany.objects.create(
        account=by.account, by=by, kind=kind, what=wish.what, total=len(keys), responsible=wish.responsible,
        label=label if isinstance(label, Label) else None, stage=wish.stage,
        said="" if wish.what == What.BIN else str(target),
    )  # fmt: skip
    rows = [OneOfMany(account_id=by.account_id, change=made, record_id=pk) for pk in keys]
    OneOfMany.objects.bulk_create(rows, batch_size=500)
    return made


def work(change_id: int, *, now: datetime) -> bool:
    """Change some of its records, or put some back where it was taken back; returns whether there may be more."""
    named = ("account", "by__account", "responsible", "label", "stage__pipeline")
    change = ChangeOfMany.objects.select_related(*named).filter(pk=change_id, is_over=False).first()
    if change is None:
        return False
    is_back = change.undone_at is not None
    due = OneOfMany.objects.filter(change=change, state=State.DONE if is_back else State.WAITING).order_by("pk")
    keys = list(due.values_list("pk", flat=True)[:AT_ONCE])
    for pk in keys:
        _one(change, pk, is_back=is_back, now=now)
    if not keys:  # unless somebody takes it back this moment
        ChangeOfMany.objects.filter(pk=change.pk, undone_at=change.undone_at).update(is_over=True)
    return bool(keys)


def undo(change: ChangeOfMany, *, now: datetime) -> bool:
    """Have it put back, what is not done yet left alone; `work` does it. Returns whether that is new."""
    there = ChangeOfMany.objects.filter(pk=change.pk, undone_at=None)
    return bool(there.update(undone_at=now, is_over=False))


def became(change: ChangeOfMany) -> dict[str, int]:
    """How many of its records are in which state."""
    counted = OneOfMany.objects.filter(change=change).order_by().values_list("state").annotate(number=Count("pk"))
    return {str(state): 0 for state in State} | dict(counted)


def forget_old(*, now: datetime) -> int:
    """Changes that can no longer be taken back are forgotten, not what they did. Returns how many."""
    old = ChangeOfMany.objects.filter(at__lte=now - KEPT, is_over=True)
    count = old.count()
    old.delete()
    return count


@transaction.atomic
def _one(change: ChangeOfMany, pk: int, *, is_back: bool, now: datetime) -> None:
    if change.what == What.BIN:
        lock(change.account_id)  # before the row, as whoever purges
    asked = ChangeOfMany.objects.select_for_update(no_key=True).filter(pk=change.pk, undone_at=change.undone_at)
    if asked.first() is None:
        return  # it was taken back this moment; who does that waits for what is under way
    rows = OneOfMany.objects.select_for_update().filter(state=State.DONE if is_back else State.WAITING)
    row = rows.filter(pk=pk).first()
    if row is None:
        return  # another worker was quicker
    may = Record.objects.editable_by(change.by).select_related("account", "stage__pipeline", "responsible")
    record = may.filter(pk=row.record_id).first()
    try:
        with transaction.atomic():
            if is_back:
                row.state = State.BACK if record and _back(change, record, row, now) else State.STAYS
            else:
                row.state = _done(change, record, row, now) if record else State.REFUSED
    except REFUSALS:
        row.state = State.STAYS if is_back else State.REFUSED
    row.save(update_fields=["state", "was"])
    reach("crm_many.before_commit")


def _done(change: ChangeOfMany, record: Record, row: OneOfMany, now: datetime) -> str:
    by, is_new = change.by, True
    match change.what:
        case What.RESPONSIBLE if change.responsible and _is_here(change.responsible):
            row.was = record.responsible_id
            is_new = entrust(record, change.responsible, by=by)
        case What.LABEL if change.label:
            is_new = bool(give(record, [change.label.name], by=by))
        case What.UNLABEL if change.label:
            is_new = take(record, change.label, by=by)
        case What.STAGE if change.stage and may_use(change.stage.pipeline, by):
            row.was = record.stage_id
            is_new = move_to_stage(record, change.stage, by=by)
        case What.BIN:
            delete(record, by=by, now=now)
        case _:  # the person left, the label or the stage was deleted
            return State.REFUSED
    return State.DONE if is_new else State.SAME


def _back(change: ChangeOfMany, record: Record, row: OneOfMany, now: datetime) -> bool:
    """Put one back as it was, where nobody went on from there; returns whether it is."""
    by = change.by
    match change.what:
        case What.RESPONSIBLE if record.responsible_id == change.responsible_id:
            before = Employee.objects.filter(pk=row.was, account=change.account_id).first()
            return before is not None and _is_here(before) and entrust(record, before, by=by)
        case What.LABEL if change.label:
            return take(record, change.label, by=by)
        case What.UNLABEL if change.label:
            return bool(give(record, [change.label.name], by=by))
        case What.STAGE if record.stage_id == change.stage_id:
            stage = Stage.objects.select_related("pipeline").filter(pk=row.was, account=change.account_id).first()
            return stage is not None and may_use(stage.pipeline, by) and move_to_stage(record, stage, by=by)
        case What.BIN if record.deleted_by_id == by.pk:
            restore(record, by=by, now=now)
            return True
    return False


def _is_here(person: Employee) -> bool:
    return person.is_active and person.dismissed_at is None
