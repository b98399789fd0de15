"""A file of records is taken in: in pieces of one transaction each, which say how far it is. Again is on from there.

Who has an address already is no second record: what that one lacks is filled in, or it is left alone. What a line says
is checked as if a person had typed it. Letters of the new addresses come along when all lines are in (R5).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.labels import BadLabel
from letterdesk.mailboxes.retention.receipts import lock

from ..linking.look_back import look_back_for_all
from ..models import EmailAddress, ImportRefusal, Kind, OwnField, Record, RecordImport, Source
from ..own.said import reference
from ..own.values import all_said_at, own_fields_of
from .change import change
from .change import lock as hold
from .create import create
from .fields import STAGED, BadRecord, Fields, fields_of, phone_key
from .import_deals import PIPELINE, STAGE, NotTaken, contact_of, is_there, stage_of
from .import_rows import BadFile, Line, Refused, Table, guessed, line_of, read_table
from .labels import give
from .naming import named_or_new

AT_ONCE = 200
State = RecordImport.State
_RESPONSIBLE = "responsible"
_LABELS = "labels"


def begin(kind: str, content: bytes, filename: str, *, by: Employee) -> RecordImport:
    """Keep a file until its columns are settled. Raises BadFile."""
    table = read_table(content, filename)
    if kind == Kind.DEAL and filename.lower().endswith(".vcf"):
        raise BadFile(_("Deals come out of tables (CSV) alone."))
    own = own_columns(by.account, kind)
    made: RecordImport = RecordImport.objects.create(
        account=by.account, by=by, kind=Kind(kind), filename=filename[:200], content=content,
        mapping=guessed(table.head, own, kind=kind), total=len(table.rows),
    )  # fmt: skip
    return made


def own_columns(account: Account, kind: str) -> dict[str, OwnField]:
    """Own fields that columns may hold, by what a mapping calls them."""
    return {reference(field): field for field in own_fields_of(account, kind)}


def table_of(taken: RecordImport) -> Table:
    """What stands in the file."""
    return read_table(bytes(taken.content), taken.filename)


def start(taken: RecordImport, *, mapping: list[str], fills: bool) -> bool:
    """The columns are settled: it can run. Returns whether that is new."""
    draft = RecordImport.objects.filter(pk=taken.pk, state=State.DRAFT)
    return bool(draft.update(mapping=mapping, fills=fills, state=State.RUNNING))


@transaction.atomic
def take_piece(taken_id: int, *, now: datetime) -> bool:
    """Take in some lines; returns whether there are more."""
    found = RecordImport.objects.select_for_update(of=("self",)).select_related("by__account", "account")
    taken = found.filter(pk=taken_id, state=State.RUNNING).first()
    if taken is None:
        return False
    lock(taken.account_id)
    table = table_of(taken)
    own = own_columns(taken.account, taken.kind)
    for place in range(taken.done, min(taken.done + AT_ONCE, taken.total)):
        _take_line(taken, (table, place), line_of(table, table.rows[place], taken.mapping, own), now)
        taken.done += 1
    if taken.done >= taken.total:
        taken.state = State.DONE  # the file stays until letters of its addresses were looked for
        facts = {name: getattr(taken, name) for name in ("made", "filled", "known", "refused")}
        tell("records.imported", account=taken.account, by=taken.by, subject=f"import:{taken.public_id}", **facts)
    taken.save(update_fields=["state", "done", "made", "filled", "known", "refused"])
    reach("crm_import.before_commit")
    more: bool = taken.done < taken.total
    return more


@transaction.atomic
def foresee(taken: RecordImport, lines: Sequence[Line | Refused], *, now: datetime) -> list[Line | Refused]:
    """What would become of lines, one after the other: themselves, or why one is refused.

    They are taken in for that, and all of it is taken back: no rule can be forgotten.
    """
    lock(taken.account_id)
    told = [outcome if isinstance(outcome := _taken(taken, line, now), Refused) else line for line in lines]
    transaction.set_rollback(True)
    return told


def find_letters(taken: RecordImport, *, now: datetime) -> int:
    """When all lines are in: letters of their addresses come along (R5), and the file is let go. Returns how many."""
    if taken.state != State.DONE or not taken.content:
        return 0
    table = table_of(taken)
    lines = (line_of(table, row, taken.mapping) for row in table.rows)
    keys = {address_key(email) for line in lines if isinstance(line, Line) for email in line.emails}
    saved = look_back_for_all(keys, by=taken.by, now=now)
    RecordImport.objects.filter(pk=taken.pk).update(content=b"")
    return saved


def _take_line(taken: RecordImport, at: tuple[Table, int], line: Line | Refused, now: datetime) -> None:
    table, place = at
    outcome = _taken(taken, line, now)
    if not isinstance(outcome, Refused):
        setattr(taken, outcome, getattr(taken, outcome) + 1)
        return
    column = outcome.column
    if column in {_RESPONSIBLE, _LABELS, PIPELINE, STAGE}:
        column = table.head[taken.mapping.index(column)]
    taken.refused += 1
    ImportRefusal.objects.create(
        account_id=taken.account_id, taken_from=taken, row=place + 2, column=column[:200], why=outcome.why[:300]
    )


def _taken(taken: RecordImport, line: Line | Refused, now: datetime) -> str | Refused:
    """Take a line in; returns what was done, as the import counts it, or why it was not."""
    if isinstance(line, Refused):
        return line
    try:
        with transaction.atomic():
            return _take(taken, line, now)
    except NotTaken as error:
        return error.refused
    except BadRecord as error:
        return Refused("", str(error))


def _take(taken: RecordImport, line: Line, now: datetime) -> str:
    """Make a record of a line, or fill in what is known; returns what was done, as the import counts it."""
    known = _known(taken, line) if taken.kind != Kind.DEAL else None
    if known is not None:
        return _fill(taken, known, line, now)
    fields = _fields(taken, line, now)
    if taken.kind == Kind.DEAL and is_there(fields, taken.by):
        return "known"
    made = create(taken.kind, fields, by=taken.by, now=now, source=Source.IMPORT)
    _label(made, taken, line)
    return "made"


def _known(taken: RecordImport, line: Line) -> Record | None:
    keys = [address_key(email) for email in line.emails]
    of_account = EmailAddress.objects.filter(account=taken.account_id, key__in=keys, record__deleted_at=None)
    holders = set(of_account.filter(record__kind=taken.kind).values_list("record", flat=True))
    if not holders:
        return None
    seen: Record | None = Record.objects.editable_by(taken.by).filter(pk__in=holders).order_by("pk").first()
    if seen is None:
        raise BadRecord(_("A record that you cannot view has this address."))
    return seen


def _fields(taken: RecordImport, line: Line, now: datetime) -> Fields:
    responsible = _responsible(taken, line)
    company = contact = None
    if line.company and taken.kind != Kind.COMPANY:
        company = named_or_new(taken.by, Kind.COMPANY, line.company, responsible=responsible, company=None, now=now)
    if taken.kind == Kind.DEAL:
        contact = contact_of(line, by=taken.by, responsible=responsible, company=company, now=now)
    stage = stage_of(line, taken.kind, by=taken.by) if taken.kind in STAGED else None
    return Fields(
        name=line.name, responsible=responsible, came_from=line.came_from, note=line.note, position=line.position,
        company=company, contact=contact, stage=stage, amount=line.amount, currency=line.currency,
        addresses=line.emails, phones=line.phones, own=line.own,
    )  # fmt: skip


def _responsible(taken: RecordImport, line: Line) -> Employee:
    if not line.responsible:
        return taken.by
    colleagues = Employee.objects.visible_to(taken.by).working().select_related("account")
    found: list[Employee] = list(
        colleagues.filter(Q(email__iexact=line.responsible) | Q(name__iexact=line.responsible))[:2]
    )
    if len(found) != 1:
        told = (
            _("Several colleagues are called “%(typed)s”.")
            if found
            else _("No colleague has the name or address “%(typed)s”.")
        )
        raise NotTaken(Refused(_RESPONSIBLE, told % {"typed": line.responsible[:100]}))
    return found[0]


def _fill(taken: RecordImport, known: Record, line: Line, now: datetime) -> str:
    if not taken.fills:
        return "known"
    hold(known)
    known.refresh_from_db()  # somebody may have changed it since it was found
    said, new = fields_of(known), _fields(taken, line, now)
    lacking = {
        name: getattr(new, name)
        for name in ("position", "company", "came_from", "note")
        if not getattr(said, name) and getattr(new, name)
    }
    addresses = _more(said.addresses, new.addresses, address_key)
    phones = _more(said.phones, new.phones, lambda number: phone_key(number) or number)
    own = all_said_at(known) if new.own else {}
    empty = {field: there for field, there in new.own.items() if not own.get(field.pk)}
    merged = replace(said, **lacking, addresses=addresses, phones=phones, own=empty)
    is_filled = bool(change(known, merged, by=taken.by))
    return "filled" if _label(known, taken, line) or is_filled else "known"


def _label(record: Record, taken: RecordImport, line: Line) -> bool:
    try:
        return bool(give(record, line.labels, by=taken.by)) if line.labels else False
    except BadLabel as error:
        raise NotTaken(Refused(_LABELS, str(error))) from error


def _more(there: tuple[str, ...], new: tuple[str, ...], key: Callable[[str], str]) -> tuple[str, ...]:
    """What is there, and behind it what is not there yet."""
    keys = {key(each) for each in there}
    return (*there, *(each for each in new if key(each) not in keys))
