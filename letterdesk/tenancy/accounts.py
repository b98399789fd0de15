"""The accounts of an installation as an operator sees them: numbers and dates, nothing of what is in them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Account, Employee

PER_PAGE = 25


def accounts_for(operator: Employee) -> QuerySet[Account]:
    """All accounts for an operator at work, none for anybody else; asked of the row, not of the object passed in."""
    is_one = Employee.objects.filter(pk=operator.pk, is_operator=True, is_active=True, dismissed_at=None).exists()
    found: QuerySet[Account] = Account.objects.select_related("subscription") if is_one else Account.objects.none()
    return found


def page_of(accounts: QuerySet[Any], *, words: str = "", after: str = "") -> tuple[Sequence[Account], str]:
    """A page by age, the newest first, and the key of the next one (empty: there is none).

    `words` are in the name, or are the public id; `after` is the key that an earlier page gave.
    """
    if words.strip():
        accounts = accounts.filter(Q(name__icontains=words.strip()) | Q(public_id=words.strip()))
    if after.isascii() and after.isdigit() and len(after) < 19:
        accounts = accounts.filter(pk__lt=int(after))
    found = list(accounts.order_by("-pk")[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    return shown, str(shown[-1].pk) if len(found) > PER_PAGE else ""
