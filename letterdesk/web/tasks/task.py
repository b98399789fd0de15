"""The page of a task: what it says, its letters, checklist, files and comments; each changed by a plain form."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.reading import ReadLetter
from letterdesk.mailboxes.retention.holds import tell_legal
from letterdesk.mailboxes.retention.letters import storage_line
from letterdesk.tasks import files as own_files
from letterdesk.tasks.bind import records_of
from letterdesk.tasks.change import (
    ChangedMeanwhile,
    NotAllowed,
    change,
    comment,
    people_in,
    version_of,
)
from letterdesk.tasks.checklist import add_item, tick
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import ChecklistItem, Status, Task, TaskFile, TaskLetter
from letterdesk.web.mail.acts import next_of
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.mail.letter_facts import letter_facts
from letterdesk.web.mail.letters import letters_of
from letterdesk.web.request import Request
from letterdesk.web.tasks.form import TaskForm, form_of
from letterdesk.web.tasks.guests import back_to_guests, guest_facts, invite, write_to_guests
from letterdesk.web.tasks.reminders import reminder_facts

REFUSALS = (BadTask, InBin, NotAllowed)


def task(request: Request, task_id: str) -> HttpResponse:
    """GET /tasks/<id>: the page, also in the bin. POST: change what it says and who is in it."""
    if request.method != "POST":
        found = get_object_or_404(_with_people(Task.objects.visible_to(request.employee)), public_id=task_id)
        return task_page(request, found)
    found = _editable(request, task_id)
    form = TaskForm(request.employee, request.POST, task=found)
    if not form.is_valid():
        return task_page(request, found, form=form, status=422)
    try:
        seen = request.POST.get("seen", "")
        change(found, by=request.employee, now=timezone.now(), seen=seen, **form.wish())
        messages.success(request, _("Saved."))
    except ChangedMeanwhile as error:
        form.add_error(None, str(error))
        return task_page(request, found, form=form, status=409)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("task", found.public_id)


def task_page(
    request: Request,
    found: Task,
    *,
    form: TaskForm | None = None,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; with a form that was refused, opened at it; `typed`: into the other forms, and not taken."""
    if found.deleted_at is not None and not Task.objects.in_bin(timezone.now()).filter(pk=found.pk).exists():
        raise Http404  # R29: its 30 days are over, whether or not it was purged
    now = timezone.now()
    facts = {
        "area": "tasks",
        "task": found,
        "people": people_in(found),
        "form": form or form_of(found, request.employee),
        "is_changing": form is not None,
        "version": version_of(found),
        "statuses": Status.choices,
        "is_overdue": found.is_overdue(now),
        "letters": _letters(request, found),
        "items": found.checklist.order_by("pk"),
        "files": found.files.select_related("by", "comment__guest").order_by("pk"),
        "comments": _comments(found),
        **guest_facts(found, request.employee),
        "about": records_of(found, request.employee),
        **reminder_facts(request.employee, found, now),
        "may_delete": Task.objects.deletable_by(request.employee).filter(pk=found.pk).exists(),
        "typed": typed or {},
        "here": request.path,
    }
    return render(request, "web/tasks/task.html", facts, status=status)


def _comments(found: Task) -> Any:
    said = found.comments.select_related("by", "guest", "confirmed_by").prefetch_related("files")
    return said.order_by("at", "pk")


def _letters(request: Request, found: Task) -> list[dict[str, Any]]:
    """The letters in their order; what they say for those alone who may read them here or in Webmail."""
    links = found.letters.select_related(
        "message__mailbox__account", "message__account", "message__conversation", "linked_by"
    )
    links = links.prefetch_related("message__attachments", "message__holds").order_by("message__received_at", "pk")
    ids = [each.message_id for each in links]
    tell_legal(hold for each in links for hold in each.message.holds.all())
    readable = TaskLetter.objects.readable_by(request.employee).filter(task=found)
    in_webmail = set(letters_of(request.employee).filter(pk__in=ids).values_list("pk", flat=True))
    may_read = in_webmail | set(readable.values_list("message", flat=True))
    return [
        _letter(request, each) if each.message_id in may_read else {"message": each.message, "link": each}
        for each in links
    ]


