"""Administrators make pipelines of deals, say what their stages are, and for whom they are.

A stage or a pipeline in which something stands, in the bin too, goes only when that is moved to another stage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Department, Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock

from ..models import Kind, Pipeline, PipelineGrant, Record, Stage
from .stages import ending_stage, stages_to_begin_with

LONGEST_NAME = 100
MOST_PIPELINES = 50
MOST_STAGES = 50


class BadPipeline(ValueError):
    """This cannot be a pipeline; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class StageSaid:
    """A stage as it is wanted; `stage` None: a new one. An outcome ends what comes there."""

    name: str
    outcome: str = ""
    stage: Stage | None = None


@transaction.atomic
def make_pipeline(name: str, *, by: Employee) -> Pipeline:
    """Another pipeline of deals, behind the others, with the stages that one begins with. Raises BadPipeline."""
    must_administrate(by, by.account_id)
    lock(by.account_id)
    there = Pipeline.objects.filter(account=by.account_id, kind=Kind.DEAL)
    if there.count() >= MOST_PIPELINES:
        raise BadPipeline(_("There are %(most)d pipelines at most.") % {"most": MOST_PIPELINES})
    last = there.aggregate(last=Max("position"))["last"]
    made = Pipeline(account=by.account, kind=Kind.DEAL, position=0 if last is None else last + 1)
    made.name = _free_name(made, name)
    made.save(force_insert=True)
    _write(made, [StageSaid(title, outcome) for title, outcome in stages_to_begin_with(Kind.DEAL)])
    _tell("pipeline.created", made, by)
    return made


@transaction.atomic
def rename_pipeline(pipeline: Pipeline, name: str, *, by: Employee) -> None:
    """Call it otherwise. Raises BadPipeline."""
    must_administrate(by, pipeline.account_id)
    lock(pipeline.account_id)  # of two at once the second sees the name of the first
    pipeline.name = _free_name(pipeline, name)
    pipeline.save(update_fields=["name"])
    _tell("pipeline.changed", pipeline, by, changed=["name"])


@transaction.atomic
def move_up(pipeline: Pipeline, *, by: Employee) -> None:
    """One place further to the front; in the first one new deals begin."""
    must_administrate(by, pipeline.account_id)
    lock(pipeline.account_id)
    same = Pipeline.objects.filter(account=pipeline.account_id, kind=pipeline.kind).order_by("position", "pk")
    order = list(same.values_list("pk", flat=True))
    place = order.index(pipeline.pk)
    order.insert(max(place - 1, 0), order.pop(place))
    for position, pk in enumerate(order):
        Pipeline.objects.filter(pk=pk).update(position=position)
    _tell("pipeline.changed", pipeline, by, changed=["position"])


@transaction.atomic
def write_stages(pipeline: Pipeline, wanted: Sequence[StageSaid], *, by: Employee) -> None:
    """Names, outcomes and order of all its stages; those that are not named come behind them. Raises BadPipeline."""
    must_administrate(by, pipeline.account_id)
    lock(pipeline.account_id)
    named = {said.stage.pk for said in wanted if said.stage is not None}
    if Stage.objects.filter(pk__in=named).exclude(pipeline=pipeline).exists():  # F10
        raise ValueError(f"a stage is not of pipeline {pipeline.pk}")
    rest = Stage.objects.filter(pipeline=pipeline).exclude(pk__in=named).order_by("position", "pk")
    _write(pipeline, [*wanted, *(StageSaid(each.name, each.outcome, each) for each in rest)])
    _tell("pipeline.changed", pipeline, by, changed=["stages"])


@transaction.atomic
def delete_stage(stage: Stage, *, by: Employee, to: Stage | None = None) -> int:
    """Delete it; what stands in it goes `to` another of its pipeline. Returns how many. Raises BadPipeline."""
    must_administrate(by, stage.account_id)
    lock(stage.account_id)
    if to is not None and (to.pipeline_id != stage.pipeline_id or to.pk == stage.pk):
        raise ValueError(f"stage {to.pk} is no other one of pipeline {stage.pipeline_id}")
    left = Stage.objects.filter(pipeline=stage.pipeline_id).exclude(pk=stage.pk)
    _must_keep(stage.pipeline.kind, set(left.values_list("outcome", flat=True)))
    _hold_stages(stage.pipeline)
    count = _move_all(Record.objects.filter(stage=stage), to)
    _tell("pipeline.changed", stage.pipeline, by, changed=["stages"], moved=count)
    Stage.objects.filter(pk=stage.pk).delete()
    return count


@transaction.atomic
def delete_pipeline(pipeline: Pipeline, *, by: Employee, to: Stage | None = None) -> int:
    """Delete it; its open deals go `to` an open stage of another one, won and lost ones to that one's stages for them.

    Returns how many that were. Raises BadPipeline.
    """
    must_administrate(by, pipeline.account_id)
    lock(pipeline.account_id)
    others = Pipeline.objects.filter(account=pipeline.account_id, kind=pipeline.kind).exclude(pk=pipeline.pk)
    if not others.exists():
        raise BadPipeline(_("One pipeline has to stay."))
    if to is not None and not others.filter(pk=to.pipeline_id).exists():  # F10
        raise ValueError(f"stage {to.pk} is of no other pipeline than {pipeline.pk}")
    if to is not None and to.outcome:
        raise ValueError(f"stage {to.pk} is not open")
    _hold_stages(pipeline)
    ways = (("open", Stage.Outcome.OPEN), ("won", Stage.Outcome.WON), ("lost", Stage.Outcome.LOST))
    moved = {name: _move_of_outcome(pipeline, to, outcome) for name, outcome in ways}
    count = sum(moved.values())
    _tell("pipeline.deleted", pipeline, by, name=pipeline.name, moved=count, **moved)
    reach("pipeline_delete.before_commit")
    Pipeline.objects.filter(pk=pipeline.pk).delete()
    return count


