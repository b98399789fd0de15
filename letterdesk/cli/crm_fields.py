"""`letterdesk crm fields`, `define`, `undefine`, `fill`: own fields of records, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Kind, OwnField, OwnType, Record
from letterdesk.crm.own.fields import FieldSaid, change_field, delete_field, make_field, records_with
from letterdesk.crm.own.read import missing, read_file
from letterdesk.crm.own.said import Said, Shown, in_file
from letterdesk.crm.own.values import all_said_at, named_field, own_fields_of
from letterdesk.crm.records.change import change, lock
from letterdesk.crm.records.fields import fields_of

from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
OfKind = Annotated[Kind, typer.Argument(help="contact, company, lead or deal.")]
Name = Annotated[str, typer.Argument(help="What the field is called.")]


@app.command("fields")
def list_fields(kind: OfKind, *, by: By, as_json: AsJson = False) -> None:
    """The own fields of a kind of record, retired ones too, and at how many records each is filled in."""
    person = employee_of(by)
    fields = own_fields_of(person.account, kind, with_retired=True)
    table([_facts(field) for field in fields], as_json=as_json, empty="No own field.")


@app.command("define")
def define(
    kind: OfKind,
    name: Name,
    *,
    by: By,
    holds: Annotated[OwnType, typer.Option("--type", help="What it holds; never changed later.")] = OwnType.TEXT,
    option: Annotated[list[str] | None, typer.Option(help="What can be chosen; several times for several.")] = None,
    required: Annotated[bool, typer.Option("--required", help="Forms ask for it.")] = False,
    listed: Annotated[bool, typer.Option("--listed", help="Shown in the list.")] = False,
    on_card: Annotated[bool, typer.Option("--on-card", help="Shown on the cards of leads and deals.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a kind of record a field of its own; for administrators."""
    said = FieldSaid(name, is_required=required, is_listed=listed, is_on_card=on_card)
    make_field(kind, said, type=holds, by=(person := employee_of(by)), options=option or ())
    made = _field(person, kind, name)
    answer(_facts(made), as_json=as_json, text=f"There is a field {made.name} now.")


@app.command("undefine")
def undefine(
    kind: OfKind,
    name: Name,
    *,
    by: By,
    retire: Annotated[bool, typer.Option("--retire", help="Show it nowhere, and keep what it says.")] = False,
    bring_back: Annotated[bool, typer.Option("--bring-back", help="Show a retired one again.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only tell what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an own field with all that it says, or retire it; --preview tells at how many records that is."""
    person = employee_of(by)
    field = _field(person, kind, name, with_retired=True)
    count = records_with(field)
    if not preview and (retire or bring_back):
        now = {each: getattr(field, each) for each in ("name", "is_required", "is_listed", "is_on_card")}
        wanted = FieldSaid(**now, is_retired=retire)
        change_field(field, wanted, by=person)
    elif not preview:
        delete_field(field, by=person, seen=count)
    facts = {"field": field.name, "records": count, "retired": field.is_retired, "done": not preview}
    answer(facts, as_json=as_json)


@app.command("fill")
def fill(
    record_id: Annotated[str, typer.Argument(help="The record's public id, as `crm list` tells it.")],
    name: Name,
    said: Annotated[str, typer.Argument(help="What it says, as a file would; of several options with semicolons.")],
    *,
    by: By,
    as_json: AsJson = False,
) -> None:
    """Say something in an own field of a record; nothing ("") empties it."""
    person = employee_of(by)
    seen = Record.objects.editable_by(person).filter(public_id=record_id).select_related("account", "responsible")
    record = seen.first()
    if record is None:
        raise fail("no_such_record", f"{person.email} sees no record {record_id}.")
    field = _field(person, record.kind, name)
    own = {field: read_file(field, said)}
    _must_not_miss([field], own)
    with transaction.atomic():
        lock(record)
        record.refresh_from_db()
        change(record, replace(fields_of(record), own=own), by=person)
    now = all_said_at(record).get(field.pk)
    facts = {"record": record.public_id, "field": field.name, "says": str(in_file(field, now)) if now else ""}
    answer(facts, as_json=as_json, text=f"{field.name}: {Shown(field, now).words if now else ''}")


def own_of(person: Employee, kind: str, texts: Sequence[str]) -> dict[OwnField, Said]:
    """What `NAME=TEXT` says of a new record; ends the command where something has to be filled in and is not."""
    named = [text.partition("=") for text in texts]
    fields = {name: _field(person, kind, name) for name, _sign, _text in named}
    own = {fields[name]: read_file(fields[name], text) for name, _sign, text in named}
    _must_not_miss(own_fields_of(person.account, kind), own)
    return own


def _must_not_miss(fields: Sequence[OwnField], own: Mapping[OwnField, Said]) -> None:
    if lacking := missing(fields, {field.pk: said for field, said in own.items()}):
        raise fail("bad_value", f"Has to be filled in: {', '.join(field.name for field in lacking)}.")


def _field(person: Employee, kind: str, name: str, *, with_retired: bool = False) -> OwnField:
    found = named_field(own_fields_of(person.account, kind, with_retired=with_retired), name)
    if found is None:
        raise fail("no_such_field", f"There is no own field {name} of a {kind}.")
    return found


def _facts(field: OwnField) -> dict[str, Any]:
    return {
        "field": field.name,
        "type": field.type,
        "required": field.is_required,
        "listed": field.is_listed,
        "on_card": field.is_on_card,
        "retired": field.is_retired,
        "records": records_with(field),
        "options": [option.name for option in field.options.all()] if field.has_options else [],
    }
