"""Whom a field for recipients offers while somebody types: colleagues, people of CRM, and who was written with."""

from collections.abc import Iterator

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import EmailAddress
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.search.suggest import correspondents
from letterdesk.web.request import Request
from letterdesk.web.writing.form import one_of

MOST = 8
SHORTEST = 2  # letters, from which on letters and CRM are looked through


def recipients(request: Request) -> HttpResponse:
    """GET /recipients?q=…: people whose name or address begins so, each once, as options."""
    typed = request.GET.get("q", "").strip()[:100]
    found: dict[str, dict[str, str]] = {}
    for name, address in _all(request.employee, typed) if typed else ():
        shown = {"shown": name or address, "address": address if name else "", "value": one_of(name, address)}
        found.setdefault(address_key(address), shown)
    return render(request, "web/compose/options.html", {"people": list(found.values())[:MOST]})


def _all(employee: Employee, typed: str) -> Iterator[tuple[str, str]]:
    begins = Q(name__istartswith=typed) | Q(email__istartswith=typed) | Q(name__icontains=f" {typed}")
    colleagues = Employee.objects.visible_to(employee).working().filter(begins).exclude(pk=employee.pk)
    yield from colleagues.order_by("name").values_list("name", "email")[:MOST]
    if len(typed) < SHORTEST:
        return
    yield from correspondents(employee, typed, now=timezone.now(), most=MOST)
    begins = Q(key__startswith=address_key(typed)) | Q(record__name__istartswith=typed)
    known = EmailAddress.objects.visible_to(employee).filter(begins, record__deleted_at=None)
    yield from known.order_by("-record__active_at").values_list("record__name", "email")[:MOST]
