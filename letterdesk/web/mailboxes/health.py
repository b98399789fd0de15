"""How a mailbox is, in a word or two, for a grid of many."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.sync.progress import MailboxProgress
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.state import LATE
from letterdesk.web.templatetags.letterdesk import short_time

SIGN_IN = (
    "auth_failed",
    "app_password_required",
    "imap_disabled",
    "smtp_auth_disabled",
    "oauth_again",
    "oauth_refused",
)


@dataclass(frozen=True)
class Health:
    """`key` is what one filters by; `rank` what one sorts by, the worst first."""

    key: str
    tone: str
    text: str
    rank: int
    detail: str = ""


def health_words() -> dict[str, str]:
    """What one can filter by, and what it is called."""
    return {
        "ok": _("ok"),
        "signin": _("sign-in refused"),
        "error": _("not reached"),
        "late": _("lagging"),
        "fetching": _("fetching"),
        "paused": _("paused"),
        "plan": _("paused by plan"),
        "off": _("disconnected"),
        "imported": _("imported"),
    }


def health_of(mailbox: Mailbox, so_far: MailboxProgress | None, now: datetime) -> Health:
    """One word for its state, with the time or the share that goes with it."""
    since = short_time(mailbox.error_since or mailbox.last_synced_at)
    if mailbox.state in RESTING:
        return RESTING[MailboxState(mailbox.state)]()
    if not mailbox.imap_host:
        return Health("imported", "", _("imported"), 8)
    detail = translated(mailbox.error_text)
    if mailbox.error_code in SIGN_IN or mailbox.state == MailboxState.FAILING:
        return Health("signin", "danger", _("sign-in refused since %(time)s") % {"time": since}, 0, detail)
    if mailbox.error_code:
        return Health("error", "warn", _("not reached since %(time)s") % {"time": since}, 1, detail)
    if mailbox.first_sync_done_at is None:
        percent = min(so_far.percent, 99) if so_far else 0
        return Health("fetching", "info", _("fetching %(percent)d %%") % {"percent": percent}, 3)
    return _in_step(mailbox, now)


def _in_step(mailbox: Mailbox, now: datetime) -> Health:
    behind = now - mailbox.last_synced_at if mailbox.last_synced_at else timedelta()
    if behind > LATE:
        return Health("late", "warn", _("lagging %(n)d min") % {"n": behind // timedelta(minutes=1)}, 2)
    return Health("ok", "ok", _("ok %(time)s") % {"time": short_time(mailbox.last_synced_at)}, 7)


RESTING = {
    MailboxState.PAUSED: lambda: Health("paused", "", _("paused"), 5),
    MailboxState.SUSPENDED: lambda: Health("plan", "warn", _("paused by plan"), 4),
    MailboxState.DISCONNECTED: lambda: Health("off", "", _("disconnected"), 6),
}
