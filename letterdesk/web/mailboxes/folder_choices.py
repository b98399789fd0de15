"""Folders on and off, and what each is for, as a form: in the wizard and on the mailbox's own page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from letterdesk.mailboxes.choose import NEVER, ROLES
from letterdesk.mailboxes.models import FolderRole


@dataclass(frozen=True)
class FolderLine:
    """A folder to choose. `key` is its value in the form; `amounts`: depth → [letters, bytes], where counted."""

    key: str
    name: str
    role: str
    is_on: bool = True
    letters: int | None = None
    amounts: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class RoleSelect:
    """What one role may be given to."""

    field: str
    label: str
    options: list[tuple[str, str, bool]]  # key, name, is chosen


def role_words() -> dict[FolderRole, str]:
    """What the roles that a person may give are called."""
    return {
        FolderRole.SENT: _("Sent"),
        FolderRole.DRAFTS: _("Drafts"),
        FolderRole.TRASH: _("Trash"),
        FolderRole.SPAM: _("Spam"),
        FolderRole.ARCHIVE: _("Archive"),
    }


def role_selects(lines: Iterable[FolderLine], chosen: Mapping[str, str] | None = None) -> list[RoleSelect]:
    """A select for each role; `chosen` (role → key) is what the form said, else what is so far."""
    lines = list(lines)
    words = role_words()
    taken = chosen if chosen is not None else {line.role: line.key for line in lines}
    free = [line for line in lines if line.role not in NEVER]
    return [
        RoleSelect(
            f"role_{role.value}",
            words[role],
            [(line.key, line.name, taken.get(role.value) == line.key) for line in free],
        )
        for role in ROLES
    ]


def read_choices(posted: QueryDict) -> tuple[set[str], dict[str, str]]:
    """Which folders are on (keys), and which folder has which role (role → key, "" for none)."""
    roles = {role.value: posted.get(f"role_{role.value}", "") for role in ROLES if f"role_{role.value}" in posted}
    return set(posted.getlist("on")), roles


def as_facts(lines: Iterable[FolderLine], chosen: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the template `folders/choices.html` shows."""
    lines = list(lines)
    return {"folder_lines": lines, "role_selects": role_selects(lines, chosen)}
