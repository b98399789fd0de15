"""Lists of records narrowed by what their own fields say."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef

from ..models import OwnField, OwnType, OwnValue


@dataclass(frozen=True, slots=True)
class OwnFilter:
    """What a field has to say. `option`: a public id, of yes or no "yes" or "no"; "none": it says nothing."""

    field: OwnField
    words: str = ""
    option: str = ""
    least: Decimal | date | None = None
    most: Decimal | date | None = None


def narrowed(records: Any, wanted: OwnFilter) -> Any:
    """Those of the records at which the field says so."""
    rows = OwnValue.objects.filter(record=OuterRef("pk"), field=wanted.field.pk)
    if wanted.option == "none":
        return records.filter(~Exists(rows))
    if wanted.words:
        rows = rows.filter(text__iregex=re.escape(wanted.words))  # LIKE of SQLite folds ASCII alone
    if wanted.option:
        is_said = {"is_true": wanted.option == "yes"}
        chosen = {"option__public_id": wanted.option}
        rows = rows.filter(**(is_said if wanted.field.type == OwnType.YES_NO else chosen))
    column = "day" if wanted.field.type == OwnType.DATE else "number"
    if wanted.least is not None:
        rows = rows.filter(**{f"{column}__gte": wanted.least})
    if wanted.most is not None:
        rows = rows.filter(**{f"{column}__lte": wanted.most})
    return records.filter(Exists(rows))
