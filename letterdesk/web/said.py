"""What was done, in words: what, to how many, and for whom. Toasts and "Recent actions" say the same."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mailboxes import muting
from letterdesk.mailboxes.models import Action
from letterdesk.web.sidebar import Shelf
from letterdesk.web.templatetags.letterdesk import short_moment


def said(action: Action, shelves: Iterable[Shelf]) -> str:
    """The sentence about an action; with its scope where others share the mailbox (ux.md 0)."""
    return _with_scope(_counted(_done(action, shelves), action.count), action, shelves)


def _done(action: Action, shelves: Iterable[Shelf]) -> str:
    if action.kind == "delete":
        return _deleted(action)
    if action.kind == "move":
        return _("Moved to %(folder)s") % {"folder": _folder(action, shelves)}
    if action.kind in {"snooze", "remind"}:
        words = _("Snoozed until %(time)s") if action.kind == "snooze" else _("Reminder %(time)s, if nobody answers")
        return words % {"time": short_moment(datetime.fromisoformat(action.detail["until"]))}
    if action.kind in {"label", "unlabel"}:
        words = _("Labelled “%(name)s”") if action.kind == "label" else _("Label “%(name)s” taken away")
        return words % {"name": action.detail.get("name", "")}
    if action.kind == "assign":
        return _("Assigned to %(name)s") % {"name": action.detail.get("to", "")}
    return {
        "close": _("Closed"),
        "done": _("Closed, or archived where nobody else reads them,"),
        "reopen": _("Opened again"),
        "waiting": _("Waiting for an answer"),
        "unassign": _("Assigned to nobody"),
        "archive": _("Archived"),
        "spam": _("Moved to Spam"),
        "inbox": _("Moved to the inbox"),
        "read": _("Marked as read"),
        "unread": _("Marked as unread"),
        "star": _("Starred"),
        "unstar": _("Star taken away"),
        "wake": _("Back in its list"),
        "unremind": _("Reminder taken away"),
        "mute": _("Muted: you hear of it only when you are mentioned or it is given to you"),
        "unmute": _("No longer muted"),
        "pin": _("Pinned to the top"),
        "unpin": _("No longer pinned"),
    }[action.kind]


def _deleted(action: Action) -> str:
    if action.detail.get("hidden"):
        return _("Hidden from you alone: everybody else still sees it")
    if action.detail.get("for_good"):
        return _("Deleted for good, on the mail server too")
    return _("Deleted: it is in Trash, on the mail server too")


def _counted(done: str, count: int) -> str:
    if count == 1:
        return done
    words = ngettext("%(count)s conversation: %(done)s", "%(count)s conversations: %(done)s", count)
    return words % {"count": f"{count:,}", "done": done[:1].lower() + done[1:]}


def _with_scope(text: str, action: Action, shelves: Iterable[Shelf]) -> str:
    ours = [shelf for shelf in shelves if shelf.mailbox.public_id in action.detail.get("mailboxes", [])]
    shared = [shelf for shelf in ours if shelf.is_shared]
    if not shared or action.detail.get("hidden") or action.kind in muting.KINDS:  # these concern nobody else
        return f"{text}."
    names = ", ".join(shelf.mailbox.name or shelf.mailbox.address for shelf in shared[:3])
    return _("%(done)s in %(mailbox)s for everyone.") % {"done": text, "mailbox": names}


def _folder(action: Action, shelves: Iterable[Shelf]) -> str:
    wanted = action.detail.get("folder")
    for shelf in shelves:
        for line in shelf.folders:
            if line.folder.public_id == wanted:
                return line.name
    return str(action.detail.get("name", ""))  # the folder is gone since
