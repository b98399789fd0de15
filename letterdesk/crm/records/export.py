"""Records as a file: a table that can be imported again, or visiting cards."""

from collections.abc import Iterable, Sequence
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.mail.vcard import Card

from ..models import Kind, OwnField, Record
from ..own.said import NOTHING, in_file
from ..own.values import load_own, said_at
from .cells import joined

MOST = 50_000  # records in a file
HEAD = (
    "name",
    "position",
    "company",
    "contact",
    "email",
    "phone",
    "pipeline",
    "stage",
    "amount",
    "currency",
    "responsible",
    "source",
    "labels",
    "note",
)


def head_of(fields: Sequence[OwnField]) -> tuple[str, ...]:
    """What the columns of a table are called: `HEAD`, then own fields."""
    return (*HEAD, *(field.name for field in fields))


def table_of(records: Iterable[Any], fields: Sequence[OwnField] = ()) -> list[list[object]]:
    """A line for each record, in the columns of `head_of`; several addresses and numbers with semicolons between them.

    The records come with what the reader may see of them (`lists.all_of`), their phones and own fields (`exported`).
    """
    return [
        [
            record.name,
            record.position,
            record.company.name if record.company else "",
            record.contact.name if record.contact else "",
            "; ".join(address.email for address in record.addresses.all()),
            "; ".join(phone.number for phone in record.phones.all()),
            record.stage.pipeline.name if record.stage else "",
            record.stage.name if record.stage else "",
            record.amount,
            record.currency,
            record.responsible.email,
            record.came_from,
            joined(row.label.name for row in record.labelled.all()),
            record.note,
            *_own(record, fields),
        ]
        for record in records
    ]


def _own(record: Any, fields: Sequence[OwnField]) -> list[object]:
    said = said_at(record, fields)
    return [in_file(field, said.get(field.pk, NOTHING)) for field in fields]


def cards_of(records: Iterable[Any], fields: Sequence[OwnField] = ()) -> list[Card]:
    """A visiting card for each contact, company or lead, with what own fields say there."""
    return [
        Card(
            name=record.name,
            addresses=tuple(address.email for address in record.addresses.all()),
            phones=tuple(phone.number for phone in record.phones.all()),
            company=record.name if record.kind == Kind.COMPANY else record.company.name if record.company else "",
            position=record.position,
            note=record.note,
            own=tuple(
                (field.name, str(text)) for field, text in zip(fields, _own(record, fields), strict=True) if text != ""
            ),
        )
        for record in records
    ]


def tell_export(employee: Employee, kind: str, count: int, form: str) -> None:
    """Put on record that somebody wrote so many records into a file."""
    tell("records.exported", account=employee.account, by=employee, what=kind, count=count, form=form)


def exported(employee: Employee, found: Any, fields: Sequence[OwnField] = ()) -> list[Record]:
    """The records of a list in its order, at most `MOST`, with all that a file says of them."""
    records = list(found.prefetch_related("phones")[:MOST])
    load_own(records, fields)
    return records
