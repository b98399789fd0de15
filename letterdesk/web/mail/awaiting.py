"""“Remind me if nobody answers”: what is on offer, what a person chose, and what its conversation says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation
from letterdesk.mailboxes.retention.own_times import sent_period
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.outbound.models import Draft
from letterdesk.outbound.send import Remind
from letterdesk.web.mail.snoozing import BadMoment, moment
from letterdesk.web.templatetags.letterdesk import long_time, short_moment

DAYS = (1, 2, 3, 7)
AT = "at"  # at a time that is typed beside it


@dataclass(frozen=True)
class Offer:
    """What a form may say, in words, and when that is. `condition`: as the form of a letter says it."""

    key: str
    name: str
    condition: str
    at: datetime


def offers(local: datetime) -> list[Offer]:
    """Days on offer at this moment, which carries the reader's zone."""
    return [Offer(str(days), *_words(days), local + timedelta(days=days)) for days in DAYS]


def _words(days: int) -> tuple[str, str]:
    if days == 7:
        return _("In a week"), _("No answer in a week")
    name = ngettext("In %(days)d day", "In %(days)d days", days)
    condition = ngettext("No answer in %(days)d day", "No answer in %(days)d days", days)
    return name % {"days": days}, condition % {"days": days}


def reminding(draft: Draft) -> dict[str, Any]:
    """What the form of a letter offers, and what was typed there."""
    typed = "" if draft.remind in {"", *map(str, DAYS)} else draft.remind
    return {"reminders": offers(timezone.localtime()), "remind_typed": typed}


def remind_of(draft: Draft, local: datetime) -> Remind | None:
    """What the draft of a letter says: "", a number of days, or a local time as it was typed. Raises BadMoment."""
    if not draft.remind:
        return None
    at = _at(draft.remind, local)
    _check_kept(at, local, [sent_period(draft.account, draft.mailbox_id, local.astimezone(UTC))])
    return Remind(days=int(draft.remind)) if draft.remind in map(str, DAYS) else Remind(at=at)


def remind_at(text: str, local: datetime, periods: Iterable[Period] = ()) -> datetime:
    """When a reminder comes that is set now, in UTC. `periods`: how long its conversations stay. Raises BadMoment."""
    at = _at(text, local)
    _check_kept(at, local, periods)
    return at


def _at(text: str, local: datetime) -> datetime:
    days = int(text) if text in map(str, DAYS) else 0
    return (local + timedelta(days=days)).astimezone(UTC) if days else moment(text, local)


def _check_kept(at: datetime, local: datetime, periods: Iterable[Period]) -> None:
    """R9: what has left Webmail by then cannot come back."""
    for period in periods:
        leaves_at = period.leaves_at(local.astimezone(UTC))
        if leaves_at is not None and at >= leaves_at:
            words = _("Letters leave Webmail after %(days)d days here. Choose an earlier day for the reminder.")
            raise BadMoment(words % {"days": period.days_at(leaves_at) or 0})


def awaited(found: Conversation, employee: Employee) -> dict[str, Any] | None:
    """What a conversation says of its reminder; None: there is none."""
    mark = getattr(found, "mark", None)
    if mark is None or mark.remind_at is None:
        return None
    if mark.reminded_at is not None:
        text = _("Nobody has answered since %(time)s.") % {"time": long_time(mark.awaited_since)}
        return {"is_back": True, "text": text}
    when = short_moment(mark.remind_at)
    if mark.remind_by_id == employee.pk or mark.remind_by is None:
        return {"is_back": False, "text": _("You are reminded %(time)s if nobody answers.") % {"time": when}}
    told = {"who": mark.remind_by.name, "time": when}
    return {"is_back": False, "text": _("%(who)s is reminded %(time)s if nobody answers.") % told}
