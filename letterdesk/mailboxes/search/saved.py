"""Keeps what a person searched for: the recent ones by themselves, views under a name until they are forgotten.

A view may be shared; its author and administrators change it. In which order a person sees views is their own matter.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import prefer

from ..models import Mailbox, SavedSearch

MOST_RECENT = 20
MOST_SAVED = 200
MOST_SHOWN = 400  # own ones, and those that others share


class TooMany(ValueError):
    """There are as many saved searches as may be; the text says what to do."""


@transaction.atomic
def remember(employee: Employee, query: str, *, now: datetime) -> None:
    """Note that this was searched for; the oldest of the recent ones is forgotten."""
    SavedSearch.objects.update_or_create(
        account_id=employee.account_id, employee=employee, query=query, defaults={"used_at": now}
    )
    recent = SavedSearch.objects.of(employee).filter(is_saved=False)
    old = recent.order_by("-used_at", "-pk").values_list("pk", flat=True)[MOST_RECENT:]
    SavedSearch.objects.filter(pk__in=list(old)).delete()


@transaction.atomic
def save(
    employee: Employee,
    query: str,
    *,
    name: str,
    now: datetime,
    mailbox: Mailbox | None = None,
    is_everyones: bool = False,
) -> SavedSearch:
    """Keep this search until it is forgotten, under a name. Raises TooMany.

    `mailbox`: shared with who reads it, as the caller has checked that `employee` does; `is_everyones`: with all.
    """
    saved = SavedSearch.objects.of(employee).filter(is_saved=True)
    if saved.exclude(query=query).count() >= MOST_SAVED:
        raise TooMany(_("There are %(most)s saved searches. Forget one first.") % {"most": MOST_SAVED})
    shared = {"mailbox": None if is_everyones else mailbox, "is_everyones": is_everyones}
    kept, _made = SavedSearch.objects.update_or_create(
        account_id=employee.account_id,
        employee=employee,
        query=query,
        defaults={"used_at": now, "name": name[:100], "is_saved": True, **shared},
    )
    return kept


def change(view: SavedSearch, *, name: str, mailbox: Mailbox | None = None, is_everyones: bool = False) -> None:
    """Another name, or shared with others; who may do so, the caller has checked."""
    view.name, view.is_everyones = name[:100], is_everyones
    view.mailbox = None if is_everyones else mailbox
    view.save(update_fields=["name", "mailbox", "is_everyones"])


def views_of(employee: Employee) -> list[SavedSearch]:
    """The views that this employee sees, in their order; those without a place in it last, by name.

    Each knows whether it `is_editable` by them. Where there are too many, some that others share are left out.
    """
    editable = SavedSearch.objects.editable_by(employee).filter(pk=OuterRef("pk"))
    found = SavedSearch.objects.visible_to(employee).filter(is_saved=True).select_related("mailbox", "employee")
    found = found.annotate(is_editable=Exists(editable), is_own=Q(employee=employee.pk))
    places = {public_id: place for place, public_id in enumerate(employee.preferences.get("views", []))}
    last = len(places)
    shown = found.order_by("-is_own", "pk")[:MOST_SHOWN]
    return sorted(shown, key=lambda each: (places.get(each.public_id, last), str(each).casefold()))


def recent_of(employee: Employee, *, most: int) -> QuerySet[SavedSearch]:
    """What this employee searched for lately, the latest first; asked when it is looked at."""
    recent = SavedSearch.objects.of(employee).filter(is_saved=False)
    latest: QuerySet[SavedSearch] = recent.order_by("-used_at", "-pk")[:most]
    return latest


def move(employee: Employee, view: SavedSearch, *, by: int) -> None:
    """Show the view so many places further down (up: less than 0) in this employee's order; no further than its end.

    One beyond those that are shown stays where it is.
    """
    order = [each.public_id for each in views_of(employee)]
    if view.public_id not in order:
        return
    at = order.index(view.public_id)
    order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
    prefer(employee, views=order)
