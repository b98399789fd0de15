"""The records of CRM that a task is about: added and taken away by who may change the task and sees the record."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.crm.models import Record
from letterdesk.tasks.bind import bind, release
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import Task
from letterdesk.web.crm.letter import record_named, search_facts
from letterdesk.web.request import Request


def task_records(request: Request, task_id: str) -> HttpResponse:
    """GET /tasks/<id>/records?q=: records to add. POST `change` "add" or "take", `record`."""
    tasks = Task.objects.editable_by(request.employee).select_related("account")
    found: Task = get_object_or_404(tasks, public_id=task_id)
    if request.method != "POST":
        facts = {"area": "tasks", "task": found, **search_facts(request)}
        return render(request, "web/tasks/records_page.html", facts)
    _change(request, found, record_named(request, "record"))
    answer = redirect("task", found.public_id)
    answer["Location"] += "#records"
    return answer


def _change(request: Request, task: Task, record: Record) -> None:
    wanted = request.POST.get("change", "")
    if wanted not in {"add", "take"}:
        raise Http404
    try:
        if wanted == "add":
            bind(task, record, by=request.employee, now=timezone.now())
            messages.success(request, _("%(name)s is at this task now.") % {"name": record.name})
        elif release(task, record, by=request.employee):
            messages.success(request, _("%(name)s is not at this task any more.") % {"name": record.name})
    except InBin as error:
        messages.error(request, str(error))


def record_asked(request: Request, named: str) -> Record | None:
    """The record that a new task shall be about, if the reader sees one of that name."""
    mine = Record.objects.editable_by(request.employee).present()
    found: Record | None = mine.filter(public_id=named).first() if named else None
    return found
