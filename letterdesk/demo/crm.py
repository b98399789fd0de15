"""CRM of the demo company: clients whose letters come to them by themselves, with notes and calls, deals in two
pipelines, and mailboxes that make leads."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from importlib.resources import files
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking.by_hand import link_by_hand
from letterdesk.crm.linking.exclusions import exclude
from letterdesk.crm.models import Label, Record, Stage, Unknown
from letterdesk.crm.own.fields import FieldSaid, make_field
from letterdesk.crm.own.read import read_file
from letterdesk.crm.own.values import own_fields_of
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.crm.records.labels import change_label, give
from letterdesk.crm.records.notes import Said, write
from letterdesk.crm.records.pipelines import make_pipeline
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.saving import change_saving
from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes.models import Mailbox, Message

from .company import DOMAIN, PEOPLE

PARTNERS = "Trade partners"  # the second pipeline of deals
MAKING_LEADS = ("ines", "sales")  # what unknown people write there becomes a lead


def furnish_crm(now: datetime) -> None:
    """Make the records before the sync: letters from and to them are saved as they come."""
    first = _employee(PEOPLE[0].key)
    stages_of(first.account, "deal")  # the first pipeline is made
    make_pipeline(PARTNERS, by=first)
    for each in _told("field"):
        wanted = FieldSaid(each["name"], **{mark: each.get(mark, False) for mark in ("is_listed", "is_on_card")})
        make_field(each["kind"], wanted, type=each["type"], by=first, options=each.get("options", ()))
    for number, each in enumerate(_told("record")):
        made = _make(each, at=now - timedelta(days=60) + number * timedelta(hours=7))
        _write_beside(made, each, now)
    for each in _told("label"):
        change_label(Label.objects.get(name=each["name"]), name=each["name"], colour=each["colour"], by=first)
    for key in MAKING_LEADS:
        mailbox = Mailbox.objects.get(address=f"{key}@{DOMAIN}")
        change_saving(
            mailbox, by=first, known=True, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.NOTHING
        )  # fmt: skip
    exclude("@nordlicht-shop.example", by=first, now=now, comment="Orders of our own shop")


def links(now: datetime) -> list[Callable[[], bool]]:
    """What is to be done when letters are here: each of these says whether it is done."""
    return [partial(_linked, told, now) for told in _told("record") if "letter" in told]


def _told(what: str) -> Iterator[dict[str, Any]]:
    text = files(__package__).joinpath("crm.toml").read_text("utf-8")
    yield from tomllib.loads(text)[what]


def _make(told: dict[str, Any], *, at: datetime) -> Record:
    by = _employee(told["of"])
    kind, said = told["kind"], told.get("own", {})
    fields = Fields(
        name=told["name"],
        responsible=by,
        note=told.get("note", ""),
        position=told.get("position", ""),
        company=_record(by, "company", told.get("company")),
        contact=_record(by, "contact", told.get("contact")),
        stage=_stage(by, told) if kind in {"lead", "deal"} else None,
        amount=Decimal(told["amount"]) if "amount" in told else None,
        currency="EUR" if "amount" in told else "",
        addresses=tuple(told.get("addresses", ())),
        phones=tuple(told.get("phones", ())),
        own={
            field: read_file(field, said[field.name]) for field in own_fields_of(by.account, kind) if field.name in said
        },
    )
    return create(kind, fields, by=by, now=at)


def _stage(by: Employee, told: dict[str, Any]) -> Stage:
    """By its place in the pipeline that is named, else in the first one."""
    stages = stages_of(by.account, told["kind"])
    name = told.get("pipeline", stages[0].pipeline.name)
    chosen: Stage = [each for each in stages if each.pipeline.name == name][told.get("stage", 0)]
    return chosen


def _write_beside(record: Record, told: dict[str, Any], now: datetime) -> None:
    """Its labels, and the notes and calls in its timeline."""
    if "labels" in told:
        give(record, told["labels"], by=record.responsible)
    for who, days, text in told.get("notes", ()):
        at = now - timedelta(days=days)
        write(record, Said(text), by=_employee(who), now=at)
    for who, days, direction, minutes, text in told.get("calls", ()):
        at = now - timedelta(days=days)
        write(record, Said(text, direction, at, minutes), by=_employee(who), now=at)


def _linked(told: dict[str, Any], now: datetime) -> bool:
    """Whether the story's letters stand at the deal; not before they have come."""
    letters = Message.objects.filter(mailbox__address=f"{told['in']}@{DOMAIN}").order_by("-received_at")
    found = [each for each in letters.select_related("account") if normal_subject(each.subject) == told["letter"]]
    if not found:
        return False
    by = _employee(told["of"])
    record = _record(by, told["kind"], told["name"])
    if record is not None:
        link_by_hand(found[0], record, by=by, now=now)
    return True


def _record(by: Employee, kind: str, name: str | None) -> Record | None:
    return Record.objects.filter(account=by.account, kind=kind, name=name).first() if name else None


def _employee(key: str) -> Employee:
    found: Employee = Employee.objects.select_related("account").get(email=f"{key}@{DOMAIN}")
    return found
