"""Keeps what a person searched for: the recent ones by themselves, others under a name until they are forgotten."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee

from .models import SavedSearch

MOST_RECENT = 20
MOST_SAVED = 200


class TooMany(ValueError):
    """There are as many saved searches as may be; the text says what to do."""


@transaction.atomic
def remember(employee: Employee, query: str, *, now: datetime) -> None:
    """Note that this was searched for; the oldest of the recent ones is forgotten."""
    mine = SavedSearch.objects.visible_to(employee)
    SavedSearch.objects.update_or_create(
        account_id=employee.account_id, employee=employee, query=query, defaults={"used_at": now}
    )
    old = mine.filter(is_saved=False).order_by("-used_at", "-pk").values_list("pk", flat=True)[MOST_RECENT:]
    SavedSearch.objects.filter(pk__in=list(old)).delete()


@transaction.atomic
def save(employee: Employee, query: str, *, name: str, now: datetime) -> SavedSearch:
    """Keep this search until it is forgotten, under a name. Raises TooMany."""
    saved = SavedSearch.objects.visible_to(employee).filter(is_saved=True)
    if saved.exclude(query=query).count() >= MOST_SAVED:
        raise TooMany(_("There are %(most)s saved searches. Forget one first.") % {"most": MOST_SAVED})
    kept, _made = SavedSearch.objects.update_or_create(
        account_id=employee.account_id,
        employee=employee,
        query=query,
        defaults={"used_at": now, "name": name[:100], "is_saved": True},
    )
    return kept
