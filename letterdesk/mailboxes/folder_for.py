"""The folder of a mailbox for a role – Trash, Archive, Spam, Inbox, Sent, Drafts – found, or wished for (R27).

A wished-for folder is ours at once and lists what was moved into it; `sync.push` makes it on the server when the first
letter goes there, and until then discovery does not miss it.
"""

from .models import Folder, FolderRole, Mailbox

MADE = {
    FolderRole.INBOX: "INBOX",
    FolderRole.SENT: "Sent",
    FolderRole.DRAFTS: "Drafts",
    FolderRole.TRASH: "Trash",
    FolderRole.ARCHIVE: "Archive",
    FolderRole.SPAM: "Spam",
}


def folder_for(mailbox: Mailbox, role: FolderRole) -> Folder:
    """Find the folder with this role, else one of its name that has none, else wish for it. Inside a transaction."""
    here = _folders(mailbox)
    found = _with_role(here, role)
    if found is not None:
        return found
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)  # of two at once, one makes it
    here = _folders(mailbox)
    return _with_role(here, role) or _make(mailbox, role, here)


def _folders(mailbox: Mailbox) -> list[Folder]:
    return list(mailbox.folders.filter(gone_at=None).order_by("pk"))


def _with_role(here: list[Folder], role: FolderRole) -> Folder | None:
    return next((folder for folder in here if folder.role == role and folder.is_selectable), None)


def _make(mailbox: Mailbox, role: FolderRole, here: list[Folder]) -> Folder:
    name = _name(here, MADE[role])
    for folder in here:
        if folder.wire_name.casefold() == name.casefold() and folder.is_selectable and not folder.role:
            return _given(folder, role)
    name = _free(name, {folder.wire_name.casefold() for folder in here})
    return Folder.objects.create(
        account_id=mailbox.account_id,
        mailbox=mailbox,
        name=name,
        wire_name=name,
        delimiter=here[0].delimiter if here else "",
        role=role,
        role_is_chosen=True,
        is_wanted=bool(mailbox.imap_host),
        uidvalidity=None if mailbox.imap_host else 1,
    )


def _given(folder: Folder, role: FolderRole) -> Folder:
    """A folder of that name without a role: nobody said what it is for."""
    folder.role, folder.role_is_chosen = role, True
    folder.save(update_fields=["role", "role_is_chosen"])
    return folder


def _free(name: str, taken: set[str]) -> str:
    names = (name, *(f"{name} {number}" for number in range(2, 1000)))
    return next(each for each in names if each.casefold() not in taken)


def _name(here: list[Folder], name: str) -> str:
    """Where all folders lie below the inbox, a new one has to lie there, too (RFC 2342)."""
    others = [folder for folder in here if folder.role != FolderRole.INBOX]
    inbox = next((folder for folder in here if folder.role == FolderRole.INBOX), None)
    if inbox is None or not inbox.delimiter or not others:
        return name
    prefix = inbox.wire_name + inbox.delimiter
    return prefix + name if all(folder.wire_name.startswith(prefix) for folder in others) else name
