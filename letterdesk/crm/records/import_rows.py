"""Files of records, read: a table whose columns are named, or visiting cards; line by line, or why a line is none.

Pure: bytes in, lines out. What spreadsheets write is taken: commas, semicolons or tabs, UTF-8 or what Windows had
before it, names and addresses in one column or several.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from django.utils.translation import gettext as _

from letterdesk.mail.charsets import decode
from letterdesk.mail.vcard import NoCard, read_cards

from ..linking.identity import is_address
from ..models import Kind, OwnField, OwnType
from ..own.read import BadValue, read_file
from ..own.said import OWN, Said
from .cells import names_in
from .export import HEAD

LARGEST = 10_000_000  # bytes
MOST_ROWS = 50_000
MOST_COLUMNS = 100
TARGETS = (
    "name",
    "given",
    "family",
    "email",
    "phone",
    "company",
    "position",
    "responsible",
    "came_from",
    "labels",
    "note",
)
OF_DEALS = (
    "name", "contact", "email", "company", "pipeline", "stage", "amount", "currency", "responsible", "came_from",
    "labels", "note",
)  # fmt: skip
# What programs and people call a column, in the languages of Letterdesk; compared without signs, in small letters.
_CALLED = {
    "name": "name fullname displayname contact contactname kontakt имя имяифамилия фио контакт наименование название",
    "given": "firstname givenname vorname имяотчество",
    "family": "lastname familyname surname nachname фамилия",
    "email": (
        "email emailaddress email1 email2 email3 email1value email2value email3value mail emailadresse email2address "
        "email3address email2adresse workemail homeemail otheremail primaryemail emailgeschäftlich emailprivat "
        "адрес адресэлектроннойпочты почта эпочта рабочийemail частныйemail"
    ),
    "phone": (
        "phone telephone mobile mobilephone businessphone businessphone2 homephone workphone otherphone phonenumber "
        "mobilephonenumber primaryphone phone1value phone2value phone3value telefon handy mobil mobiltelefon "
        "telefongeschäftlich telefonprivat telefonnummer телефон мобильный рабочийтелефон мобильныйтелефон "
        "домашнийтелефон"
    ),
    "company": (
        "company companyname account accountname organization organisation organizationname organization1name "
        "associatedcompany firma unternehmen компания организация"
    ),
    "position": "position jobtitle title organizationtitle organization1title funktion beruf должность",
    "responsible": (
        "responsible responsibleperson owner contactowner assigneduser assignedto zuständig zuständigeperson "
        "verantwortlich verantwortliche ответственный"
    ),
    "came_from": "source leadsource quelle источник",
    "labels": "label labels tag tags category categories kategorien schlagworte stichwörter etiketten метка метки теги",
    "note": (
        "note notes comment comments description notiz notizen bemerkung beschreibung примечание комментарий заметка"
    ),
}
_STAGE = "stage status phase stufe стадия статус этап"
_CALLED_OF = {
    Kind.LEAD: {"stage": f"{_STAGE} leadstatus leadstage"},
    Kind.DEAL: {
        "name": "deal dealname title opportunity opportunityname bezeichnung titel auftrag сделка названиесделки",
        "contact": "contact contactname associatedcontact primarycontact kontakt ansprechpartner контакт",
        "email": "contactemail contactworkemail",
        "stage": f"{_STAGE} dealstage",
        "pipeline": "pipeline dealpipeline salespipeline funnel воронка направление",
        "amount": "amount total value sum dealvalue dealamount opportunityamount betrag summe wert сумма",
        "currency": "currency amountcurrency dealcurrency währung валюта",
    },
}
_GUESSES = {word: target for target, words in _CALLED.items() for word in words.split()}
_MONEY = OwnField(type=OwnType.MONEY)  # amounts are read as those of own fields are
_ONE_LINE = ("company", "position", "responsible", "came_from", "contact", "pipeline", "stage")
_SIGNS = re.compile(r"[\W_]+")
_BETWEEN = re.compile(r"[;\n\r]+")
_BETWEEN_EMAILS = re.compile(r"[;,\s]+")


class BadFile(ValueError):
    """This file cannot be imported; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a table: what its columns are called, and its lines."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says of one record."""

    name: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    position: str = ""
    responsible: str = ""
    came_from: str = ""
    labels: tuple[str, ...] = ()
    note: str = ""
    contact: str = ""
    pipeline: str = ""
    stage: str = ""
    amount: Decimal | None = None
    currency: str = ""
    own: Mapping[OwnField, Said] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line is not taken in, and in which column the reason stands; empty: in none of its own."""

    column: str
    why: str


def read_table(content: bytes, filename: str) -> Table:
    """The table of a CSV file, or of visiting cards (.vcf). Raises BadFile."""
    if len(content) > LARGEST:
        raise BadFile(_("The file is larger than %(most)d MB. Import it in parts.") % {"most": LARGEST // 1_000_000})
    table = _of_cards(content) if filename.lower().endswith(".vcf") else _of_csv(content)
    if not table.rows:
        raise BadFile(_("The file has no lines below its headings."))
    if len(table.rows) > MOST_ROWS:
        raise BadFile(_("The file has more than %(most)d lines. Import it in parts.") % {"most": MOST_ROWS})
    return table


def targets_of(kind: str) -> tuple[str, ...]:
    """What columns of a file of such records may hold, own fields aside."""
    if kind == Kind.DEAL:
        return OF_DEALS
    return (*TARGETS, "stage") if kind == Kind.LEAD else TARGETS


def guessed(
    head: Sequence[str], own: Mapping[str, OwnField] = MappingProxyType({}), *, kind: str = Kind.CONTACT
) -> list[str]:
    """For each column what it is taken for, by its heading; empty: for nothing. `own`: fields by their reference.

    In files that were exported here, own fields have the names that are left.
    """
    called = {field.name: target for target, field in own.items()}
    alike = {_folded(name): target for name, target in called.items()}
    guesses = _guesses_of(kind)
    found = [called.get(title) or guesses.get(_folded(title)) or alike.get(_folded(title), "") for title in head]
    if set(HEAD) <= set(head):
        for title in HEAD:
            found[head.index(title)] = guesses.get(title, "")
    several = {"email", "phone", "labels"}
    return [target if target in several or found.index(target) == place else "" for place, target in enumerate(found)]


def _guesses_of(kind: str) -> dict[str, str]:
    theirs = {word: target for target, words in _CALLED_OF.get(Kind(kind), {}).items() for word in words.split()}
    return {word: target for word, target in (_GUESSES | theirs).items() if target in targets_of(kind)}


def _folded(title: str) -> str:
    return _SIGNS.sub("", title.lower())


def line_of(
    table: Table, row: Sequence[str], mapping: Sequence[str], own: Mapping[str, OwnField] | None = None
) -> Line | Refused:
    """What a row says, its columns taken as `mapping` says; or why it is refused. `own`: None: without own fields."""
    said: dict[str, list[str]] = {target: [] for target in (*TARGETS, *OF_DEALS, *mapping)}
    columns: dict[str, str] = {}
    for title, cell, target in zip(table.head, row, mapping, strict=False):
        if target in said and (text := _unquoted(cell)):
            said[target].append(text)
            columns.setdefault(target, title)
    emails = [email for cell in said["email"] for email in _BETWEEN_EMAILS.split(cell) if email]
    for email in emails:
        if not is_address(email):
            return Refused(columns["email"], _("“%(typed)s” is not an e-mail address.") % {"typed": email[:100]})
    name = " ".join(said["name"]) or " ".join((*said["given"], *said["family"]))
    line = Line(
        name=name or (emails[0] if emails else ""),
        emails=tuple(emails),
        phones=tuple(part.strip() for cell in said["phone"] for part in _BETWEEN.split(cell) if part.strip()),
        labels=tuple(name for cell in said["labels"] for name in names_in(cell)),
        note="\n".join(said["note"]),
    )
    if not line.name:
        return Refused("", _("Neither a name nor an e-mail address."))
    rest = {key: " ".join(said[key]) for key in _ONE_LINE}
    try:
        amount, currency = _amount(said)
        return replace(line, **rest, amount=amount, currency=currency, own=_own(said, own))  # type: ignore[arg-type]  # the rest are texts
    except _BadCell as error:
        return Refused(columns[error.target], error.why)


def _amount(said: Mapping[str, list[str]]) -> tuple[Decimal | None, str]:
    """An amount and its currency, out of one column or two."""
    amount, currency = " ".join(said["amount"]), " ".join(said["currency"])
    if not amount:
        return None, ""
    try:
        read = read_file(_MONEY, amount)
        if currency and not read.currency:
            read = read_file(_MONEY, f"{amount} {currency}")
    except BadValue as error:
        raise _BadCell("amount", error.why) from error
    return read.number, read.currency


class _BadCell(ValueError):
    def __init__(self, target: str, why: str) -> None:
        super().__init__(why)
        self.target = target
        self.why = why


def _own(said: Mapping[str, list[str]], own: Mapping[str, OwnField] | None) -> dict[OwnField, Said]:
    found: dict[OwnField, Said] = {}
    for target, cells in said.items():
        if own is None or not cells or not target.startswith(OWN):
            continue
        if target not in own:
            raise _BadCell(target, _("This own field is not there any more."))
        try:
            found[own[target]] = read_file(own[target], "; ".join(cells))
        except BadValue as error:
            raise _BadCell(target, error.why) from error
    return found


def _unquoted(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from taking a cell for a formula (C24)."""
    text = cell.strip()
    return text[1:].strip() if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text


