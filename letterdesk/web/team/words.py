"""Team work in words: how far a conversation is, whose, since when somebody waits, and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mailboxes.models import Conversation, Status
from letterdesk.team.history import Turn
from letterdesk.team.lists import VIEWS
from letterdesk.web.templatetags.letterdesk import short_moment

HOUR, DAY = 3600, 86400


def view_name(view: str) -> str:
    """What a view of a team's list is called."""
    names = {
        "unassigned": _("Unassigned"),
        "mine": _("Mine"),
        "others": _("Others"),
        "waiting": _("Waiting"),
        "snoozed": _("Snoozed"),
        "closed": _("Closed"),
    }
    return names[view]


def tabs(place: Any, counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """The views of the mailbox beside one another, with how many each holds."""
    here = place.base.removesuffix(place.team_view)
    return [
        {"view": view, "name": view_name(view), "address": f"{here}{view}", "count": counted.get(view, 0)}
        for view in VIEWS
    ]


def chips(conversation: Conversation, names: Mapping[tuple[str, int], str], now: datetime) -> dict[str, str]:
    """What a row says of it: whose it is, its status unless open, how long somebody has been waiting for us."""
    department = conversation.department_id
    whose = names.get(("employee", conversation.assignee_id or 0)) or names.get(("department", department or 0), "")
    status = conversation.status
    is_told = status in {Status.WAITING, Status.CLOSED}
    since = conversation.waiting_since if status == Status.OPEN else None
    return {
        "assignee": whose,
        "assignee_kind": "department" if department else "employee",
        "status": str(Status(status).label) if is_told else "",
        "status_key": status,
        "waits": waited(since, now) if since else "",
    }


def waited(since: datetime, now: datetime) -> str:
    """How long ago that was, in the largest unit that fits: "5 min", "2 h", "3 days"."""
    seconds = max((now - since).total_seconds(), 0)
    if seconds < HOUR:
        return _("%(count)s min") % {"count": int(seconds // 60)}
    if seconds < DAY:
        return _("%(count)s h") % {"count": int(seconds // HOUR)}
    days = int(seconds // DAY)
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


def sentence(turn: Turn) -> str:
    """A line of the conversation's history."""
    if turn.reminder or turn.status:
        return _of_reminder(turn) if turn.reminder else _became(turn) % {"name": turn.by}
    if turn.why == "left":
        return _("Nobody's again: %(name)s left") % {"name": turn.was or _("somebody")}
    if turn.why == "unshared":
        name = turn.was or _("somebody")
        return _("Nobody's again: %(name)s has no access to the mailbox any more") % {"name": name}
    if not turn.to:
        return _("%(name)s took the assignment away") % {"name": turn.by}
    if turn.is_self:
        return _("%(name)s took it") % {"name": turn.by}
    return _("%(name)s assigned it to %(to)s") % {"name": turn.by, "to": turn.to}


def _of_reminder(turn: Turn) -> str:
    name, time = turn.by or turn.to or _("somebody"), short_moment(turn.when) if turn.when else ""
    if turn.reminder == "set":
        return _("%(name)s is reminded %(time)s if nobody answers") % {"name": turn.to or name, "time": time}
    if turn.reminder == "came":
        return _("It came back: nobody had answered")
    return {
        "answered": _("Answered: the reminder is over"),
        "followed": _("Written again: the reminder is over"),
        "gone": _("The reminder ended: the conversation was in Trash or Spam"),
        "done": _("%(name)s dealt with it: the reminder is over"),
    }.get(turn.why, _("%(name)s took the reminder away")) % {"name": name}


def _became(turn: Turn) -> str:
    if turn.by:
        words = {
            Status.OPEN: _("%(name)s opened it"),
            Status.WAITING: _("%(name)s marked it as waiting for an answer"),
            Status.CLOSED: _("%(name)s closed it"),
            Status.NONE: _("%(name)s took its status away"),
        }
        return words[Status(turn.status)]
    if turn.why == "answer":
        return _("An answer opened it again")
    if turn.why == "reminded":
        return _("It is open again, as nobody has answered")
    return _("Answered: it waits for their reply")
