"""Keeps lists of records with their filters under a name, for oneself or for everyone, as saved searches are kept.

Its author and administrators change one that is everyone's. In which order a person sees views is their own matter.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from letterdesk.accounts.dismiss import KEPT, ends_at
from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import prefer

from ..models import ListView

MOST = 100  # of one person
MOST_SHOWN = 300  # own ones, and those that others share
LONGEST_NAME = 100
LONGEST_QUERY = 1000  # characters
ORDER = "list_views"  # among a person's preferences


class BadView(ValueError):
    """This cannot be kept as a view; the text says why, in words for people."""


def query_of(filters: Iterable[tuple[str, str]]) -> str:
    """The filters of a list as a view keeps and compares them: in one order, without those that ask for nothing."""
    clean = ((name.replace("\0", " "), value.replace("\0", " ").strip()) for name, value in filters)
    return urlencode(sorted((name, value) for name, value in clean if value))


@transaction.atomic
def save(employee: Employee, kind: str, query: str, *, name: str, is_everyones: bool = False) -> ListView:
    """Keep this list under a name; one with the same filters (`query_of`) gets the name anew. Raises BadView."""
    Employee.objects.select_for_update().get(pk=employee.pk)  # two at once are no more than may be
    others = ListView.objects.of(employee).exclude(kind=kind, query=query)
    if others.count() >= MOST:
        raise BadView(_("There are %(most)s views of yours. Forget one first.") % {"most": MOST})
    if len(query) > LONGEST_QUERY:
        raise BadView(_("These are too many filters for a view."))
    kept, _made = ListView.objects.update_or_create(
        account_id=employee.account_id,
        employee=employee,
        kind=kind,
        query=query,
        defaults={"name": _name(name), "is_everyones": is_everyones},
    )
    return kept


def change(view: ListView, *, name: str, is_everyones: bool) -> None:
    """Another name, or shared otherwise; who may do so, the caller has checked. Raises BadView."""
    view.name, view.is_everyones = _name(name), is_everyones
    view.save(update_fields=["name", "is_everyones"])


def views_of(employee: Employee, kind: str = "") -> list[ListView]:
    """The views that this employee sees, of one kind of records or of all, in their order; new ones last, by name.

    Each knows whether it `is_editable` by them. Where there are too many, some that others share are left out.
    """
    editable = ListView.objects.editable_by(employee).filter(pk=OuterRef("pk"))
    found = ListView.objects.visible_to(employee).select_related("employee").annotate(is_editable=Exists(editable))
    if kind:
        found = found.filter(kind=kind)
    places = {public_id: place for place, public_id in enumerate(employee.preferences.get(ORDER, []))}
    found = found.annotate(is_own=Q(employee=employee.pk))
    shown = found.order_by("-is_own", "pk")[:MOST_SHOWN]
    last = len(places)
    return sorted(shown, key=lambda each: (places.get(each.public_id, last), each.name.casefold()))


def move(employee: Employee, view: ListView, *, by: int) -> None:
    """Show the view so many places further along (less than 0: further ahead) among those of its kind."""
    kinds = {each.public_id: each.kind for each in views_of(employee)}
    order = [key for key, kind in kinds.items() if kind == view.kind]
    if view.public_id not in order:
        return
    at = order.index(view.public_id)
    order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
    prefer(employee, **{ORDER: [key for key, kind in kinds.items() if kind != view.kind] + order})


def forget_left(*, now: datetime) -> int:
    """Views that people who left kept for themselves go with what else they left behind: after 30 days, or later, as
    warnings say (`ends_at`). Returns how many."""
    own = ListView.objects.filter(is_everyones=False, employee__dismissed_at__lte=now - KEPT)
    people = own.values_list("employee", "employee__dismissed_at", "employee__warned_at").distinct()
    over = [person for person, dismissed_at, warned_at in people if ends_at(dismissed_at, warned_at) <= now]
    count, _of_kinds = ListView.objects.filter(is_everyones=False, employee__in=over).delete()
    return count


def _name(typed: str) -> str:
    name = " ".join(typed.replace("\0", "").split())[:LONGEST_NAME]
    if not name:
        raise BadView(_("A name is needed."))
    return name
