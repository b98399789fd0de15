"""What an administrator's export holds: nobody reads mail by role, so each part is asked for by right (P9).

Letters are those of mailboxes that the person owns or manages, as far as they have not left Webmail (R20). Letters in
CRM and drafts are left out, and so is every secret (hard rule 14).
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.db.models import QuerySet
from django.forms.models import model_to_dict

from letterdesk.accounts.models import Department, Employee
from letterdesk.crm.models import (
    Activity,
    Direction,
    EmailAddress,
    Label,
    Labelled,
    ListView,
    Note,
    OwnField,
    OwnOption,
    OwnValue,
    Phone,
    Pipeline,
    Record,
    Stage,
)
from letterdesk.events.audit import all_of, as_row
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.retention import receipts
from letterdesk.mailboxes.retention.letters import shown
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.outbound.models import Signature, Template, TemplateFile
from letterdesk.outbound.tracking import is_any_tracked, tracked_of
from letterdesk.tasks.models import ChecklistItem, Comment, Guest, Task, TaskFile

from .export import Packed, lines, mbox, mbox_name, stored, write_file, write_manifest

PEOPLE = ("public_id", "email", "name", "role", "department__name", "time_zone", "created_at", "dismissed_at")
NUMBERS = ("about", "left_at", "opens", "opened_at", "machines")
NUMBERS_OF_LINK = ("position", "address", "clicks", "clicked_at", "by_machines")
MAILBOXES = ("public_id", "address", "name", "owner__email", "state")


def write(person: Employee, to: IO[bytes], *, now: datetime) -> Packed:
    """Write the ZIP for this administrator; one letter is in memory at a time. Returns what is in it."""
    packed = Packed()
    with ZipFile(to, "w", ZIP_DEFLATED) as archive:
        for name, rows in _tables(person):
            write_file(archive, packed, f"rows/{name}.jsonl", lines(rows.order_by("pk").iterator(1000)))
        write_file(archive, packed, "rows/opens_and_clicks.jsonl", lines(_opens_and_clicks(person)))
        write_file(archive, packed, "rows/events.jsonl", lines(_events(person)))
        sealed = receipts.of(person.account).values()
        write_file(archive, packed, "rows/receipts.jsonl", lines(sealed.iterator(1000)))
        for mailbox in Mailbox.objects.manageable_by(person).defer("secret").order_by("pk"):
            letters = mbox(person.account_id, _letters(person, mailbox, now), packed)
            write_file(archive, packed, mbox_name(mailbox), letters)
        for blob in _files(person):
            write_file(archive, packed, f"files/{blob}", stored(person.account_id, blob, packed))
        write_manifest(archive, packed, account=person.account, now=now)
    return packed


def _tables(person: Employee) -> list[tuple[str, QuerySet[Any, dict[str, Any]]]]:
    of_tasks = [
        (model.__name__.lower(), model.objects.visible_to(person))
        for model in (ChecklistItem, Comment, Guest, TaskFile)
    ]
    of_crm = [
        (model.__name__.lower(), model.objects.visible_to(person))
        for model in (Record, EmailAddress, Phone, Note, Label, Labelled, OwnField, OwnOption, OwnValue, ListView)
    ]
    pipelines = Pipeline.objects.visible_to(person)
    of_crm += [("pipeline", pipelines), ("stage", Stage.objects.visible_to(person).filter(pipeline__in=pipelines))]
    of_mail = [
        (model.__name__.lower(), model.objects.visible_to(person)) for model in (Template, TemplateFile, Signature)
    ]
    whole = [("task", Task.objects.visible_to(person).filter(deleted_at=None)), *of_tasks, *of_crm, *of_mail]
    return [
        ("employee", Employee.objects.visible_to(person).values(*PEOPLE)),
        ("department", Department.objects.visible_to(person).values()),
        ("mailbox", Mailbox.objects.overseen_by(person).values(*MAILBOXES)),
        *((name, rows.values()) for name, rows in whole),
    ]


def _files(person: Employee) -> Iterator[str]:
    """The hashes of files of tasks and templates, and of guests' letters that became comments, each once."""
    of_tasks = TaskFile.objects.visible_to(person).order_by().values_list("blob", flat=True)
    of_templates = TemplateFile.objects.visible_to(person).order_by().values_list("blob", flat=True)
    of_guests = Comment.objects.visible_to(person).exclude(letter="").order_by().values_list("letter", flat=True)
    return of_tasks.union(of_templates, of_guests).order_by("blob").iterator(1000)


def _opens_and_clicks(person: Employee) -> Iterator[dict[str, Any]]:
    """How often letters at records that they see were opened, and which links were followed (decision 0036)."""
    theirs = Activity.objects.visible_to(person).present().filter(direction=Direction.OUTGOING).order_by("pk")
    rows = theirs.only("subject", "message_id").iterator(500) if is_any_tracked(person.account_id) else iter(())
    while page := {each.holder: each for each in islice(rows, 500)}:
        for holder, letter in sorted(tracked_of(person.account_id, page).items()):
            named = {"subject": page[holder].subject, "message_id": page[holder].message_id}
            yield {**named, **model_to_dict(letter, NUMBERS), "links": list(letter.links.values(*NUMBERS_OF_LINK))}


def _events(person: Employee) -> Iterator[dict[str, Any]]:
    for page in all_of(Event.objects.visible_to(person).select_related("by")):
        yield from map(as_row, page)


def _letters(person: Employee, mailbox: Mailbox, now: datetime) -> QuerySet[Message]:
    """As read in Webmail: where there is none, none."""
    letters = Message.objects.manageable_by(person).filter(mailbox=mailbox)
    cutoff = periods_of(person.account, now).cutoff(now)
    return letters.none() if cutoff == now else shown(letters, cutoff)
