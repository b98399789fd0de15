"""Own fields and what they say at records: read with a bounded number of queries, and written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.lib.alphabet import sort_key

from ..models import OwnField, OwnOption, OwnValue, Record
from ..records.fields import BadRecord
from .index import index_own
from .read import option_key
from .said import NOTHING, Said, Shown, reference, said_in


def own_fields_of(account: Account, kind: str, *, with_retired: bool = False) -> list[OwnField]:
    """The own fields of a kind of record in their order, with their options; two queries at most."""
    found = OwnField.objects.filter(account=account, kind=kind).order_by("position", "pk")
    fields: list[OwnField] = list(found if with_retired else found.filter(is_retired=False))
    options = Prefetch("options", OwnOption.objects.order_by("position", "pk"))
    prefetch_related_objects([field for field in fields if field.has_options], options)
    return fields


def load_own(records: Sequence[Record], fields: Sequence[OwnField]) -> None:
    """Fetch what these fields say at all of these records, in one query; none where there are no fields."""
    if fields:
        rows = OwnValue.objects.filter(field__in=[field.pk for field in fields]).select_related("option")
        prefetch_related_objects(list(records), Prefetch("own_values", rows))


def said_at(record: Record, fields: Sequence[OwnField]) -> dict[int, Said]:
    """What these fields say at a record, by key of the field; nothing of those that say nothing."""
    if not fields:
        return {}
    load_own([record], fields)
    return said_in(record.own_values.all())


def shown_at(record: Record, fields: Sequence[OwnField]) -> list[Shown]:
    """The fields that say something at a record, in their order."""
    return shown_of(said_at(record, fields), fields)


def shown_of(said: Mapping[int, Said], fields: Sequence[OwnField]) -> list[Shown]:
    """Those of the fields of which this says something, in their order."""
    return [Shown(field, said[field.pk]) for field in fields if field.pk in said]


def all_said_at(record: Record) -> dict[int, Said]:
    """What all own fields say at a record as it stands in the database, retired ones too; by key of the field."""
    return said_in(OwnValue.objects.filter(record=record.pk).select_related("option").order_by("field", "option"))


def write_own(record: Record, wanted: Mapping[OwnField, Said]) -> list[str]:
    """Write what these fields are to say at a record; returns those that changed. In the caller's transaction.

    Raises BadRecord where an administrator deleted a field or an option meanwhile, ValueError for another account's.
    """
    _check(record.account_id, record.kind, wanted)
    if not wanted:
        return []
    there = _hold(wanted)
    named = {option.pk: field.pk for field, said in wanted.items() for option in said.options}
    known = dict(OwnOption.objects.filter(pk__in=list(named)).values_list("pk", "field"))
    if there != {field.pk for field in wanted} or known != named:
        raise BadRecord(_("An administrator changed the own fields meanwhile. Open the form again."))
    now = all_said_at(record)
    changed = [field for field, said in wanted.items() if now.get(field.pk, NOTHING) != said]
    OwnValue.objects.filter(record=record.pk, field__in=[field.pk for field in changed]).delete()
    OwnValue.objects.bulk_create(row for field in changed for row in _rows(record, field, wanted[field]))
    index_own(record, changed)
    return [reference(field) for field in changed]


def carried(said: Mapping[int, Said], source: Sequence[OwnField], to: Sequence[OwnField]) -> dict[OwnField, Said]:
    """What fields of one kind say, for those of another that have the same name and type; options go by their names."""
    same = {(field.key, field.type): said[field.pk] for field in source if said.get(field.pk)}
    found = {}
    for field in to:
        there = same.get((field.key, field.type), NOTHING)
        if there.options:
            names = {option.key for option in there.options}
            own = [option for option in field.options.all() if option.key in names and not option.is_retired]
            there = Said(options=tuple(own))
        if there:
            found[field] = there
    return found


def named_field(fields: Sequence[OwnField], name: str) -> OwnField | None:
    """The field of this name."""
    return next((field for field in fields if field.key == option_key(name)), None)


def _hold(fields: Iterable[OwnField]) -> set[int]:
    """Keep fields from being deleted (`own_fields._hold`) until the transaction ends; returns the keys of those there.

    As a foreign key does: many write at once, so that nobody waits for an import. On SQLite who writes is alone.
    """
    keys = [field.pk for field in fields]
    if connection.vendor != "postgresql":
        return set(OwnField.objects.filter(pk__in=keys).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM crm_ownfield WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [keys])
        return {key for (key,) in cursor.fetchall()}


def _check(account_id: int, kind: str, wanted: Mapping[OwnField, Said]) -> None:
    """Raise ValueError for a field that is none of these records (F10)."""
    for field in wanted:
        if field.account_id != account_id or field.kind != kind:
            raise ValueError(f"own field {field.pk} is none of a {kind} of account {account_id}")


def _rows(record: Record, field: OwnField, said: Said) -> list[OwnValue]:
    row: dict[str, Any] = {"account_id": record.account_id, "record": record, "field": field}
    if said.options:
        return [OwnValue(**row, option=option) for option in said.options]
    if not said:
        return []
    row |= {"text": said.text, "text_key": sort_key(said.text) if said.text else None}
    return [OwnValue(**row, number=said.number, currency=said.currency, day=said.day, is_true=said.is_true)]
