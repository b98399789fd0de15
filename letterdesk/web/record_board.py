"""Leads and deals as a board: a column for each stage, cards moved by mouse, menu or keys."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from letterdesk.crm.lists import RecordFilter, board_of
from letterdesk.crm.models import Stage
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


def board_facts(request: Request, wanted: RecordFilter, stages: list[Stage]) -> dict[str, Any]:
    """The columns of a board, those cards of each first that were active last."""
    found = board_of(request.employee, wanted, most=MOST + 1)
    columns = {stage.pk: Column(stage) for stage in stages}
    for record in found[:MOST]:
        if column := columns.get(record.stage_id):
            column.cards.append(record)
            if record.amount is not None:
                column.sums[record.currency] += record.amount
    return {"columns": list(columns.values()), "is_cut": len(found) > MOST, "most": MOST}
