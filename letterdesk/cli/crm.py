"""`letterdesk crm …`: records, the letters at them, and what is saved by itself; as one of the people may."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking.by_hand import link_by_hand, take_away
from letterdesk.crm.linking.why import crm_lines
from letterdesk.crm.models import Activity, Binding, Kind, Record
from letterdesk.crm.own.said import in_file
from letterdesk.crm.own.values import own_fields_of, shown_at
from letterdesk.crm.records import bin as binned
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields, fields_of
from letterdesk.crm.records.lists import RecordFilter, record_page, records_in_bin
from letterdesk.mailboxes.models import Message

from .crm_fields import app as own_fields
from .crm_fields import own_of
from .crm_linking import app as linking
from .crm_saving import app as saving
from .crm_search import app as search
from .output import AsJson, answer, table
from .people import employee_of

app = typer.Typer(help="Contacts, companies, leads, deals, and the letters at them (R5-R8).", no_args_is_help=True)
for part in (saving, own_fields, search, linking):
    app.registered_commands += part.registered_commands


class NoSuchRecord(LookupError):
    """There is none of this public id that the employee may see."""


class NoSuchLetter(LookupError):
    """There is none of this public id that the employee may read."""


By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
Id = Annotated[str, typer.Argument(help="The record's public id, as `crm list` tells it.")]
Letter = Annotated[str, typer.Argument(help="The letter's public id, as in its address /messages/….")]


@app.command("add")
def add_record(  # noqa: PLR0913  each is an option of the command
    kind: Annotated[Kind, typer.Argument(help="contact, company, lead or deal.")],
    name: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    by: By,
    email: Annotated[list[str] | None, typer.Option(help="An address; several times for several.")] = None,
    phone: Annotated[list[str] | None, typer.Option(help="A telephone number; several times for several.")] = None,
    company: Annotated[str, typer.Option(help="Public id of its company.")] = "",
    contact: Annotated[str, typer.Option(help="Public id of a deal's contact.")] = "",
    amount: Annotated[str, typer.Option(help="A deal's amount, such as 1200.50.")] = "",
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "",
    note: Annotated[str, typer.Option(help="What there is to say.")] = "",
    own: Annotated[list[str] | None, typer.Option(help="NAME=TEXT of an own field; several times for several.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a record of the employee; letters of its addresses that are here already come along."""
    person = employee_of(by)
    fields = Fields(
        name=name,
        responsible=person,
        note=note,
        company=_record(company, person) if company else None,
        contact=_record(contact, person) if contact else None,
        amount=_amount(amount),
        currency=currency,
        addresses=tuple(email or ()),
        phones=tuple(phone or ()),
        own=own_of(person, kind, own or ()),
    )
    made = create(kind, fields, by=person, now=timezone.now())
    answer(_facts(made), as_json=as_json, text=f"{made.name} is here: {made.public_id}.")


@app.command("list")
def list_records(
    kind: Annotated[Kind, typer.Argument(help="contact, company, lead or deal.")],
    *,
    of: Annotated[str, typer.Option("--of", help="Address of the employee whose sight it is.")],
    words: Annotated[str, typer.Option(help="In the name or in an address.")] = "",
    in_bin: Annotated[bool, typer.Option("--bin", help="Those that lie in the bin.")] = False,
    as_json: AsJson = False,
) -> None:
    """The records that an employee may see, what was active last first; the first fifty."""
    person = employee_of(of)
    if in_bin:
        found = list(records_in_bin(person, now=timezone.now()).filter(kind=kind))
    else:
        found, _ = record_page(person, RecordFilter(kind=kind, words=words))
    table([_facts(record) for record in found], as_json=as_json, empty="No record.")


@app.command("show")
def show_record(record_id: Id, *, by: By, as_json: AsJson = False) -> None:
    """A record with its addresses, what its own fields say, and its latest letters."""
    record = _record(record_id, employee_of(by))
    said = fields_of(record)
    latest = Binding.objects.present().filter(record=record).select_related("activity").order_by("-received_at", "-pk")
    letters = [f"{each.received_at:%Y-%m-%d} {each.activity.subject} ({each.reason})" for each in latest[:10]]
    facts = {**_facts(record), "addresses": list(said.addresses), "phones": list(said.phones)}
    own = shown_at(record, own_fields_of(record.account, record.kind))
    facts |= {"own": {each.field.name: str(in_file(each.field, each.said)) for each in own}, "letters": letters}
    answer(facts, as_json=as_json)


