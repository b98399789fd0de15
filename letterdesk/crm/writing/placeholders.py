"""What a template says of a record: `{{ contact.name }}` and its kin, of what the reader may see alone."""

from letterdesk.accounts.models import Account, Employee

from ..models import Kind, OwnField, Record
from ..own.said import placeholder_of
from ..own.values import own_fields_of, shown_at


def values_at(record: Record, employee: Employee) -> dict[str, str]:
    """The values of the placeholders at this record, its contact and its company; "" or absent where there is none.

    The caller has found the record by right; what belongs to it is looked up by right here.
    """
    wanted = {record.pk, record.contact_id, record.company_id} - {None}
    seen = Record.objects.visible_to(employee).present().select_related("stage")
    found = {each.pk: each for each in seen.filter(pk__in=wanted).prefetch_related("addresses", "phones")}
    of_kind = {found[pk].kind: found[pk] for pk in (record.company_id, record.contact_id, record.pk) if pk in found}
    return {
        f"{kind}.{name}": value
        for kind, each in of_kind.items()
        for name, value in (_values(each) | _own(each, employee.account)).items()
    }


def own_placeholders(account: Account) -> list[str]:
    """What templates call the own fields of an account: `contact.own.customer_number`."""
    fields = OwnField.objects.filter(account=account, is_retired=False).order_by("kind", "position", "pk")
    return list(dict.fromkeys(f"{field.kind}.{placeholder_of(field)}" for field in fields))


def _own(record: Record, account: Account) -> dict[str, str]:
    """Of two fields that templates call the same the first one."""
    shown = shown_at(record, own_fields_of(account, record.kind))
    return {placeholder_of(each.field): each.words for each in reversed(shown)}


def _values(record: Record) -> dict[str, str]:
    addresses = sorted(record.addresses.all(), key=lambda one: (one.position, one.pk))
    phones = sorted(record.phones.all(), key=lambda one: (one.position, one.pk))
    values = {
        "name": record.name,
        "email": addresses[0].email if addresses else "",
        "phone": phones[0].number if phones else "",
    }
    if record.kind == Kind.CONTACT:
        values |= {"first_name": record.name.split(" ")[0], "position": record.position}
    if record.kind == Kind.DEAL:
        amount = "" if record.amount is None else f"{record.amount:,.2f} {record.currency}".strip()
        values |= {"stage": record.stage.name if record.stage else "", "amount": amount}
    return values
