"""What people choose about a mailbox, when they connect it or later: its folders, what each is for, who may use it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Department, Employee
from letterdesk.events.record import record

from .connect import connect
from .models import Folder, FolderRole, Mailbox
from .share import grant

ROLES = (FolderRole.SENT, FolderRole.DRAFTS, FolderRole.TRASH, FolderRole.SPAM, FolderRole.ARCHIVE)
NEVER = (FolderRole.INBOX, FolderRole.ALL)  # these have a role that nobody chooses: spam may not be the inbox


class BadRoles(ValueError):
    """Two roles for one folder, or a role for a folder that may have none; the text is for people."""

    code = "bad_roles"


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """A folder on the server as it is to be kept here. `is_chosen`: a person gave the role, or took it away."""

    name: str
    wire_name: str
    delimiter: str
    role: str = ""
    is_selectable: bool = True
    is_on: bool = True
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Whom to let in: a person, a department, or (None) everyone; and what they may do."""

    to: Employee | Department | None
    may_reply: bool = True
    may_manage: bool = False
    may_delete_on_server: bool = False


@transaction.atomic
def begin(
    owner: Employee, *, folders: Sequence[FolderChoice] = (), access: Sequence[Access] = (), now: datetime, **wish: Any
) -> Mailbox:
    """Connect a mailbox with everything that was chosen, or nothing at all. `wish` and errors are those of `connect`;
    LimitReached also when the access would make one shared mailbox too many (R16), NotShareable for whom it may not go.
    """
    mailbox = connect(owner, now=now, **wish)
    Folder.objects.bulk_create(_row(mailbox, each) for each in folders)
    for each in access:
        grant(
            mailbox, to=each.to, by=wish["by"], now=now, may_reply=each.may_reply, may_manage=each.may_manage,
            may_delete_on_server=each.may_delete_on_server,
        )  # fmt: skip
    return mailbox


@transaction.atomic
def arrange(mailbox: Mailbox, *, on: Collection[str], roles: Mapping[str, str], by: Employee) -> list[Folder]:
    """Switch folders on and off, and say what each is for. `on` and the values of `roles` (role → folder, "" for none)
    are public ids; the inbox is always on. What is here of a folder that goes off stays; one that comes on is fetched
    as R21 has it. Returns the folders that changed. Raises BadRoles.
    """
    folders = list(mailbox.folders.select_for_update().filter(gone_at=None, is_selectable=True))
    before = {folder.public_id: folder.role for folder in folders}
    given = assign({public_id: FolderRole(role) for public_id, role in before.items()}, roles)
    changed = []
    for folder in folders:
        is_on, role = folder.public_id in on or folder.role == FolderRole.INBOX, given[folder.public_id]
        if (is_on, role) != (folder.is_on, folder.role):
            folder.role_is_chosen = folder.role_is_chosen or role != folder.role
            folder.is_on, folder.role = is_on, role
            changed.append(folder)
    Folder.objects.bulk_update(changed, ["is_on", "role", "role_is_chosen"])
    if changed:
        record("mailbox.changed", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic,
               folders=len(changed))  # fmt: skip
    return changed


def assign(before: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The roles of all folders (key → role) after these were chosen (role → key, "" for none). Raises BadRoles.

    A role that is not named in `wanted` stays where it is.
    """
    chosen = {role: key for role, key in wanted.items() if role in ROLES}
    taken = [key for key in chosen.values() if key]
    if len(taken) > len(set(taken)):
        raise BadRoles(_("One folder cannot be two things. Choose another one, or none, for one of them."))
    for key in taken:
        if key not in before or before[key] in NEVER:
            raise BadRoles(_("The inbox stays the inbox. Choose another folder."))
    after = {key: "" if role in chosen else role for key, role in before.items()}
    return after | {key: str(FolderRole(role)) for role, key in chosen.items() if key}


def _row(mailbox: Mailbox, each: FolderChoice) -> Folder:
    return Folder(
        account_id=mailbox.account_id, mailbox=mailbox, name=each.name.replace("\x00", ""), wire_name=each.wire_name,
        delimiter=each.delimiter[:4], role=each.role, role_is_chosen=each.is_chosen,
        is_selectable=each.is_selectable, is_on=each.is_on,
    )  # fmt: skip
