"""Tells people: writes their lines, set-based, in the transaction of the reaction, and wakes what pushes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Conversation, Mailbox
from letterdesk.outbound.models import Delivery
from letterdesk.tasks.models import Task

from .decide import PATIENCE
from .jobs import push_to_person
from .models import Notification, PushBrowser, Telling


@dataclass(frozen=True, slots=True)
class About:
    """What a line is about. `name` ("mailbox:<id>") is what makes two happenings one line, while it is not seen."""

    name: str
    mailbox: Mailbox | None = None
    conversation: Conversation | None = None
    task: Task | None = None
    delivery: Delivery | None = None


def tell(
    people: Collection[int],
    kind: str,
    about: About,
    *,
    account: Account,
    now: datetime,
    count: int = 1,
    by: Employee | None = None,
) -> int:
    """Tell these employees, by key; returns for how many it is a line of its own, others have theirs counted on.

    `now`: when it happened. Whoever has a line about the same that is as new was told: a reaction that runs twice
    tells once. What happened in several conversations names none of them.
    """
    about_it = Notification.objects.filter(kind=kind, about=about.name)
    told = about_it.filter(employee=OuterRef("pk"), at__gte=now)
    working = Employee.objects.filter(pk__in=people, account=account, dismissed_at=None, is_active=True)
    working = working.exclude(Exists(told))
    wanted = set(working.values_list("pk", flat=True))
    lines = about_it.filter(employee__in=wanted, seen_at=None)
    known = set(lines.select_for_update().values_list("employee_id", flat=True))
    lines.exclude(conversation=about.conversation).update(conversation=None)
    lines.update(count=F("count") + count, at=now, by=by, pushed_at=None, mailed_at=None)
    facts = {name: getattr(about, name) for name in ("mailbox", "conversation", "task", "delivery")}
    Notification.objects.bulk_create(
        Notification(account=account, employee_id=pk, kind=kind, about=about.name, count=count, at=now, by=by, **facts)
        for pk in sorted(wanted - known)
    )
    for person in Employee.objects.filter(pk__in=wanted - known).order_by("pk"):
        record("notification.made", account=account, topic=person.topic, about=about.name.partition(":")[0])
    wake(wanted, now=now)
    return len(wanted - known)


def wake(people: Collection[int], *, now: datetime) -> None:
    """Something is to be pushed to these people, where they have a browser for it. Inside the caller's transaction."""
    browsers = PushBrowser.objects.filter(employee=OuterRef("employee"))
    due_at = now + PATIENCE
    woken = Telling.objects.filter(Exists(browsers), employee__in=people)
    woken.update(wakes=F("wakes") + 1, push_due_at=Coalesce("push_due_at", due_at))
    for key in woken.filter(push_due_at=due_at).values_list("pk", flat=True):
        push_to_person.after(PATIENCE.total_seconds(), key)


def unsay(kind: str, about: str, *, now: datetime, people: Collection[int] | None = None) -> int:
    """It is not so any more: whoever was told of it need not look. Returns how many lines that were."""
    lines = Notification.objects.filter(kind=kind, about=about, seen_at=None)
    return (lines if people is None else lines.filter(employee__in=people)).update(seen_at=now)
