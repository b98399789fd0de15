"""The lists of tasks: mine, all that one may see, those in the bin; filtered, by deadline, with their counts."""

from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.lists import count_of

from .models import ChecklistItem, Comment, Status, Task, TaskLetter

VIEWS = ("mine", "all", "bin")
STATUSES = ("open", "done", "any")


def task_list(
    employee: Employee,
    view: str,
    *,
    now: datetime,
    status: str = "open",
    words: str = "",
    responsible: Employee | None = None,
) -> QuerySet[Any]:
    """Tasks in one of VIEWS, with `letter_count`, `item_count`, `done_count` and `comment_count`.

    `status` is one of STATUSES, the bin has all; `words` must be in the title, or be the number.
    """
    tasks: Any = Task.objects.naming(employee) if view == "mine" else Task.objects.visible_to(employee)
    tasks = tasks.in_bin(now) if view == "bin" else tasks.present()
    if view != "bin" and status != "any":
        tasks = tasks.filter(status=Status.DONE) if status == "done" else tasks.exclude(status=Status.DONE)
    if responsible is not None:
        tasks = tasks.filter(responsible=responsible)
    for word in words.split()[:10]:
        number = word.removeprefix("#")
        is_number = number.isascii() and number.isdigit() and len(number) < 9
        tasks = tasks.filter(number=int(number)) if is_number else tasks.filter(title__icontains=word)
    found: QuerySet[Any] = _with_counts(tasks).select_related("responsible", "creator", "deleted_by")
    if view == "bin":
        return found.order_by("-deleted_at", "-pk")
    if status == "done":
        return found.order_by("-done_at", "-pk")
    return found.order_by(F("deadline").asc(nulls_last=True), "-pk")


def _with_counts(tasks: Any) -> Any:
    this = OuterRef("pk")
    items = ChecklistItem.objects.filter(task=this)
    return tasks.annotate(
        letter_count=count_of(TaskLetter.objects.filter(task=this)),
        item_count=count_of(items),
        done_count=count_of(items.filter(is_done=True)),
        comment_count=count_of(Comment.objects.filter(task=this)),
    )
