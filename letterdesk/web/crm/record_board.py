"""Leads and deals as a board: a column for each stage, cards moved by mouse, menu or keys."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from letterdesk.crm.models import OwnField, Stage
from letterdesk.crm.own.values import load_own, shown_at
from letterdesk.crm.records.lists import RecordFilter, board_of
from letterdesk.crm.records.stages import may_use, pipelines_among
from letterdesk.web.request import Request

MOST = 300  # cards on a board


@dataclass(slots=True)
class Column:
    """A stage with its cards, and what they amount to by currency."""

    stage: Stage
    cards: list[Any] = field(default_factory=list)
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def amounts(self) -> list[tuple[Decimal, str]]:
        return [(amount, currency) for currency, amount in sorted(self.sums.items())]


def board_facts(request: Request, wanted: RecordFilter, stages: list[Stage], own: list[OwnField]) -> dict[str, Any]:
    """The columns of a pipeline's board, those cards of each first that were active last; the first one's unasked."""
    pipelines = pipelines_among(stages)
    shown = next((each for each in pipelines if each.public_id == wanted.pipeline), next(iter(pipelines), None))
    if shown is None:  # every one is closed to the reader
        return {"columns": [], "is_cut": False, "most": MOST, "may_move": False, "shown_pipeline": None}
    found = board_of(request.employee, replace(wanted, pipeline=shown.public_id), most=MOST + 1)
    columns = {stage.pk: Column(stage) for stage in stages if stage.pipeline_id == shown.pk}
    for record in _with_own(found[:MOST], [each for each in own if each.is_on_card]):
        if column := columns.get(record.stage_id):
            column.cards.append(record)
            if record.amount is not None:
                column.sums[record.currency] += record.amount
    return {"columns": list(columns.values()), "is_cut": len(found) > MOST, "most": MOST,
            "may_move": may_use(shown, request.employee), "shown_pipeline": shown}  # fmt: skip


def _with_own(records: list[Any], fields: list[OwnField]) -> list[Any]:
    """Each record with what those fields say that cards show, as `on_card`; one query for all."""
    load_own(records, fields)
    for record in records:
        record.on_card = shown_at(record, fields)
    return records