def _letter(request: Request, link: TaskLetter) -> dict[str, Any]:
    message, now = link.message, timezone.now()
    storage = storage_line(message, now, holds=list(message.holds.all()))
    read = ReadLetter(message, [], sorted(message.attachments.all(), key=lambda file: file.index), storage)
    facts = letter_facts(read, request.employee, is_newest=False)
    return {**facts, "link": link, "may_read": True}


def _with_people(tasks: Any) -> Any:
    return tasks.select_related("creator", "responsible", "done_by", "deleted_by", "account")


def _editable(request: Request, task_id: str) -> Task:
    found: Task = get_object_or_404(_with_people(Task.objects.editable_by(request.employee)), public_id=task_id)
    return found


@require_POST
def checklist(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/checklist: one more line."""
    found = _editable(request, task_id)
    try:
        add_item(found, request.POST.get("text", ""))
    except REFUSALS as error:
        messages.error(request, str(error))
    return _back(request, found, "checklist")


@require_POST
def checklist_item(request: Request, task_id: str, item_id: int) -> HttpResponse:
    """POST /tasks/<id>/checklist/<item>: `change` "tick", "untick" or "remove"."""
    items = ChecklistItem.objects.editable_by(request.employee).select_related("task")
    item = get_object_or_404(items, pk=item_id, task__public_id=task_id)
    wanted = request.POST.get("change", "")
    if wanted == "remove":
        item.delete()
    else:
        tick(item, on=wanted == "tick", by=request.employee, now=timezone.now())
    return _back(request, item.task, "checklist")


@require_POST
def comments(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/comments: write one, an internal one unless it is `for_guests`."""
    found, text = _editable(request, task_id), request.POST.get("text", "")[:20_000]
    if request.POST.get("for_guests"):
        if write_to_guests(request, found, text):
            return _back(request, found, "comments")
        return task_page(request, found, typed={"text": text}, status=422)
    try:
        comment(found, text, by=request.employee, now=timezone.now())
    except REFUSALS as error:
        messages.error(request, str(error))
    return _back(request, found, "comments")


@require_POST
def task_guests(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/guests: invite somebody outside (`guests.py`)."""
    found = _editable(request, task_id)
    typed = invite(request, found)
    return task_page(request, found, typed=typed, status=422) if typed else back_to_guests(found)


@require_POST
def files(request: Request, task_id: str) -> HttpResponse:
    """POST /tasks/<id>/files: keep files of the task's own."""
    found = _editable(request, task_id)
    for file in request.FILES.getlist("file")[:20]:
        facts = {"filename": file.name or "", "content_type": file.content_type or ""}
        try:
            if (file.size or 0) > own_files.LARGEST:
                raise BadTask(own_files.too_large())
            own_files.attach(found, file.read(), **facts, by=request.employee, now=timezone.now())
        except REFUSALS as error:
            messages.error(request, f"{file.name}: {error}")
    return _back(request, found, "files")


def task_file(request: Request, file_id: str) -> HttpResponse:
    """GET /task-files/<id>: a file of a task, to keep (hard rule 9)."""
    file = get_object_or_404(TaskFile.objects.visible_to(request.employee), public_id=file_id)
    return as_file(own_files.read(file), name=file.filename, content_type=file.content_type)


@require_POST
def task_file_removal(request: Request, file_id: str) -> HttpResponse:
    """POST /task-files/<id>/removal: take a file out of its task."""
    file = get_object_or_404(TaskFile.objects.editable_by(request.employee).select_related("task"), public_id=file_id)
    try:
        own_files.detach(file, now=timezone.now())
    except InBin as error:
        messages.error(request, str(error))
    return _back(request, file.task, "files")


def _back(request: Request, found: Task, part: str = "") -> HttpResponse:
    """To the list that the form stands in, else to the task."""
    if request.POST.get("next"):
        return redirect(next_of(request))
    answer = redirect("task", found.public_id)
    answer["Location"] += f"#{part}" if part else ""
    return answer
