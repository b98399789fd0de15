"""The ways of leads and deals, stage by stage; an account gets its first ones when it first needs them."""

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.receipts import lock

from .models import Kind, Pipeline, Stage

Outcome = Stage.Outcome


def stages_of(account: Account, kind: str) -> list[Stage]:
    """The stages of leads or of deals, in their order; the first pipeline's first."""
    _make_the_first(account, kind)
    return list(Stage.objects.filter(account=account).of_kind(kind).select_related("pipeline"))


def first_stage(account: Account, kind: str) -> Stage:
    """Where a new lead or deal begins."""
    return stages_of(account, kind)[0]


def ending_stage(stage: Stage, outcome: str) -> Stage:
    """The stage of the same pipeline that ends it so; the stage itself where the pipeline has none."""
    ending = Stage.objects.filter(pipeline=stage.pipeline_id, outcome=outcome).order_by("position", "pk").first()
    return ending or stage


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
