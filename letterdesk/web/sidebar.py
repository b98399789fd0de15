"""The sidebar: the mailboxes that somebody may read, their folders, and how much is unread."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Folder, FolderRole, Grant, Mailbox, MailboxState, Placement

ORDER = ["inbox", "drafts", "sent", "archive", "", "all", "spam", "trash"]
ICONS = {
    FolderRole.INBOX: "inbox",
    FolderRole.SENT: "send",
    FolderRole.DRAFTS: "file-text",
    FolderRole.TRASH: "trash-2",
    FolderRole.SPAM: "octagon-alert",
    FolderRole.ARCHIVE: "archive",
    FolderRole.ALL: "mails",
}
UNCOUNTED = (FolderRole.SENT, FolderRole.TRASH, FolderRole.ALL, FolderRole.DRAFTS)  # nobody waits for these


def shown_name(folder: Folder) -> str:
    """What a folder is called here: by its role where it has one, else its own last name."""
    names = {
        FolderRole.INBOX: _("Inbox"),
        FolderRole.SENT: _("Sent"),
        FolderRole.DRAFTS: _("Drafts"),
        FolderRole.TRASH: _("Trash"),
        FolderRole.SPAM: _("Spam"),
        FolderRole.ARCHIVE: _("Archive"),
        FolderRole.ALL: _("All mail"),
    }
    return names.get(FolderRole(folder.role)) or folder.name


def folder_order(folder: Folder) -> tuple[int, str]:
    """Folders stand by their role, then by name."""
    return ORDER.index(folder.role), folder.name.casefold()


@dataclass(frozen=True)
class Line:
    """A folder in the sidebar."""

    folder: Folder
    name: str
    icon: str
    unread: int


@dataclass(frozen=True)
class Shelf:
    """A mailbox in the sidebar with its folders."""

    mailbox: Mailbox
    is_own: bool
    is_shared: bool
    may_act: bool
    may_delete: bool
    may_manage: bool
    folders: list[Line] = field(default_factory=list)

    @property
    def state_class(self) -> str:
        """How its dot looks."""
        if self.mailbox.state == MailboxState.FAILING:
            return "danger"
        if self.mailbox.state != MailboxState.CONNECTED:
            return "off"
        return "warn" if self.mailbox.error_code else ""

    @property
    def state_text(self) -> str:
        """What its dot means, for those who do not see it."""
        if self.state_class == "":
            return ""
        return str(MailboxState(self.mailbox.state).label) if self.state_class != "warn" else _("not in step")


def shelves(employee: Employee, *, cutoff: datetime | None) -> list[Shelf]:
    """The sidebar of this employee, own mailboxes first, in two queries. What is beyond the cut-off does not count."""
    found = {mailbox.pk: _shelf(mailbox, employee) for mailbox in mailboxes_of(employee)}
    for folder in _folders(list(found), cutoff):
        icon = ICONS.get(FolderRole(folder.role), "folder")
        found[folder.mailbox_id].folders.append(Line(folder, shown_name(folder), icon, folder.unread))
    return sorted(found.values(), key=lambda shelf: not shelf.is_own)


def mailboxes_of(employee: Employee) -> QuerySet[Mailbox]:
    """The connected mailboxes of this employee, each with the rights on it, in one query."""
    this = OuterRef("pk")
    mailboxes: QuerySet[Mailbox] = Mailbox.objects.visible_to(employee).exclude(state=MailboxState.DISCONNECTED)
    return mailboxes.annotate(
        shared=Exists(Grant.objects.filter(mailbox=this)),
        editable=Exists(Mailbox.objects.editable_by(employee).filter(pk=this)),
        deletable=Exists(Mailbox.objects.deleting_on_server_by(employee).filter(pk=this)),
        manageable=Exists(Mailbox.objects.manageable_by(employee).filter(pk=this)),
    ).order_by("name", "address")


def _shelf(mailbox: Any, employee: Employee) -> Shelf:
    """`mailbox` carries the annotations above."""
    return Shelf(
        mailbox,
        is_own=mailbox.owner_id == employee.pk,
        is_shared=mailbox.shared,
        may_act=mailbox.editable,
        may_delete=mailbox.editable and mailbox.deletable,
        may_manage=mailbox.manageable,
    )


def _folders(mailboxes: Sequence[int], cutoff: datetime | None) -> list[Any]:
    folders: QuerySet[Folder] = Folder.objects.filter(mailbox__in=mailboxes, gone_at=None, is_selectable=True)
    counted = folders.annotate(unread=Coalesce(Subquery(_unread(cutoff), output_field=IntegerField()), 0))
    return sorted(counted, key=folder_order)


def _unread(cutoff: datetime | None) -> QuerySet[Placement]:
    unread = Placement.objects.filter(folder=OuterRef("pk"), is_seen=False, hidden_at=None)
    unread = unread.exclude(folder__role__in=UNCOUNTED)
    if cutoff is not None:
        unread = unread.filter(Q(received_at__gt=cutoff) | Q(message__is_held=True))  # R20
    return unread.values("folder").annotate(count=Count("pk")).values("count").order_by()