def _of_csv(content: bytes) -> Table:
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":  # xlsx and ods; xls
        raise BadFile(_("This is a workbook of a spreadsheet, no table: save it as CSV there."))
    text = content.decode("utf-16", "replace") if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else decode(content)
    text = text.removeprefix("\ufeff").replace("\0", "")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise BadFile(_("This is no table: save it as CSV in your spreadsheet.")) from error
    if not rows or len(rows[0]) > MOST_COLUMNS:
        raise BadFile(_("This is no table: save it as CSV in your spreadsheet."))
    head, *lines = rows
    return Table(tuple(title.strip() for title in head), tuple(map(tuple, lines)))


def _of_cards(content: bytes) -> Table:
    try:
        cards = read_cards(content, most=MOST_ROWS + 1)
    except NoCard as error:
        raise BadFile(_("This file holds no visiting card.")) from error
    head = ("name", "email", "phone", "company", "position", "note")
    own = tuple(dict.fromkeys(name for card in cards for name, _text in card.own))[: MOST_COLUMNS - len(head)]
    rows = (
        (
            *(card.name, ";".join(card.addresses), ";".join(card.phones), card.company, card.position, card.note),
            *(dict(card.own).get(name, "") for name in own),
        )
        for card in cards
    )
    return Table((*head, *own), tuple(rows))
