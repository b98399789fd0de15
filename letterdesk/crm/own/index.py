"""What own fields say can be found by CRM's search: at once where one writes, by a job where a field or option goes."""

from collections.abc import Iterable

from django.db import transaction

from ..models import OwnField, OwnType, Record
from ..records.fields import fields_of, fields_seen
from ..search.index import index_record, index_records

AT_ONCE = 500
UNFOUND = OwnType.YES_NO  # says nothing without the field


def index_own(record: Record, changed: Iterable[OwnField]) -> None:
    """The record is found by what these fields say now. In the transaction that wrote them."""
    if any(field.type != UNFOUND for field in changed):
        index_record(record, fields_of(record))


@transaction.atomic
def index_piece(account_id: int, kind: str, *, after: int = 0) -> int:
    """Records of a kind are found by what their own fields say, after a field or an option became another or went.

    `after`: the key of the last one that was done. Returns the same for the next piece; 0: there is none.
    """
    held = Record.objects.select_for_update().filter(account=account_id, kind=kind, pk__gt=after).order_by("pk")
    keys = [record.pk for record in held.only("pk")[:AT_ONCE]]
    found = Record.objects.filter(pk__in=keys).select_related("responsible", "stage", "company", "contact")
    index_records([(record, fields_seen(record)) for record in found.prefetch_related("addresses", "phones")])
    return keys[-1] if len(keys) == AT_ONCE else 0
