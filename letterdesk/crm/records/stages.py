"""The ways of leads and deals, stage by stage; an account gets its first ones when it first needs them."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.mailboxes.retention.receipts import lock

from ..access import closed_pipelines
from ..models import Kind, Pipeline, Record, Stage

Outcome = Stage.Outcome


def stages_of(account: Account, kind: str) -> list[Stage]:
    """The stages of leads or of deals, in their order; the first pipeline's first."""
    stages = Stage.objects.filter(account=account).of_kind(kind).select_related("pipeline")
    if found := list(stages):
        return found
    _make_the_first(account, kind)
    return list(stages.all())


def stages_for(employee: Employee, kind: str, *, to_change: bool = False) -> list[Stage]:
    """Those of them in which the employee may see leads or deals, or change them."""
    closed = closed_pipelines(employee, to_change=to_change)
    stages = Stage.objects.filter(account=employee.account_id).of_kind(kind).select_related("pipeline")
    found = list(stages.filter(~Q(pipeline__in=closed)))
    if not found and stages_of(employee.account, kind):  # perhaps these are the account's first ones
        found = list(stages.filter(~Q(pipeline__in=closed)))
    return found


def pipelines_among(stages: list[Stage]) -> list[Pipeline]:
    """The pipelines of these stages, in their order."""
    return list({stage.pipeline_id: stage.pipeline for stage in stages}.values())


def may_use(pipeline: Pipeline, employee: Employee) -> bool:
    """Whether the employee may change what is in a pipeline, as far as their sight goes."""
    if pipeline.everyone == Pipeline.Everyone.CHANGE:
        return True
    return Pipeline.objects.usable_by(employee).filter(pk=pipeline.pk).exists()


def usable(pipelines: Iterable[Pipeline], employee: Employee) -> set[int]:
    """Keys of those in which the employee may change what they see; a query only where one is not everyone's."""
    here = list(pipelines)
    of_some = [each.pk for each in here if each.everyone != Pipeline.Everyone.CHANGE]
    mine = Pipeline.objects.usable_by(employee).filter(pk__in=of_some).values_list("pk", flat=True) if of_some else ()
    return {each.pk for each in here if each.pk not in of_some}.union(mine)


def may_change(record: Record, employee: Employee) -> bool:
    """Whether the employee, who sees the record, may change it: as its pipeline says."""
    return record.stage is None or may_use(record.stage.pipeline, employee)


def first_stage(account: Account, kind: str, *, pipeline: int | None = None) -> Stage:
    """Where a new lead or deal begins: in the pipeline of this key, if it is one of that kind, else in the first."""
    stages = stages_of(account, kind)
    return next((stage for stage in stages if stage.pipeline_id == pipeline), stages[0])


def hold(stage: Stage) -> bool:
    """Keep a stage from being deleted until the transaction ends; returns whether it is still there."""
    return Stage.objects.select_for_update(no_key=True).filter(pk=stage.pk).first() is not None


def ending_stage(stage: Stage, outcome: str) -> Stage:
    """The stage of the same pipeline that ends it so; the stage itself where the pipeline has none."""
    ending = Stage.objects.filter(pipeline=stage.pipeline_id, outcome=outcome).order_by("position", "pk").first()
    return ending or stage


def stages_to_begin_with(kind: str) -> list[tuple[str, str]]:
    """Names and outcomes of the stages that a new pipeline has."""
    return _first(kind)[1]


def _make_the_first(account: Account, kind: str) -> None:
    if Pipeline.objects.filter(account=account, kind=kind).exists():
        return
    with transaction.atomic():
        lock(account.pk)  # of two at once the second finds what the first has made
        if Pipeline.objects.filter(account=account, kind=kind).exists():
            return
        name, stages = _first(kind)
        pipeline = Pipeline.objects.create(account=account, kind=kind, name=name)
        Stage.objects.bulk_create(
            Stage(account=account, pipeline=pipeline, name=name, position=position, outcome=outcome)
            for position, (name, outcome) in enumerate(stages)
        )


def _first(kind: str) -> tuple[str, list[tuple[str, str]]]:
    if kind == Kind.LEAD:
        return _("Leads"), [
            (_("New"), Outcome.OPEN),
            (_("In work"), Outcome.OPEN),
            (_("Qualified"), Outcome.WON),
            (_("Rejected"), Outcome.LOST),
        ]
    return _("Deals"), [
        (_("New"), Outcome.OPEN),
        (_("Proposal"), Outcome.OPEN),
        (_("Negotiation"), Outcome.OPEN),
        (_("Won"), Outcome.WON),
        (_("Lost"), Outcome.LOST),
    ]
