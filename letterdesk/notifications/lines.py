"""What one person was told, as lines to be shown, mailed or pushed: read now, with the rights of now.

What letters say is looked up now: a letter that left Webmail meanwhile (R20), or a mailbox that is not theirs any more,
leaves no subject behind. The notices of tasks are among the lines; they are kept in `tasks`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, Subquery, Value
from django.urls import reverse

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import PolledMailbox
from letterdesk.mailboxes.models import Folder, FolderRole, Listing, Message
from letterdesk.mailboxes.retention.letters import visible
from letterdesk.tasks.models import Notice
from letterdesk.team.sharing import shared_conversations, shared_letters

from .models import CRM_ASKS, CRM_UNREADABLE, Kind, Notification
from .polled import mailbox_named, polled_of, polled_words
from .words import notice_words, words

SHOWN = 100
NO_CONVERSATION = Value(None, output_field=BigIntegerField())
WITH = ("mailbox", "conversation", "task", "delivery__draft", "by")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a line says of its conversation: who wrote last, its subject, and the folder in which it is opened.

    No folder: it alone of its mailbox is shared with the reader.
    """

    sender: str
    subject: str
    folder: str


@dataclass(frozen=True, slots=True)
class Line:
    """`title` says what happened, and to whom or where; `detail` what it says. `address` begins with a slash."""

    row: Notification | Notice
    title: str
    detail: str
    address: str

    @property
    def kind(self) -> str:
        """What happened, for its icon."""
        return str(self.row.kind)

    def told(self, *, hides_content: bool) -> tuple[str, str]:
        """Title and detail as they leave this installation; hidden, they name no person, mailbox, letter or task."""
        if not hides_content:
            return self.title, self.detail
        return (self.title if self.is_of_tasks else str(Kind(self.kind).label)), ""

    @property
    def link(self) -> str:
        """The address that leads there, and notes that the line was seen."""
        return self.address if self.is_of_tasks else reverse("notification", args=[self.row.pk])

    @property
    def name(self) -> str:
        """What tells it from every other line."""
        return f"{self.row._meta.model_name}:{self.row.pk}"

    @property
    def is_of_tasks(self) -> bool:
        """Whether it is a notice of tasks."""
        return isinstance(self.row, Notice)


def unseen_count(employee: Employee, now: datetime) -> int:
    """How many lines this person has not seen, of those that `lines_of` shows now (R20).

    One query where nothing waits, as on most pages; else one with all rights, and where a line is about a conversation
    those of the clock.
    """
    waits = Notification.objects.filter(employee=employee.pk, seen_at=None).order_by().values_list("pk")
    promised = Notice.objects.filter(employee=employee.pk, seen_at=None).order_by().values_list("pk")
    if not waits.union(promised, all=True).exists():
        return 0
    ours = Notification.objects.visible_to(employee).unseen().order_by().values_list("conversation")
    of_tasks = Notice.objects.visible_to(employee).filter(seen_at=None).order_by().values_list(NO_CONVERSATION)
    told = [conversation for (conversation,) in ours.union(of_tasks, all=True)]
    wanted = {each for each in told if each is not None}
    shown = set(_places(employee, wanted, now).values_list("conversation", flat=True)) if wanted else set()
    shown |= set(_shared(employee, [each for each in wanted if each not in shown], now))
    return sum(each is None or each in shown for each in told)


def lines_of(employee: Employee, now: datetime, *, most: int = SHOWN, **only: Any) -> list[Line]:
    """This person's lines, the newest first. `only`: conditions on both tables, such as seen_at=None.

    The number of queries does not depend on the number of lines.
    """
    ours = _newest(Notification.objects.visible_to(employee).select_related(*WITH), only, most)
    of_tasks = _newest(Notice.objects.visible_to(employee).select_related("task"), only, most)
    named = [each.conversation_id for each in ours if each.conversation_id]
    letters = _letters(employee, named, now)
    letters |= _shared(employee, [each for each in named if each not in letters], now)
    inboxes = _inboxes(employee, [each.mailbox_id for each in ours if each.kind == Kind.LETTERS])
    polled = polled_of(employee, ours)
    lines = [line for each in ours if (line := _line(each, letters, inboxes, polled)) is not None]
    lines += [_notice(each) for each in of_tasks]
    return sorted(lines, key=lambda line: (line.row.at, line.row.pk), reverse=True)[:most]


def _newest(rows: QuerySet[Any], only: dict[str, Any], most: int) -> list[Any]:
    return list(rows.filter(**only).order_by("-at", "-pk")[:most])


