"""What people write into a contact, company, lead or deal, and whether it can be one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib.alphabet import sort_key
from letterdesk.mail.addresses import MOST_IN_ADDRESS, address_key

from ..linking.identity import is_address
from ..models import EmailAddress, Kind, OwnField, Phone, Record, Stage
from ..own.said import Said
from ..search.index import index_record

LONGEST_NAME = 300
MOST_ADDRESSES = 50
LARGEST_AMOUNT = Decimal("9999999999999.99")
STAGED = (Kind.LEAD, Kind.DEAL)
REACHED = (Kind.CONTACT, Kind.COMPANY, Kind.LEAD)  # have addresses of their own


class BadRecord(ValueError):
    """This cannot be a record; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Fields:
    """All that a person writes into a record; what its kind does not have is left out when it is kept.

    The caller has found `responsible`, `company`, `contact` and `stage` among what the person may see.
    """

    name: str
    responsible: Employee
    came_from: str = ""
    note: str = ""
    position: str = ""
    company: Record | None = None
    contact: Record | None = None
    stage: Stage | None = None
    amount: Decimal | None = None
    currency: str = ""
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    own: Mapping[OwnField, Said] = field(default_factory=dict)  # what own fields are to say; others stay as they are


def fields_of(record: Record) -> Fields:
    """What stands in a record now: for changing one field of many. Its addresses and telephones are asked for."""
    return _said(record, list(record.addresses.order_by("pk")), list(record.phones.order_by("pk")))


def fields_seen(record: Record) -> Fields:
    """The same for somebody who looks at it: with the addresses and telephones that were fetched with it."""
    return _said(record, list(record.addresses.all()), list(record.phones.all()))


def _said(record: Record, addresses: list[EmailAddress], phones: list[Phone]) -> Fields:
    return Fields(
        name=record.name,
        responsible=record.responsible,
        came_from=record.came_from,
        note=record.note,
        position=record.position,
        company=record.company,
        contact=record.contact,
        stage=record.stage,
        amount=record.amount,
        currency=record.currency,
        addresses=tuple(each.email for each in sorted(addresses, key=_place)),
        phones=tuple(each.number for each in sorted(phones, key=_place)),
    )


def _place(each: EmailAddress | Phone) -> tuple[int, int]:
    return each.position, each.pk


def checked(kind: str, fields: Fields, *, by: Employee) -> Fields:
    """The fields as they are kept. Raises BadRecord."""
    name = " ".join(fields.name.split())[:LONGEST_NAME]
    if not name:
        raise BadRecord(_("A name is needed."))
    if fields.responsible.account_id != by.account_id:
        raise ValueError(f"employee {fields.responsible.pk} is of another account")
    return replace(
        fields,
        name=name,
        came_from=" ".join(fields.came_from.split())[:200],
        note=fields.note.strip(),
        position=" ".join(fields.position.split())[:200] if kind == Kind.CONTACT else "",
        company=_of_kind(fields.company, Kind.COMPANY, by) if kind != Kind.COMPANY else None,
        contact=_of_kind(fields.contact, Kind.CONTACT, by) if kind == Kind.DEAL else None,
        stage=_of_pipeline(fields.stage, kind, by) if kind in STAGED else None,
        amount=checked_amount(fields.amount) if kind == Kind.DEAL and fields.amount is not None else None,
        currency=checked_currency(fields.currency) if kind == Kind.DEAL else "",
        addresses=_addresses(fields.addresses) if kind in REACHED else (),
        phones=_phones(fields.phones) if kind in REACHED else (),
    )


def put(record: Record, fields: Fields, names: Collection[str]) -> None:
    """Write those fields of a record that are named, and with its name its place among others."""
    for name in names:
        setattr(record, name, getattr(fields, name))
    record.name_key = sort_key(record.name)
    record.save(update_fields=[*names, "name_key"] if names else [])


def write_reach(record: Record, fields: Fields) -> list[str]:
    """Write addresses and telephone numbers anew where they differ; returns which do. In the caller's transaction,
    which has written the other fields: what can be found of the record is these from now on."""
    changed = []
    now = fields_of(record)
    if now.addresses != fields.addresses:
        keep = {address_key(email) for email in fields.addresses}
        record.addresses.exclude(key__in=keep).delete()
        for position, email in enumerate(fields.addresses):
            key = address_key(email)
            values: dict[str, Any] = {
                "account_id": record.account_id, "email": email, "position": position,
                "domain": key.rpartition("@")[2],
            }  # fmt: skip
            EmailAddress.objects.update_or_create(record=record, key=key, defaults=values)
        changed.append("addresses")
    if now.phones != fields.phones:
        record.phones.all().delete()
        Phone.objects.bulk_create(
            Phone(
                account_id=record.account_id,
                record=record,
                number=number,
                key=phone_key(number),
                position=position,
            )
            for position, number in enumerate(fields.phones)
        )
        changed.append("phones")
    index_record(record, fields)
    return changed


def phone_key(number: str) -> str:
    """A telephone number as numbers are compared: its last nine digits, whatever code of country or area is before.

    Empty for what is too short to tell people apart.
    """
    digits = "".join(sign for sign in number if sign.isdigit())
    return digits[-9:] if len(digits) >= 7 else ""


def _of_kind(other: Record | None, kind: Kind, by: Employee) -> Record | None:
    if other is None:
        return None
    if other.account_id != by.account_id or other.kind != kind:  # F10
        raise ValueError(f"record {other.pk} is no {kind} of account {by.account_id}")
    return other


def _of_pipeline(stage: Stage | None, kind: str, by: Employee) -> Stage | None:
    if stage is None:
        return None
    if stage.account_id != by.account_id or stage.pipeline.kind != kind:  # F10
        raise ValueError(f"stage {stage.pk} is none of a {kind} of account {by.account_id}")
    return stage


def checked_amount(amount: Decimal) -> Decimal:
    """An amount of money, to the cent. Raises BadRecord."""
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        raise BadRecord(_("The amount must be a number from 0 upwards."))
    return amount.quantize(Decimal("0.01"))


def checked_currency(currency: str) -> str:
    """A currency's three letters, or nothing. Raises BadRecord."""
    code = currency.strip().upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise BadRecord(_("“%(typed)s” is not a currency: three letters such as EUR.") % {"typed": currency.strip()})
    return code


def _addresses(typed: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, in their order."""
    found: dict[str, str] = {}
    for each in typed:
        email = each.strip()
        if not email:
            continue
        if not is_address(email):
            raise BadRecord(_("“%(typed)s” is not an e-mail address.") % {"typed": email[:MOST_IN_ADDRESS]})
        found.setdefault(address_key(email), email)
    if len(found) > MOST_ADDRESSES:
        raise BadRecord(_("More than %(most)d addresses.") % {"most": MOST_ADDRESSES})
    return tuple(found.values())


def _phones(typed: tuple[str, ...]) -> tuple[str, ...]:
    numbers = dict.fromkeys(" ".join(each.split())[:60] for each in typed)
    return tuple(number for number in numbers if number)[:MOST_ADDRESSES]
