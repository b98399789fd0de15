"""A task is moved, to another status or another day: by a plain form, or by the board's script.

What the person saw goes along; where a colleague was quicker, the task stays where they put it (409).
"""

from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.tasks.change import MovedMeanwhile, change_status, put_on
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.days import on_day
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import Status, Task
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request
from letterdesk.web.templatetags.letterdesk import long_time

REFUSALS = (BadTask, InBin, MovedMeanwhile)


@require_POST
def task_status(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/status: how far it has come; `seen`: how far it had."""
    found = _editable(request, task_id)
    wish, seen = request.POST.get("status", ""), request.POST.get("seen", "")
    try:
        change_status(found, wish, by=request.employee, now=timezone.now(), seen=seen)
    except REFUSALS as error:
        return _refused(request, found, error)
    return _moved(request, found, str(Status(found.status).label))


@require_POST
def task_deadline(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/deadline: on another `day`, or on none, at the time that it had; `seen`: the deadline it had."""
    found = _editable(request, task_id)
    try:
        day, now = _day(request.POST.get("day", "")), timezone.localtime()
        deadline = on_day(day, found.deadline, now) if day else None
        put_on(found, deadline, by=request.employee, now=now, seen=request.POST.get("seen", ""))
    except REFUSALS as error:
        return _refused(request, found, error)
    return _moved(request, found, long_time(found.deadline) or _("No date"))


def _editable(request: Request, task_id: str) -> Task:
    tasks = Task.objects.editable_by(request.employee).select_related("account")
    found: Task = get_object_or_404(tasks, public_id=task_id)
    return found


def _day(written: str) -> date | None:
    """A day, or none where nothing is written. Raises BadTask."""
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise BadTask(_("That is no day.")) from None


def _moved(request: Request, found: Task, place: str) -> HttpResponse:
    if request.htmx:  # the board shows it already
        return HttpResponse(status=204)
    messages.success(request, f"{found}: {place}")
    return _back(request, found)


def _refused(request: Request, found: Task, error: Exception) -> HttpResponse:
    messages.error(request, str(error))
    if request.htmx:
        return render(request, "web/toasts.html", {"next": next_of(request)}, status=409)
    return _back(request, found)


def _back(request: Request, found: Task) -> HttpResponse:
    return redirect(next_of(request)) if request.POST.get("next") else redirect("task", found.public_id)