def _letters(employee: Employee, conversations: Sequence[int], now: datetime) -> dict[int, Letter]:
    """Of these conversations those that a list of Webmail shows to this person now."""
    if not conversations:
        return {}
    theirs = Message.objects.filter(conversation=OuterRef("conversation"), binned_at=None)
    newest = theirs.exclude(from_address=OuterRef("folder__mailbox__address")).order_by("-received_at")
    found = _places(employee, conversations, now).annotate(
        name=Subquery(newest.values("from_name")[:1]), address=Subquery(newest.values("from_address")[:1])
    )
    rows = found.values_list(
        "conversation_id", "name", "address", "conversation__subject", "folder__public_id", "folder__role"
    )
    best = sorted(rows, key=lambda row: row[5] == FolderRole.INBOX)  # the inbox last, so that it wins
    return {key: Letter(name or address or "", subject, folder) for key, name, address, subject, folder, _role in best}


def _places(employee: Employee, conversations: Iterable[int], now: datetime) -> QuerySet[Listing]:
    places = visible(Listing.objects.visible_to(employee), employee.account, now=now)
    return places.filter(conversation__in=conversations, folder__gone_at=None)


def _shared(employee: Employee, conversations: Sequence[int], now: datetime) -> dict[int, Letter]:
    """Of these conversations those that are shared with this person, with a letter that they may read now (R20)."""
    if not conversations:
        return {}
    letters = visible(shared_letters(employee), employee.account, now=now).filter(conversation=OuterRef("pk"))
    newest = letters.exclude(from_address=OuterRef("mailbox__address")).order_by("-received_at")
    found = (
        shared_conversations(employee)
        .filter(Exists(letters), pk__in=conversations)
        .annotate(name=Subquery(newest.values("from_name")[:1]), address=Subquery(newest.values("from_address")[:1]))
    )
    rows = found.values_list("pk", "name", "address", "subject")
    return {key: Letter(name or address or "", subject, "") for key, name, address, subject in rows}


def _inboxes(employee: Employee, mailboxes: Iterable[int]) -> dict[int, str]:
    wanted = set(mailboxes)
    if not wanted:
        return {}
    found = Folder.objects.visible_to(employee).filter(mailbox__in=wanted, role=FolderRole.INBOX, gone_at=None)
    return dict(found.values_list("mailbox_id", "public_id"))


def _line(
    row: Notification, letters: dict[int, Letter], inboxes: dict[int, str], polled: dict[str, PolledMailbox]
) -> Line | None:
    name, letter = mailbox_named(row), letters.get(row.conversation_id or 0)
    mailbox = polled.get(name)
    if row.kind == Kind.POLLED:
        address = reverse("polled_mailbox", args=[name])
        return Line(row, *polled_words(row, mailbox), address) if mailbox else None
    if letter is None and row.conversation_id is not None:
        return None  # it has left Webmail, or is not shown to them any more
    sender, subject = (letter.sender, letter.subject) if letter else ("", "")
    is_guest = letter is not None and not letter.folder
    title, detail = words(row, sender, subject, is_guest=is_guest, polled=mailbox.address if mailbox else "")
    return Line(row, title, detail, _address(row, letter, inboxes))


def _address(row: Notification, letter: Letter | None, inboxes: dict[int, str]) -> str:
    if letter is not None and row.conversation is not None:
        public_id = row.conversation.public_id
        way = ("conversation", [letter.folder, public_id]) if letter.folder else ("shared_conversation", [public_id])
        return reverse(way[0], args=way[1])
    if row.kind == Kind.LETTERS:
        folder = inboxes.get(row.mailbox_id or 0)
        return reverse("folder", args=[folder]) if folder else reverse("home")
    if row.task is not None:
        return reverse("task", args=[row.task.public_id])
    if row.delivery is not None:
        draft = row.delivery.draft if row.kind == Kind.HELD_BACK else None
        return reverse("draft", args=[draft.public_id]) if draft else reverse("outbox")
    if row.mailbox is not None:
        return reverse("mailbox_sign_in" if row.kind == Kind.SIGN_IN else "mailbox", args=[row.mailbox.public_id])
    return reverse("asked" if row.about == CRM_ASKS or row.about.startswith(CRM_UNREADABLE) else "plan")


def _notice(row: Notice) -> Line:
    title, detail = notice_words(row)
    address = reverse("task", args=[row.task.public_id]) if row.task else f"{reverse('tasks')}?view=board&by=deadline"
    return Line(row, title, detail, address)