@app.command("delete")
def delete_record(record_id: Id, *, by: By, preview: bool = False, as_json: AsJson = False) -> None:
    """Put a record into the bin with the letters that stand nowhere else; --preview only tells how many (R8)."""
    person = employee_of(by)
    record = _record(record_id, person)
    told = binned.consequences([record.pk])
    if not preview:
        binned.delete(record, by=person, now=timezone.now())
    facts = {"record": record.public_id, "letters": told.going, "staying": told.staying, "notes": told.notes}
    facts["done"] = not preview
    going = f"{told.going} letters and {told.notes} notes and calls"
    text = f"{record} {'would go' if preview else 'went'} into the bin with {going}."
    answer(facts, as_json=as_json, text=text)


@app.command("restore")
def restore_record(record_id: Id, *, by: By, as_json: AsJson = False) -> None:
    """Bring a record back from the bin with its letters; within 30 days."""
    person = employee_of(by)
    record = _record(record_id, person)
    count = binned.restore(record, by=person, now=timezone.now())
    facts = {"record": record.public_id, "letters": count}
    answer(facts, as_json=as_json, text=f"{record} is back with {count} letters.")


@app.command("link")
def link_letter(
    letter_id: Letter,
    record_id: Annotated[str, typer.Option("--to", help="Public id of the record.")],
    *,
    by: By,
    alone: Annotated[bool, typer.Option("--alone", help="Without the earlier letters of its conversation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Save a letter at a record, with the earlier ones of its conversation (R5, R6)."""
    person = employee_of(by)
    letter = _letter(Message.objects.editable_by(person), letter_id, person)
    record = _record(record_id, person)
    activity = link_by_hand(letter, record, by=person, now=timezone.now(), with_earlier=not alone)
    facts = {"activity": activity.public_id, "record": record.public_id}
    answer(facts, as_json=as_json, text=f"The letter stands at {record}.")


@app.command("unlink")
def unlink_letter(
    letter_id: Letter,
    record_id: Annotated[str, typer.Option("--from", help="Public id of the record.")],
    *,
    by: By,
    conversation: Annotated[bool, typer.Option("--conversation", help="All letters of its conversation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a letter away from a record; what stands nowhere else goes into CRM's bin for 30 days (R8)."""
    person = employee_of(by)
    letter = _letter(Message.objects.visible_to(person), letter_id, person)
    activity = crm_lines([letter], employee=person, now=timezone.now())[letter.pk].activity
    if activity is None or not Activity.objects.editable_by(person).filter(pk=activity.pk).exists():
        raise NoSuchLetter(f"{person.email} sees no letter {letter_id} in CRM.")
    record = _record(record_id, person)
    told = take_away(activity, record, by=person, now=timezone.now(), whole_conversation=conversation)
    text = f"{told.count} letters do not stand at {record} any more; {told.binned} went into the bin."
    answer({"letters": told.count, "binned": told.binned}, as_json=as_json, text=text)


@app.command("why")
def why(letter_id: Letter, *, by: By, as_json: AsJson = False) -> None:
    """Where a letter stands in CRM and why, or why it is not saved."""
    person = employee_of(by)
    letter = _letter(Message.objects.visible_to(person), letter_id, person)
    line = crm_lines([letter], employee=person, now=timezone.now())[letter.pk]
    standing = [f"{each.record.name}: {each.get_reason_display()}" for each in line.bindings]
    facts = {"saved": not line.why_not, "at": standing, "hidden": line.hidden, "why_not": line.why_not}
    answer(facts, as_json=as_json, text=line.why_not or "; ".join(standing) or "Saved where you cannot look.")


def _amount(typed: str) -> Decimal | None:
    try:
        return Decimal(typed) if typed else None
    except InvalidOperation:
        raise typer.BadParameter(f"{typed} is no amount.") from None


def _facts(record: Record) -> dict[str, Any]:
    return {
        "record": record.public_id,
        "kind": record.kind,
        "name": record.name,
        "responsible": record.responsible.email,
        "stage": record.stage.name if record.stage else "",
        "active": record.active_at,
        "purged": record.purges_at,
    }


def _record(public_id: str, person: Employee) -> Record:
    seen = Record.objects.editable_by(person).filter(public_id=public_id)
    found: Record | None = seen.select_related("account", "responsible", "stage").first()
    if found is None:
        raise NoSuchRecord(f"{person.email} sees no record {public_id}.")
    return found


def _letter(letters: Any, public_id: str, person: Employee) -> Message:
    found: Message | None = letters.filter(public_id=public_id).select_related("mailbox__account").first()
    if found is None:
        raise NoSuchLetter(f"{person.email} may not do this with a letter {public_id}.")
    return found
