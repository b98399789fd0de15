"""How large accounts are, in numbers: never what is in them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from letterdesk.accounts.models import Account, Employee
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.tasks.models import Task


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """People at work, mailboxes that are kept, letters here and their bytes as sent, tasks, the latest sync."""

    people: int = 0
    mailboxes: int = 0
    failing: int = 0
    letters: int = 0
    size: int = 0
    tasks: int = 0
    last_synced_at: datetime | None = None


def figures_of(account: Account) -> AccountFigures:
    """The figures of one account."""
    return figures([account.pk]).get(account.pk, AccountFigures())


def figures(accounts: Collection[int]) -> dict[int, AccountFigures]:
    """The figures of these accounts, by key: four queries, however many they are."""
    ids = list(accounts)
    people = _counts(Employee.objects.filter(account__in=ids, is_active=True))
    tasks = _counts(Task.objects.filter(account__in=ids, deleted_at=None))
    boxes = {
        row["account"]: row
        for row in Mailbox.objects.filter(account__in=ids, forgotten_at=None)
        .order_by()
        .values("account")
        .annotate(n=Count("pk"), failing=Count("pk", filter=Q(state="failing")), last=Max("last_synced_at"))
    }
    letters = {
        row["mailbox__account"]: row
        for row in Message.objects.filter(mailbox__account__in=ids)
        .order_by()
        .values("mailbox__account")
        .annotate(n=Count("pk"), bytes=Sum("size"))
    }
    return {
        pk: AccountFigures(
            people=people.get(pk, 0),
            mailboxes=boxes[pk]["n"] if pk in boxes else 0,
            failing=boxes[pk]["failing"] if pk in boxes else 0,
            letters=letters[pk]["n"] if pk in letters else 0,
            size=(letters[pk]["bytes"] or 0) if pk in letters else 0,
            tasks=tasks.get(pk, 0),
            last_synced_at=boxes[pk]["last"] if pk in boxes else None,
        )
        for pk in ids
    }


def _counts(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("account").annotate(number=Count("pk")))
