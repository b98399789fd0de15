"""A task is deleted, restored, deleted for good, or a letter is taken out of it; what goes along is said first."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.retention.letters import period_of_letter
from letterdesk.tasks.access import KEPT
from letterdesk.tasks.bin import NotInBin, StillOnItsWay, consequences, delete, purge, restore
from letterdesk.tasks.link import InBin, unlink
from letterdesk.tasks.models import Task, TaskLetter
from letterdesk.tasks.reading import tasks_of_letters
from letterdesk.web.bins import tell_back, tell_gone
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.request import Request

REFUSALS = (InBin, NotInBin, StillOnItsWay)


def deletion(request: Request, task_id: str) -> HttpResponse:
    """GET /tasks/<id>/deletion: what goes along. POST: into the bin with it (R29)."""
    found = _deletable(request, task_id, Task.objects.present())
    if request.method != "POST":
        return _ask(request, found, for_good=False)
    try:
        count = delete(found, by=request.employee, now=timezone.now())
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("tasks")
    tell_gone(request, _("Task #%(number)d is in the bin.") % {"number": found.number}, count)
    return redirect("tasks")


@require_POST
def restoration(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/restoration: back from the bin, with its letters."""
    now = timezone.now()
    found = _deletable(request, task_id, Task.objects.in_bin(now))
    try:
        count = restore(found, by=request.employee, now=now)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("tasks")
    tell_back(request, _("Task #%(number)d is back.") % {"number": found.number}, count)
    return redirect("task", found.public_id)


def purging(request: Request, task_id: str) -> HttpResponse:
    """GET /tasks/<id>/purging: what goes for good. POST: "Delete now" (R29)."""
    now = timezone.now()
    found = _deletable(request, task_id, Task.objects.in_bin(now))
    if request.method != "POST":
        return _ask(request, found, for_good=True)
    try:
        purge(found, by=request.employee, now=now)
        messages.success(request, _("Task #%(number)d is deleted for good.") % {"number": found.number})
    except REFUSALS as error:
        messages.error(request, str(error))
    answer = redirect("tasks")
    answer["Location"] += "?view=bin"
    return answer


def unlinking(request: Request, task_id: str, message_id: str) -> HttpResponse:
    """GET /tasks/<id>/letters/<letter>/unlinking: what becomes of the letter then. POST: take it out (R4)."""
    links = TaskLetter.objects.removable_by(request.employee).select_related("task", "message__mailbox__account")
    found = get_object_or_404(links, task__public_id=task_id, message__public_id=message_id)
    if request.method != "POST":
        facts = {"area": "tasks", "link": found, "next": ours(request.GET.get("next", "")), **_then(request, found)}
        return render(request, "web/tasks/unlink.html", facts)
    try:
        unlink(found.task, found.message, by=request.employee, now=timezone.now())
        messages.success(request, _("The letter is not in task #%(number)d any more.") % {"number": found.task.number})
    except REFUSALS as error:
        messages.error(request, str(error))
    if request.POST.get("next"):
        return redirect(next_of(request))
    return redirect("task", found.task.public_id)


def _deletable(request: Request, task_id: str, among: Any) -> Task:
    mine = Task.objects.deletable_by(request.employee).filter(pk__in=among.values("pk"))
    found: Task = get_object_or_404(mine.select_related("account"), public_id=task_id)
    return found


def _ask(request: Request, found: Task, *, for_good: bool) -> HttpResponse:
    told = consequences(found, for_good=for_good)
    readable = TaskLetter.objects.readable_by(request.employee)
    owners = sorted({str(mailbox.owner) for mailbox in told.mailboxes if mailbox.owner_id != request.employee.pk})
    facts = {
        "area": "tasks",
        "task": found,
        "told": told,
        "owners": owners,
        "readable": set(readable.filter(task=found).values_list("message", flat=True)),
        "for_good": for_good,
        "until": timezone.now() + KEPT,
    }
    return render(request, "web/tasks/delete.html", facts)


def _then(request: Request, link: TaskLetter) -> dict[str, Any]:
    """What becomes of the letter: other tasks that keep it, or when it leaves Webmail (R9)."""
    others = tasks_of_letters([link.message_id], employee=request.employee).get(link.message_id, [])
    now = timezone.now()
    mailbox = link.message.mailbox
    # What the server has no more, and what was forgotten with its mailbox, goes with the next pass or job.
    is_gone_there = link.message.unplaced_at is not None or mailbox.forgotten_at is not None
    leaves_at: datetime | None = period_of_letter(link.message, now).leaves_at(link.message.received_at)
    return {
        "others": [each for each in others if each.number != link.task.number],
        "leaves_at": leaves_at,
        "is_over": is_gone_there or (leaves_at is not None and leaves_at - now <= timedelta(0)),
        "is_last_copy": is_gone_there or not mailbox.imap_host,
    }
