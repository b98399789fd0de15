"""Reminders of tasks: asked for on a task's page, listed, and told among the notifications."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import Notice, Reminder, Status, Task
from letterdesk.tasks.notices import SHOWN
from letterdesk.tasks.reminders import due_before, remind_at, remind_before
from letterdesk.web.mail.acts import next_of
from letterdesk.web.moments import MomentField
from letterdesk.web.request import Request

MOST_LISTED = 100


def _notices(employee: Employee, now: datetime) -> Any:
    return Notice.objects.visible_to(employee).filter(at__gte=now - SHOWN)


def reminders(request: Request) -> HttpResponse:
    """GET /reminders: what was told lately, and what is to come. POST: all of it is seen."""
    now = timezone.now()
    told = _notices(request.employee, now)
    if request.method == "POST":
        told.filter(seen_at=None).update(seen_at=now)
        return redirect("reminders")
    coming = Reminder.objects.visible_to(request.employee).filter(told_at=None, due_at__gt=now)
    facts = {
        "area": "tasks",
        "view": "reminders",
        "told": told.select_related("task").order_by("-at", "-pk")[:MOST_LISTED],
        "coming": coming.exclude(task__status=Status.DONE).select_related("task").order_by("due_at")[:MOST_LISTED],
        "here": request.path,
    }
    return render(request, "web/reminders/page.html", facts)


@require_POST
def notice_seen(request: Request, notice_id: int) -> HttpResponse:
    """POST /reminders/<notice>/seen: it is not counted any more."""
    notice = get_object_or_404(Notice.objects.visible_to(request.employee), pk=notice_id)
    notice.seen_at = timezone.now()
    notice.save(update_fields=["seen_at"])
    return redirect(next_of(request) if request.POST.get("next") else "reminders")


# On the page of a task


def reminder_facts(employee: Employee, task: Task, now: datetime) -> dict[str, Any]:
    """This employee's reminders of the task, and those before the deadline that can still be had."""
    own = Reminder.objects.visible_to(employee).filter(task=task, told_at=None).order_by("due_at", "pk")
    offered = [(0, _("At the deadline")), (60, _("1 hour before")), (24 * 60, _("1 day before"))]
    due = {minutes: due_before(task.deadline, minutes) for minutes, _name in offered}
    had = {each.minutes_before for each in own}
    before = [(minutes, name) for minutes, name in offered if minutes not in had and (due[minutes] or now) > now]
    return {"reminders": own, "before": before}


@require_POST
def task_reminders(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/reminders: remind me `when` (minutes before the deadline), or `at` a time of my zone."""
    tasks = Task.objects.editable_by(request.employee).select_related("account")
    found: Task = get_object_or_404(tasks, public_id=task_id)
    try:
        _remind(request, found)
        messages.success(request, _("You will be reminded."))
    except (BadTask, InBin) as error:
        messages.error(request, str(error))
    answer = redirect("task", found.public_id)
    answer["Location"] += "#reminders"
    return answer


def _remind(request: Request, task: Task) -> None:
    now, when = timezone.now(), request.POST.get("when", "")
    if when.isascii() and when.isdigit() and len(when) < 8:
        remind_before(task, int(when), by=request.employee, now=now)
        return
    try:
        at = MomentField().clean(request.POST.get("at", ""))
    except forms.ValidationError:
        raise BadTask(_("That is no time.")) from None
    remind_at(task, at, by=request.employee, now=now)


@require_POST
def reminder_removal(request: Request, reminder_id: int) -> HttpResponse:
    """POST /task-reminders/<id>/removal: not to be reminded of it."""
    reminder = get_object_or_404(Reminder.objects.editable_by(request.employee).select_related("task"), pk=reminder_id)
    reminder.delete()
    if request.POST.get("next"):
        return redirect(next_of(request))
    return redirect("task", reminder.task.public_id)
