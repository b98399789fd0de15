"""Tasks as list, board or calendar, and the form for a new one: from nothing, or from letters by a key (ux.md 1.7)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention.holds import MessageGone
from letterdesk.tasks.bind import bind
from letterdesk.tasks.create import BadTask, create
from letterdesk.tasks.days import column_of, on_day
from letterdesk.tasks.link import InBin, link
from letterdesk.tasks.lists import task_list
from letterdesk.tasks.models import Task
from letterdesk.tasks.reading import taken_along
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.letters import letters_to_link
from letterdesk.web.request import Request
from letterdesk.web.tasks.board import board, calendar, day_named, said
from letterdesk.web.tasks.filter import Filter
from letterdesk.web.tasks.form import TaskForm
from letterdesk.web.tasks.records import record_asked

PER_PAGE = 100
MOST_LETTERS = 50  # of a conversation that the form offers
MOST_TASKS = 12  # that it offers to add them to
REFUSALS = (BadTask, InBin, MessageGone)


def tasks(request: Request) -> HttpResponse:
    """GET /tasks?view=&of=&status=&person=&q=: list, board or calendar. POST `title`: a task of one's own, at once."""
    if request.method == "POST":
        return _add(request)
    asked, now = Filter.asked(request), timezone.now()
    draw = {"board": board, "calendar": calendar}.get(asked.view, _list)
    return draw(request, asked, now)


def _list(request: Request, asked: Filter, now: datetime) -> HttpResponse:
    page = Paginator(asked.found(request.employee, now), PER_PAGE).get_page(request.GET.get("page"))
    facts = {
        "page": page,
        "groups": _groups(list(page), asked.view, asked.status, now),
        "taken_along": taken_along(request.employee, now=now) if asked.view == "bin" else [],
        "pages": asked.address(),
    }
    return render(request, "web/tasks/page.html", {**asked.facts(request), **facts})


def _add(request: Request) -> HttpResponse:
    try:
        made = create(request.POST.get("title", ""), by=request.employee, now=timezone.now())
        messages.success(request, _("Task #%(number)d is made.") % {"number": made.number})
    except BadTask as error:
        messages.error(request, str(error))
    return redirect(next_of(request) if request.POST.get("next") else "tasks")


def _groups(found: list[Task], view: str, status: str, now: datetime) -> list[dict[str, Any]]:
    """Tasks in their order, under headings by deadline; what is done and the bin are one list each."""
    groups: list[dict[str, Any]] = []
    for task in found:
        name = "" if view == "bin" or status == "done" else said(column_of(task, timezone.localtime(now)))
        if not groups or groups[-1]["name"] != name:
            groups.append({"name": name, "tasks": []})
        groups[-1]["tasks"].append({"task": task, "is_overdue": task.is_overdue(now)})
    return groups


# A new one


def new_task(request: Request) -> HttpResponse:
    """GET /tasks/new?letter=|conversation=…: the form, prefilled. POST: make it, or add the letters `into` another."""
    if request.method == "POST":
        return _make(request)
    letters, chosen = _offered(request)
    subject = normal_subject(letters[0].subject) if letters else ""
    day = day_named(request.GET.get("day", ""))
    before = {
        "title": subject,
        "responsible": request.employee.public_id,
        "deadline": day and on_day(day, None, timezone.localtime()),
    }
    form = TaskForm(request.employee, initial=before)
    return _form(request, form, letters, chosen)


def _offered(request: Request) -> tuple[list[Message], list[str]]:
    """The letters that are on offer, and which are ticked: the one that is named, else the newest of each conversation.

    What is ticked comes first, then the rest of the conversations, newest first.
    """
    mine = letters_to_link(request.employee).select_related("mailbox", "conversation")
    named, wanted = request.GET.get("letter", ""), request.GET.getlist("conversation")[:MOST_LETTERS]
    if named:
        wanted = [get_object_or_404(mine, public_id=named).conversation.public_id]
    if not wanted:
        return [], []
    found = list(mine.filter(conversation__public_id__in=wanted).order_by("-received_at", "-pk")[:MOST_LETTERS])
    if not found:
        raise Http404
    newest = {letter.conversation_id: letter.public_id for letter in reversed(found)}
    chosen = [named] if named else list(newest.values())
    return sorted(found, key=lambda letter: letter.public_id not in chosen), chosen


def _form(
    request: Request, form: TaskForm, letters: list[Message], chosen: list[str], *, status: int = 200
) -> HttpResponse:
    open_ones = task_list(request.employee, "mine", now=timezone.now()) if letters else Task.objects.none()
    facts = {
        "area": "tasks",
        "form": form,
        "letters": letters,
        "chosen": chosen,
        "record": record_asked(request, request.POST.get("record") or request.GET.get("record", "")),
        "others": open_ones.order_by("-pk")[:MOST_TASKS],
        "next": next_of(request) if request.method == "POST" else ours(request.GET.get("next", "")),
    }
    if request.htmx:  # the popover shows what is wrong; to the browser's console it is no failure
        return render(request, "web/tasks/new_panel.html", facts)
    return render(request, "web/tasks/new.html", facts, status=status)


def _make(request: Request) -> HttpResponse:
    named = request.POST.getlist("letter")[:MOST_LETTERS]
    letters = list(letters_to_link(request.employee).filter(public_id__in=named).order_by("received_at", "pk"))
    form = TaskForm(request.employee, request.POST)
    into = request.POST.get("into", "")
    if not into and not form.is_valid():
        return _form(request, form, letters, named, status=422)
    now = timezone.now()
    try:
        if into:
            task = get_object_or_404(Task.objects.editable_by(request.employee), public_id=into)
            for letter in letters:
                link(task, letter, by=request.employee, now=now)
        else:
            task = create(by=request.employee, now=now, letters=letters, **form.wish())
            if about := record_asked(request, request.POST.get("record", "")):
                bind(task, about, by=request.employee, now=now)
    except REFUSALS as error:
        messages.error(request, str(error))
        return _answer(request, "", status=409)
    messages.success(request, _said(task, len(letters), is_new=not into))
    return _answer(request, task.public_id)


def _said(task: Task, count: int, *, is_new: bool) -> str:
    made = _("Task #%(number)d is made.") if is_new else _("Added to task #%(number)d.")
    text = made % {"number": task.number}
    if not count:
        return text
    kept = ngettext(
        "The letter is kept as long as it is in it.", "The letters are kept as long as they are in it.", count
    )
    return f"{text} {kept}"


def _answer(request: Request, task_id: str, *, status: int = 200) -> HttpResponse:
    """For our script the notes alone; else back to where the form was asked for, or on to the task."""
    if request.htmx:
        return render(request, "web/toasts.html", {"next": next_of(request)}, status=status)
    if request.POST.get("next") or not task_id:
        return redirect(next_of(request) if request.POST.get("next") else "tasks")
    return redirect("task", task_id)
