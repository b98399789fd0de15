"""How many letters leave a mailbox in a day, where its provider or its people set a limit: the others wait.

A letter takes its place when a worker takes it up, by a conditional update, so that two workers never take the last
one both; once in a day, however often it is tried. A day is one of the account's time zone.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Mailbox

from .decide import Conclusion
from .models import DailyLimit, Delivery, SentOnDay, State

HIGHEST = 1_000_000
CODE = "daily_limit"


class BadLimit(ValueError):
    """No mailbox can have this limit; the text says why, in words for people."""


def wait_for_place(row: Delivery, *, now: datetime) -> Conclusion | None:
    """Take the letter's place in this day. None: it has one, or needs none; else it waits for tomorrow."""
    most = _most(row)
    zone = ZoneInfo(row.account.time_zone)
    today = now.astimezone(zone).date()
    tomorrow = datetime.combine(today + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)
    if most is None or row.counted_on == today or _take(row, today, most, tomorrow):
        return None
    text = ngettext(
        "%(most)d letter a day may leave %(address)s; this one waits for tomorrow.",
        "%(most)d letters a day may leave %(address)s; this one waits for tomorrow.",
        most,
    ) % {"most": most, "address": row.sender}
    return Conclusion(State.DEFERRED, next_at=tomorrow, code=CODE, text=text)


def is_told(row: Delivery, found: Conclusion) -> bool:
    """Whether its people know already that it waits for a place; `row` is as it was taken up."""
    return found.code == row.error_code == CODE


def _most(row: Delivery) -> int | None:
    if row.verified_sender is not None:
        return row.verified_sender.daily_most
    return DailyLimit.objects.filter(mailbox=row.mailbox_id).values_list("most", flat=True).first()


@transaction.atomic
def _take(row: Delivery, today: date, most: int, tomorrow: datetime) -> bool:
    day, _made = SentOnDay.objects.get_or_create(
        mailbox=row.mailbox, verified_sender=row.verified_sender, day=today, defaults={"account_id": row.account_id}
    )
    has_place = SentOnDay.objects.filter(pk=day.pk, count__lt=most).update(count=F("count") + 1) == 1
    if has_place:
        Delivery.objects.filter(pk=row.pk).update(counted_on=today)
        if SentOnDay.objects.filter(pk=day.pk, count__gte=most).exists():
            _put_off(row, today, tomorrow)
    reach("pacing.before_commit")
    return has_place


def _put_off(row: Delivery, today: date, tomorrow: datetime) -> None:
    """This letter has filled the day: those that wait for a place, and have been told of it, are not taken up in vain.
    Who had a place today is tried again today."""
    others = Delivery.objects.filter(
        mailbox=row.mailbox, verified_sender=row.verified_sender, state=State.DEFERRED, error_code=CODE
    )
    others.filter(next_at__lt=tomorrow).exclude(counted_on=today).update(next_at=tomorrow)


def check_limit(most: int | None) -> None:
    """Raise BadLimit for what cannot be a limit of letters a day; None is none."""
    if most is not None and not 1 <= most <= HIGHEST:
        raise BadLimit(_("Write a number from 1 to %(most)s, or nothing for no limit.") % {"most": f"{HIGHEST:,}"})


@transaction.atomic
def set_daily_limit(mailbox: Mailbox, most: int | None, *, by: Employee) -> None:
    """From now on so many letters leave in a day; None: as many as one likes. Raises BadLimit."""
    check_limit(most)
    if most is None:
        DailyLimit.objects.filter(mailbox=mailbox).delete()
    else:
        DailyLimit.objects.update_or_create(mailbox=mailbox, defaults={"most": most, "account_id": mailbox.account_id})
    waiting = Delivery.objects.filter(mailbox=mailbox, state=State.DEFERRED, error_code=CODE)
    waiting.update(next_at=F("due_at"))  # they are judged anew
    record("mailbox.changed", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic,
           daily_limit=most)  # fmt: skip
