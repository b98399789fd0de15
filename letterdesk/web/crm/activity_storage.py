"""What became of the Webmail letter of an activity: still there, leaves then, has left (R7, R8; ux.md 1.11)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.crm.activities.reading import in_webmail, longest_periods
from letterdesk.crm.models import Activity
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Period, Periods
from letterdesk.web.templatetags.letterdesk import short_date


def still_in_webmail(activities: Sequence[Activity], account: Account, now: datetime) -> Collection[int]:
    """Keys of those whose letters are shown in Webmail, too; four queries at most."""
    return _there(activities, account, periods_of(account, now), now)


def storage_of(activity: Activity, account: Account, now: datetime) -> str:
    """What became of the letter of an activity, in words."""
    periods = periods_of(account, now)
    there = _there([activity], account, periods, now)
    if there.get(activity.pk):  # a task or a legal hold, of which the reader may know nothing
        return _("Kept here, and in Webmail.")
    if not there and periods.days != 0 and not activity.copies.exists():
        return _("Kept here. It is not in Webmail.")
    period = longest_periods([activity], periods).get(activity.pk, periods.base)
    return storage_words(activity.received_at, period, now, is_there=bool(there))


def _there(activities: Sequence[Activity], account: Account, periods: Periods, now: datetime) -> dict[int, bool]:
    return in_webmail(activities, account, periods, now=now) if periods.days != 0 else {}


def storage_words(received_at: datetime, period: Period, now: datetime, *, is_there: bool) -> str:
    """What is said of one letter: that it is kept here, and until when, or since when not, it is in Webmail (R7)."""
    if period.days == 0:
        return _("Kept here, whatever the plan. There is no Webmail in yours.")
    leaves_at = period.leaves_at(received_at)
    if is_there and leaves_at is not None and leaves_at > now:
        return _("Kept here. Leaves Webmail on %(day)s.") % {"day": short_date(leaves_at)}
    if is_there:
        return _("Kept here, and in Webmail.")
    if leaves_at is not None and leaves_at <= now:
        return _("Kept here. Left Webmail on %(day)s.") % {"day": short_date(leaves_at)}
    return _("Kept here. It is not in Webmail any more.")
