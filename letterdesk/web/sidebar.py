"""The sidebar's words and signs: how mailboxes and folders are called here, and how they are."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.lists import Wanted
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox, MailboxState
from letterdesk.mailboxes.retention.periods import Kept
from letterdesk.mailboxes.sidebar import FolderEntry, MailboxEntry, sidebar
from letterdesk.team.lists import waiting_for_us

ICONS = {
    FolderRole.INBOX: "inbox",
    FolderRole.SENT: "send",
    FolderRole.DRAFTS: "file-text",
    FolderRole.TRASH: "trash-2",
    FolderRole.SPAM: "octagon-alert",
    FolderRole.ARCHIVE: "archive",
    FolderRole.ALL: "mails",
    FolderRole.NONE: "folder",
}
UNCOUNTED = (FolderRole.SENT, FolderRole.TRASH, FolderRole.ALL, FolderRole.DRAFTS)  # nobody waits for these


def shown_name(folder: Folder) -> str:
    """What a folder is called here: by its role where it has one, else by its own name."""
    return role_name(folder.role) or folder.name


def role_name(role: str) -> str:
    """What a folder of this role is called; empty for an ordinary folder."""
    names = {
        FolderRole.INBOX: _("Inbox"),
        FolderRole.SENT: _("Sent"),
        FolderRole.DRAFTS: _("Drafts"),
        FolderRole.TRASH: _("Trash"),
        FolderRole.SPAM: _("Spam"),
        FolderRole.ARCHIVE: _("Archive"),
        FolderRole.ALL: _("All mail"),
    }
    return names.get(FolderRole(role), "")


@dataclass(frozen=True)
class Line:
    """A folder in the sidebar."""

    folder: Folder
    name: str
    icon: str
    unread: int


@dataclass(frozen=True)
class LabelLine:
    """A label in the sidebar and on rows."""

    pk: int
    public_id: str
    name: str
    colour: str


@dataclass(frozen=True)
class Shelf:
    """A mailbox in the sidebar with its folders, and what the reader may do in it."""

    mailbox: Mailbox
    is_own: bool
    is_shared: bool
    may_act: bool
    may_delete: bool
    may_manage: bool
    folders: list[Line]
    labels: list[LabelLine]
    unassigned: int = 0  # open conversations that nobody has, where it is shared
    mine: int = 0  # open ones of the reader

    @property
    def unread(self) -> int:
        """Unread letters of its inbox: what a folded mailbox still says."""
        return sum(line.unread for line in self.folders if line.folder.role == FolderRole.INBOX)

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
        """What its dot means, for those who do not see it; empty: in step."""
        if self.state_class == "":
            return ""
        return _("not in step") if self.state_class == "warn" else str(MailboxState(self.mailbox.state).label)


def shelves(employee: Employee, now: datetime, *, period: Kept | None = None) -> list[Shelf]:
    """The sidebar of this employee, own mailboxes first; with a period, also what waits for the teams."""
    entries = sidebar(employee, now, period=period)
    shared = [entry.mailbox.pk for entry in entries if entry.is_shared]
    waiting: dict[int, tuple[int, int]] = {}
    if shared and period is not None:
        hides = any(getattr(entry.mailbox, "has_hidden", True) for entry in entries)
        waiting = waiting_for_us(Wanted(employee, now, period, owns_all=not hides), shared)
    return [_shelf(entry, *waiting.get(entry.mailbox.pk, (0, 0))) for entry in entries]


def _shelf(entry: MailboxEntry, unassigned: int, mine: int) -> Shelf:
    return Shelf(
        entry.mailbox,
        is_own=entry.is_own,
        is_shared=entry.is_shared,
        may_act=entry.may_act,
        may_delete=entry.may_delete,
        may_manage=entry.may_manage,
        folders=[_line(each) for each in entry.folders],
        labels=[LabelLine(each.pk, each.public_id, each.name, each.colour) for each in entry.labels],
        unassigned=unassigned,
        mine=mine,
    )


def _line(entry: FolderEntry) -> Line:
    role = FolderRole(entry.folder.role)
    return Line(entry.folder, shown_name(entry.folder), ICONS[role], 0 if role in UNCOUNTED else entry.unread)
