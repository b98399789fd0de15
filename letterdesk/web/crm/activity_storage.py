"""What became of the Webmail letter of an activity: still there, leaves then, has left (R7, R8; ux.md 1.11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.crm.activities.reading import in_webmail, longest_periods
from letterdesk.crm.models import Activity
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.web.templatetags.letterdesk import short_date


@dataclass(frozen=True, slots=True)
class Storage:
    """What is said of a letter at CRM, and whether it is still shown in Webmail, too."""

    words: str
    is_in_webmail: bool


def storage_of(activities: Sequence[Activity], account: Account, now: datetime) -> dict[int, Storage]:
    """What became of each of these activities' letters, in four queries, one more where mailboxes have own times."""
    periods = periods_of(account, now)
    there = in_webmail(activities, account, periods, now=now) if periods.days != 0 else set()
    of = longest_periods(activities, periods)
    return {
        each.pk: Storage(
            storage_words(each.received_at, of.get(each.pk, periods.base), now, is_there=each.pk in there),
            each.pk in there,
        )
        for each in activities
    }


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
