"""All mailboxes and folders of an employee with their unread counts, in two queries (and one for the plan)."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, TextField
from django.db.models.expressions import RawSQL

from letterdesk.accounts.models import Employee

from .lists import count_of
from .models import Folder, FolderRole, Grant, HiddenLetter, Listing, Mailbox, Mark, Placement
from .retention.letters import is_over, is_young, shown
from .retention.own_times import periods_of
from .retention.periods import Cutoff, Kept

ORDER = [
    FolderRole.INBOX,
    FolderRole.DRAFTS,
    FolderRole.SENT,
    FolderRole.ARCHIVE,
    FolderRole.NONE,
    FolderRole.ALL,
    FolderRole.SPAM,
    FolderRole.TRASH,
]


_OF_MAILBOX = "FROM mailboxes_label AS l WHERE l.mailbox_id = mailboxes_mailbox.id"
_LABELS = {  # with the mailboxes, in one query: every page asks for them
    "sqlite": f"SELECT json_group_array(json_array(l.id, l.public_id, l.name, l.colour)) {_OF_MAILBOX}",
    "postgresql": f"SELECT json_agg(json_build_array(l.id, l.public_id, l.name, l.colour))::text {_OF_MAILBOX}",
}


def folder_order(folder: Folder) -> tuple[int, str]:
    """The place of a folder among others: by its role, then by name."""
    return ORDER.index(FolderRole(folder.role)), folder.name.casefold()


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder, and how many unread letters lie in it."""

    folder: Folder
    unread: int


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """A label of ours in a mailbox."""

    pk: int
    public_id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class MailboxEntry:
    """A mailbox that the employee may read, as its owner or not, and what else they may do in it."""

    mailbox: Mailbox
    is_own: bool
    is_shared: bool
    may_act: bool
    may_delete: bool
    may_manage: bool
    folders: list[FolderEntry]
    labels: list[LabelEntry]


def sidebar(employee: Employee, now: datetime, *, period: Kept | None = None) -> list[MailboxEntry]:
    """Own mailboxes first, then shared ones, by name; their folders by role, then name. Unread by the clock (R20)."""
    cutoff = (period or periods_of(employee.account, now)).cutoff(now)
    folders: defaultdict[int, list[FolderEntry]] = defaultdict(list)
    mailboxes = list(_with_rights(employee))
    hidden = _hidden(cutoff, employee) if any(each.has_hidden for each in mailboxes) else {}
    visible = Folder.objects.visible_to(employee).filter(gone_at=None, is_selectable=True)
    for folder in visible.annotate(unread=_unread(cutoff)):
        folders[folder.mailbox_id].append(FolderEntry(folder, folder.unread - hidden.get(folder.pk, 0)))
    entries = [_entry(mailbox, employee, sorted(folders[mailbox.pk], key=_folder_order)) for mailbox in mailboxes]
    return sorted(entries, key=lambda entry: (not entry.is_own, entry.mailbox.name.casefold(), entry.mailbox.pk))


def _with_rights(employee: Employee) -> Any:
    mailboxes, this = Mailbox.objects, OuterRef("pk")
    hidden = HiddenLetter.objects.filter(employee=employee).exclude(message__mailbox__owner=employee)
    return mailboxes.visible_to(employee).annotate(
        has_hidden=Exists(hidden),
        has_marks=Exists(Mark.objects.filter(mailbox=this)),
        has_reminded=Exists(Mark.objects.reminded().filter(mailbox=this)),
        known_labels=RawSQL(_LABELS[connection.vendor], [], TextField()),  # noqa: S611  constant SQL
        is_shared=Exists(Grant.objects.filter(mailbox=this)),
        may_act=Exists(mailboxes.editable_by(employee).filter(pk=this)),
        may_delete=Exists(mailboxes.deleting_on_server_by(employee).filter(pk=this)),
        may_manage=Exists(mailboxes.manageable_by(employee).filter(pk=this)),
    )


def _entry(mailbox: Any, employee: Employee, folders: list[FolderEntry]) -> MailboxEntry:
    for each in folders:
        each.folder.mailbox = mailbox
    return MailboxEntry(
        mailbox,
        is_own=mailbox.owner_id == employee.pk,
        is_shared=mailbox.is_shared,
        may_act=mailbox.may_act,
        may_delete=mailbox.may_act and mailbox.may_delete,
        may_manage=mailbox.may_manage,
        folders=folders,
        labels=_labels(mailbox),
    )


def _labels(mailbox: Any) -> list[LabelEntry]:
    found = json.loads(mailbox.known_labels) if mailbox.known_labels else []
    return sorted((LabelEntry(*each) for each in found), key=lambda label: label.name.casefold())


def _unread(cutoff: Cutoff) -> Any:
    """Counted in the partial index `placement_unread`, none of whose rows is read.

    Held letters from before the cut-off are asked apart, by way of the few conversations that have any.
    """
    unread = Placement.objects.shown().filter(folder=OuterRef("pk"), is_seen=False)
    if cutoff is None:
        return count_of(unread)
    held = unread.filter(is_over(Placement, cutoff), message__is_held=True)
    held = held.filter(conversation__in=Listing.objects.filter(is_held=True).values("conversation"))
    return count_of(unread.filter(is_young(Placement, cutoff))) + count_of(held)


def _hidden(cutoff: Cutoff, employee: Employee) -> dict[int, int]:
    """How many unread letters of each folder this employee has put away (R27)."""
    own = Mailbox.objects.filter(owner=employee).values("pk")
    hidden = HiddenLetter.objects.filter(employee=employee).exclude(message__mailbox__in=own)
    unread = Placement.objects.shown().filter(is_seen=False, message__in=hidden.values("message"))
    return dict(shown(unread, cutoff).order_by().values_list("folder").annotate(Count("pk")))


def _folder_order(entry: FolderEntry) -> tuple[int, str]:
    return folder_order(entry.folder)