@transaction.atomic
def write_access(
    pipeline: Pipeline, everyone: str, chosen: Sequence[tuple[Employee | Department, bool]], *, by: Employee
) -> None:
    """What everyone may do in it, and who is chosen for it, each with whether they change what is there.

    Raises BadPipeline.
    """
    must_administrate(by, pipeline.account_id)
    lock(pipeline.account_id)
    if any(each.account_id != pipeline.account_id for each, _may in chosen):  # F10
        raise ValueError(f"somebody chosen is of another account than pipeline {pipeline.pk}")
    if everyone == Pipeline.Everyone.NOTHING and not any(may_change for _each, may_change in chosen):
        raise BadPipeline(_("Choose at least one person or department to change what is in it."))
    Pipeline.objects.filter(pk=pipeline.pk).update(everyone=Pipeline.Everyone(everyone).value)
    PipelineGrant.objects.filter(pipeline=pipeline).delete()
    PipelineGrant.objects.bulk_create(
        PipelineGrant(
            account_id=pipeline.account_id, pipeline=pipeline, may_change=may_change,
            **{"employee" if isinstance(each, Employee) else "department": each},
        )
        for each, may_change in chosen
    )  # fmt: skip
    _tell("pipeline.changed", pipeline, by, changed=["access"], everyone=everyone, chosen=len(chosen))
    pipeline.refresh_from_db()


def _hold_stages(pipeline: Pipeline) -> None:
    """Wait for whoever moves something into one of its stages, and let nobody begin to (`change.move_to_stage`)."""
    list(Stage.objects.select_for_update().filter(pipeline=pipeline).order_by("pk"))


def _must_keep(kind: str, outcomes: set[str]) -> None:
    if Stage.Outcome.OPEN not in outcomes:
        raise BadPipeline(_("One open stage has to stay."))
    if kind == Kind.LEAD and Stage.Outcome.WON not in outcomes:
        raise BadPipeline(_("One stage for won leads has to stay: there a lead goes when it is qualified."))


def _move_of_outcome(pipeline: Pipeline, to: Stage | None, outcome: str) -> int:
    """What is won stays won, and what is lost lost, in the pipeline of `to`. Returns how many were moved."""
    records = Record.objects.filter(stage__pipeline=pipeline, stage__outcome=outcome)
    there = ending_stage(to, outcome) if to and outcome else to
    if there is not None and there.outcome != outcome and records.exists():
        raise BadPipeline(_("The other pipeline has no stage for won or for lost deals. Give it one first."))
    return _move_all(records, there)


def _move_all(records: QuerySet[Any], to: Stage | None) -> int:
    count: int = records.count()
    if count and to is None:
        raise BadPipeline(_("Something stands in it, perhaps in the bin. Say to which stage that goes."))
    if to is not None:
        records.update(stage=to)
    return count


def _write(pipeline: Pipeline, wanted: Sequence[StageSaid]) -> None:
    names = [_clean(said.name) for said in wanted]
    if len({name.casefold() for name in names}) < len(names):
        raise BadPipeline(_("Two stages have the same name."))
    if len(names) > MOST_STAGES:
        raise BadPipeline(_("A pipeline has at most %(most)d stages.") % {"most": MOST_STAGES})
    _must_keep(pipeline.kind, {said.outcome for said in wanted})
    for said in wanted:
        if said.stage is not None:  # two may take each other's name
            Stage.objects.filter(pk=said.stage.pk).update(name=said.stage.public_id)
    for position, (said, name) in enumerate(zip(wanted, names, strict=True)):
        values = {"name": name, "position": position, "outcome": Stage.Outcome(said.outcome).value}
        if said.stage is None:
            Stage.objects.create(account_id=pipeline.account_id, pipeline=pipeline, **values)
        else:
            Stage.objects.filter(pk=said.stage.pk).update(**values)


def _clean(name: str) -> str:
    clean = " ".join(name.replace("\0", " ").split())
    if not clean or len(clean) > LONGEST_NAME:
        raise BadPipeline(_("A name has 1 to %(most)d characters.") % {"most": LONGEST_NAME})
    return clean


def _free_name(pipeline: Pipeline, name: str) -> str:
    clean = _clean(name)
    same = Pipeline.objects.filter(account=pipeline.account_id, kind=pipeline.kind, name__iexact=clean)
    if same.exclude(pk=pipeline.pk).exists():
        raise BadPipeline(_("There is a pipeline “%(name)s” already.") % {"name": clean})
    return clean


def _tell(kind: str, pipeline: Pipeline, by: Employee, **facts: Any) -> None:
    tell(kind, account=by.account, by=by, subject=f"pipeline:{pipeline.public_id}", **facts)
