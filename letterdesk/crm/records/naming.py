"""Records as people name them: the company of a contact, the contact of a deal; found in their sight, or made."""

from datetime import datetime

from letterdesk.accounts.models import Employee

from ..models import Kind, Record
from .create import create
from .fields import Fields, fields_of

MOST_OFFERED = 200


def known_names(employee: Employee, kind: str) -> list[str]:
    """Names that a form offers: of what was active last."""
    seen = Record.objects.visible_to(employee).present().filter(kind=kind).order_by("-active_at", "-pk")
    return list(dict.fromkeys(seen.values_list("name", flat=True)[:MOST_OFFERED]))


def usual_currency(employee: Employee) -> str:
    """The currency of the deal that was made last, of those that the employee may see; empty: none says one."""
    deals = Record.objects.visible_to(employee).present().filter(kind=Kind.DEAL).exclude(currency="")
    found: str = deals.order_by("-pk").values_list("currency", flat=True).first() or ""
    return found


def named(employee: Employee, kind: str, name: str) -> Record | None:
    """The record of this name that the employee may see; of several the one that was active last."""
    line = " ".join(name.split())
    if not line:
        return None
    seen = Record.objects.visible_to(employee).present().filter(kind=kind, name__iexact=line)
    found: Record | None = seen.order_by("-active_at", "-pk").first()
    return found


def named_or_new(
    employee: Employee, kind: Kind, name: str, *, responsible: Employee, company: Record | None, now: datetime
) -> Record | None:
    """The record of this name, made where there is none; None: the name is empty. Raises BadRecord."""
    found = named(employee, kind, name)
    if found is not None or not name.strip():
        return found
    return create(kind, Fields(name=name, responsible=responsible, company=company), by=employee, now=now)


def as_kept(record: Record) -> Fields:
    """What stands in a record, also what the reader of its page may not see."""
    return fields_of(Record.objects.get(pk=record.pk))
