"""Tasks of the demo company; each takes its letter along as soon as the sync has brought it."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Record
from letterdesk.intake.keep import keep
from letterdesk.mail.smtpd import Handed
from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes.models import Message
from letterdesk.outbound.identities import identities_with_senders
from letterdesk.tasks import guests
from letterdesk.tasks.bind import bind
from letterdesk.tasks.change import change_status, comment
from letterdesk.tasks.checklist import add_item, tick
from letterdesk.tasks.create import create
from letterdesk.tasks.link import link
from letterdesk.tasks.models import Status, Task
from letterdesk.tasks.reminders import remind_at, remind_before

from .company import DOMAIN, ZONE


def furnish_tasks(now: datetime) -> None:
    """Make the tasks, with what is ticked and written in them."""
    for number, told in enumerate(_told()):
        _make(told, now, at=now - timedelta(hours=90 - 5 * number))


def links(now: datetime) -> list[Callable[[], bool]]:
    """What is to be done when letters are here: each of these says whether it is done."""
    return [partial(_linked, told, now) for told in _told() if "letter" in told]


def _told() -> Iterator[dict[str, Any]]:
    text = files(__package__).joinpath("tasks.toml").read_text("utf-8")
    yield from tomllib.loads(text)["task"]


def _make(told: dict[str, Any], now: datetime, *, at: datetime) -> None:
    by = _employee(told["of"])
    task = create(
        told["title"],
        by=by,
        now=at,
        responsible=_employee(told["for"]),
        participants=[_employee(key) for key in told.get("with", ())],
        description=told.get("text", ""),
        deadline=_due(told, now),
    )
    for line in told.get("checklist", ()):
        item = add_item(task, line.removeprefix("-"))
        if line.startswith("-"):
            tick(item, on=True, by=task.responsible, now=at)
    for who, text in told.get("comments", ()):
        comment(task, text, by=_employee(who), now=at)
    for record in Record.objects.filter(name__in=told.get("about", ())).order_by("pk"):
        bind(task, record, by=by, now=at)
    if "guest" in told:
        _invite(told["guest"], task, now)
    _remind(told, task, now)
    change_status(task, told.get("status", Status.TODO), by=task.responsible, now=at + timedelta(hours=2))


def _invite(told: list[str], task: Task, now: datetime) -> None:
    """Somebody outside takes part by e-mail. Their answer, which nothing proves here, waits on the task's page."""
    address, name, words, said = told
    by = task.creator
    guest = guests.invite(
        task, address, name=name, words=words, identity=identities_with_senders(by)[0], by=by, now=now
    )
    letter = EmailMessage()
    letter["From"], letter["To"] = f"{name} <{address}>", guests.reply_address(guest)
    letter["Subject"], letter["Message-ID"] = f"Re: {task.title}", f"<answer@{address.partition('@')[2]}>"
    letter.set_content(said)
    keep([Handed(address, (guests.reply_address(guest),), letter.as_bytes(policy=SMTP), "127.0.0.1")], now=now)


def _remind(told: dict[str, Any], task: Task, now: datetime) -> None:
    """Some time before the deadline; one of them soon after the start, so that a note is seen to come."""
    for minutes in told.get("remind", ()):
        if task.deadline is not None and task.deadline - timedelta(minutes=minutes) > now:
            remind_before(task, minutes, by=task.responsible, now=now)
    if "remind_in" in told:
        remind_at(task, now + timedelta(seconds=told["remind_in"]), by=task.responsible, now=now)


def _due(told: dict[str, Any], now: datetime) -> datetime | None:
    if "due" not in told:
        return None
    days, hour = told["due"]
    at = now.astimezone(ZoneInfo(ZONE)) + timedelta(days=days)
    return at.replace(hour=hour, minute=0, second=0, microsecond=0)


def _linked(told: dict[str, Any], now: datetime) -> bool:
    """Whether the letter is in its task; not before it has come."""
    letters = Message.objects.filter(mailbox__address=f"{told['in']}@{DOMAIN}").order_by("-received_at")
    found = [each for each in letters if normal_subject(each.subject) == told["letter"]]
    task = Task.objects.get(title=told["title"])
    if found:
        link(task, found[0], by=task.creator, now=now)
    return bool(found)


def _employee(key: str) -> Employee:
    found: Employee = Employee.objects.get(email=f"{key}@{DOMAIN}")
    return found
