"""Records as people name them: the company of a contact, the contact of a deal; found in their sight, or made."""

import re
from collections import Counter
from datetime import datetime

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key

from ..linking.identity import is_address
from ..models import EmailAddress, Kind, Record
from .create import create
from .fields import Fields, fields_of

MOST_OFFERED = 200
_WITH_ADDRESS = re.compile(r"([^<>]*[^<> ]) ?<([^<> ]+)>")


def known_names(employee: Employee, kind: str) -> list[str]:
    """Names that a form offers: of what was active last; where several are called the same, each with its address."""
    seen = Record.objects.visible_to(employee).present().filter(kind=kind).order_by("-active_at", "-pk")
    found = dict(seen.values_list("pk", "name")[:MOST_OFFERED])
    counts = Counter(name.casefold() for name in found.values())
    several = [pk for pk, name in found.items() if counts[name.casefold()] > 1]
    addresses = EmailAddress.objects.filter(record__in=several).order_by("-position", "-pk") if several else ()
    first = {each.record_id: each.email for each in addresses}
    return list(dict.fromkeys(f"{name} <{first[pk]}>" if pk in first else name for pk, name in found.items()))


def usual_currency(employee: Employee) -> str:
    """The currency of the deal that was made last, of those that the employee may see; empty: none says one."""
    deals = Record.objects.visible_to(employee).present().filter(kind=Kind.DEAL).exclude(currency="")
    found: str = deals.order_by("-pk").values_list("currency", flat=True).first() or ""
    return found


def named(employee: Employee, kind: str, name: str) -> Record | None:
    """The record of this name that the employee may see; of several the one that was active last.

    `Name <address>`: the one that has the address, too.
    """
    called, address = _called(name)
    if not called:
        return None
    seen = Record.objects.visible_to(employee).present().filter(kind=kind, name__iexact=called)
    theirs = seen.filter(addresses__key=address_key(address)) if address else seen
    found: Record | None = theirs.order_by("-active_at", "-pk").first()
    return found


def named_or_new(
    employee: Employee, kind: Kind, name: str, *, responsible: Employee, company: Record | None, now: datetime
) -> Record | None:
    """The record of this name, made where there is none; None: the name is empty. Raises BadRecord."""
    found = named(employee, kind, name)
    if found is not None or not name.strip():
        return found
    called, address = _called(name)
    fields = Fields(name=called, responsible=responsible, company=company, addresses=(address,) if address else ())
    return create(kind, fields, by=employee, now=now)


def _called(typed: str) -> tuple[str, str]:
    """A name, and the address behind it or nothing."""
    line = " ".join(typed.split())
    found = _WITH_ADDRESS.fullmatch(line)
    return (found[1], found[2]) if found and is_address(found[2]) else (line, "")


def as_kept(record: Record) -> Fields:
    """What stands in a record, also what the reader of its page may not see."""
    return fields_of(Record.objects.get(pk=record.pk))
