"""All mailboxes and folders of an employee with their unread counts, in two queries (and one for the plan)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from letterdesk.accounts.models import Employee

from .models import Folder, FolderRole, Grant, Listing, Mailbox, Placement
from .reading import count_of
from .retention import Period

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


def folder_order(folder: Folder) -> tuple[int, str]:
    """The place of a folder among others: by its role, then by name."""
    return ORDER.index(FolderRole(folder.role)), folder.name.casefold()


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder, and how many unread letters lie in it."""

    folder: Folder
    unread: int


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


def sidebar(employee: Employee, now: datetime, *, period: Period | None = None) -> list[MailboxEntry]:
    """Own mailboxes first, then shared ones, by name; their folders by role, then name. Unread by the clock (R20)."""
    cutoff = (period or Period.of(employee.account, now)).cutoff(now)
    folders: defaultdict[int, list[FolderEntry]] = defaultdict(list)
    visible = Folder.objects.visible_to(employee).filter(gone_at=None, is_selectable=True)
    for folder in visible.annotate(unread=_unread(cutoff)):
        folders[folder.mailbox_id].append(FolderEntry(folder, folder.unread))
    entries = [
        _entry(mailbox, employee, sorted(folders[mailbox.pk], key=_folder_order)) for mailbox in _with_rights(employee)
    ]
    return sorted(entries, key=lambda entry: (not entry.is_own, entry.mailbox.name.casefold(), entry.mailbox.pk))


def _with_rights(employee: Employee) -> Any:
    mailboxes, this = Mailbox.objects, OuterRef("pk")
    return mailboxes.visible_to(employee).annotate(
        is_shared=Exists(Grant.objects.filter(mailbox=this)),
        may_act=Exists(mailboxes.editable_by(employee).filter(pk=this)),
        may_delete=Exists(mailboxes.deleting_on_server_by(employee).filter(pk=this)),
        may_manage=Exists(mailboxes.manageable_by(employee).filter(pk=this)),
    )


def _entry(mailbox: Any, employee: Employee, folders: list[FolderEntry]) -> MailboxEntry:
    return MailboxEntry(
        mailbox,
        is_own=mailbox.owner_id == employee.pk,
        is_shared=mailbox.is_shared,
        may_act=mailbox.may_act,
        may_delete=mailbox.may_act and mailbox.may_delete,
        may_manage=mailbox.may_manage,
        folders=folders,
    )


def _unread(cutoff: datetime | None) -> Any:
    """Counted in the partial index `placement_unread`, none of whose rows is read.

    Held letters from before the cut-off are asked apart, by way of the few conversations that have any.
    """
    unread = Placement.objects.shown().filter(folder=OuterRef("pk"), is_seen=False)
    if cutoff is None:
        return count_of(unread)
    held = unread.filter(received_at__lte=cutoff, message__is_held=True)
    held = held.filter(conversation__in=Listing.objects.filter(is_held=True).values("conversation"))
    return count_of(unread.filter(received_at__gt=cutoff)) + count_of(held)


def _folder_order(entry: FolderEntry) -> tuple[int, str]:
    return folder_order(entry.folder)
