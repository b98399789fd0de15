"""What stands beside a conversation of a shared mailbox: its status, whose it is, and what became of it."""

from datetime import datetime
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation, FolderRole, Mark, Status
from letterdesk.team.history import history
from letterdesk.web.mail.place import Place
from letterdesk.web.sidebar import role_name
from letterdesk.web.team.words import sentence, view_name, waited

TONES = {"open": "info", "waiting": "", "snoozed": "info", "closed": "ok", "spam": "warn", "": ""}
ICONS = {"open": "undo-2", "waiting": "clock", "closed": "circle-check", "": "user-round"}


def team_beside(found: Conversation, place: Place, employee: Employee, now: datetime) -> dict[str, Any]:
    """The status and the assignee of a conversation, in words."""
    mark = Mark.objects.visible_to(employee).filter(conversation=found).first()
    key = "snoozed" if mark is not None and mark.sleeps(found.newest_at, now) else found.status
    key = "spam" if place.line.folder.role == FolderRole.SPAM else key
    words = {"snoozed": view_name("snoozed"), "spam": role_name(FolderRole.SPAM)}
    whose = found.assignee or found.department
    since = found.waiting_since if key == Status.OPEN else None
    return {
        "key": key,
        "status": words.get(key) or str(Status(key).label),
        "tone": TONES[key],
        "assignee": whose.name if whose else "",
        "icon": "building-2" if found.department_id else "user-round",
        "is_mine": found.assignee_id == employee.pk,
        "waits": waited(since, now) if since else "",
        "mailbox": found.mailbox.name or found.mailbox.address,
    }


def put_turns(letters: list[dict[str, Any]], found: Conversation) -> None:
    """Lay what became of the conversation in between its letters, each turn after the letter before it."""
    for turn in history(found) if letters else ():
        before = [letter for letter in letters if letter["message"].received_at <= turn.at]
        line = {"text": sentence(turn), "at": turn.at, "icon": "bell" if turn.reminder else ICONS[turn.status]}
        (before[-1] if before else letters[0]).setdefault("turns", []).append(line)
