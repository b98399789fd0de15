"""What the page of a letter says of the month's quota: nothing as long as there is plenty (R22, R24, R25)."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Account
from letterdesk.plans.limits import NotInPlan, terms
from letterdesk.plans.models import Channel
from letterdesk.plans.usage import WARN_AT, Meter, meter, require_channel
from letterdesk.web.mailboxes.state import State


def quota_state(account: Account, channel: Channel, *, now: datetime) -> State | None:
    """What is said at this door; None: more than a fifth of the month is left.

    "Not in your plan" and "used up" are two texts.
    """
    allowed = terms(account, now=now)
    try:
        require_channel(account, channel, now=now, allowed=allowed)
    except NotInPlan as refusal:
        return State("danger", "circle-alert", str(refusal))
    return metered(meter(account, now=now, allowed=allowed))


def metered(month: Meter) -> State | None:
    """What a meter says, from 80 % on. Pure."""
    if month.limit is None or month.used * 100 < WARN_AT[0] * month.limit:
        return None
    until = f"{timezone.localtime(month.ends_at):%Y-%m-%d}"
    said = {"limit": f"{month.limit:,}", "used": f"{month.used:,}", "until": until}
    if not month.left:
        text = _("The %(limit)s e-mails of this month are used up. The next month begins on %(until)s.")
        return State("danger", "circle-alert", text % said)
    text = ngettext(
        "%(used)s of %(limit)s e-mails of this month are used: %(left)d is left until %(until)s.",
        "%(used)s of %(limit)s e-mails of this month are used: %(left)d are left until %(until)s.",
        month.left,
    )
    is_near = month.used * 100 >= WARN_AT[1] * month.limit
    return State(
        "warn" if is_near else "", "triangle-alert" if is_near else "info", text % {**said, "left": month.left}
    )
