"""Every command that has a key or stands in the palette: one table for the keyboard, the help and the settings."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Employee


@dataclass(frozen=True)
class Command:
    """What a key does. `key` as the browser names it; "g i": one after the other."""

    name: str
    text: str | Promise
    group: str | Promise
    key: str
    fixed: bool = False  # keys that every program has: not to be given away


MOVING, ACTING, GOING, MORE = _("Moving"), _("Doing"), _("Going to"), _("More")
COMMANDS = (
    Command("next", _("Next conversation"), MOVING, "j"),
    Command("previous", _("Previous conversation"), MOVING, "k"),
    Command("open", _("Open the conversation"), MOVING, "o"),
    Command("back", _("Back to the list"), MOVING, "u"),
    Command("next_letter", _("Next letter of the conversation"), MOVING, "n"),
    Command("previous_letter", _("Previous letter of the conversation"), MOVING, "p"),
    Command("select", _("Select"), ACTING, "x"),
    Command("archive", _("Archive, or close in a shared mailbox"), ACTING, "e"),
    Command("delete", _("Delete: to Trash"), ACTING, "#"),
    Command("spam", _("Spam, or not spam"), ACTING, "!"),
    Command("star", _("Star, or no star"), ACTING, "s"),
    Command("snooze", _("Snooze"), ACTING, "b"),
    Command("mute", _("Mute, or not any more"), ACTING, "m"),
    Command("label", _("Label"), ACTING, "l"),
    Command("move", _("Move to a folder"), ACTING, "v"),
    Command("assign", _("Assign"), ACTING, "w"),
    Command("assign_me", _("Assign to me"), ACTING, "W"),
    Command("task", _("Make a task of it"), ACTING, "t"),
    Command("read", _("Mark as read"), ACTING, "I"),
    Command("unread", _("Mark as unread"), ACTING, "U"),
    Command("undo", _("Undo"), ACTING, "z"),
    Command("reply", _("Reply"), ACTING, "r"),
    Command("reply_all", _("Reply to all"), ACTING, "a"),
    Command("forward", _("Forward"), ACTING, "f"),
    Command("comment", _("Comment for the team"), ACTING, "i"),
    Command("compose", _("Write a letter"), ACTING, "c"),
    Command("go_inbox", _("Inbox"), GOING, "g i"),
    Command("go_starred", _("Starred"), GOING, "g s"),
    Command("go_sent", _("Sent"), GOING, "g t"),
    Command("go_drafts", _("Drafts"), GOING, "g d"),
    Command("go_all", _("All mail, or the archive"), GOING, "g a"),
    Command("go_mine", _("Assigned to me"), GOING, "g m"),
    Command("go_unassigned", _("Unassigned, of a shared mailbox"), GOING, "g u"),
    Command("go_tasks", _("Tasks"), GOING, "g k"),
    Command("go_notifications", _("Notifications"), GOING, "g n"),
    Command("go_crm", _("CRM"), GOING, "g c"),
    Command("go_settings", _("Settings"), GOING, "g ,"),
    Command("search", _("Search"), MORE, "/"),
    Command("palette", _("Command palette"), MORE, "Ctrl+K", fixed=True),
    Command("keys", _("This list"), MORE, "?"),
)
BY_NAME = {command.name: command for command in COMMANDS}


def keymap(employee: Employee) -> dict[str, str]:
    """Which command each key means for this employee: the table, and what they changed."""
    own = employee.preferences.get("keymap", {})
    return {own.get(each.name, each.key): each.name for each in COMMANDS if not each.fixed}


def keys_shown(employee: Employee) -> list[dict[str, Any]]:
    """The table for people, with their own keys; `parts` are the keys to press one after the other."""
    own = employee.preferences.get("keymap", {})
    rows = [(each, own.get(each.name, each.key)) for each in COMMANDS]
    return [{"command": each, "key": key, "parts": key.split(" "), "group": each.group} for each, key in rows]


def remapped(wanted: dict[str, str]) -> dict[str, str]:
    """What differs from the table. Raises ClashingKeys where a key would mean two commands, or none could press it."""
    own = {}
    meant: dict[str, str] = {}
    for each in COMMANDS:
        key = " ".join(wanted.get(each.name, "").split()) or each.key
        if each.fixed:
            continue
        parts = key.split(" ")
        if len(parts) > 2 or any(len(part) != 1 for part in parts):
            raise ClashingKeys(each, key)
        if key in meant or any(_begins(key, other) for other in meant):
            raise ClashingKeys(each, key)
        meant[key] = each.name
        if key != each.key:
            own[each.name] = key
    return own


def _begins(one: str, other: str) -> bool:
    return one.startswith(f"{other} ") or other.startswith(f"{one} ")


class ClashingKeys(ValueError):
    """A key that cannot be used: two commands would have it, or it is no single key."""

    def __init__(self, command: Command, key: str) -> None:
        super().__init__(key)
        self.command, self.key = command, key
