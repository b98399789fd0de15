"""How a mailbox is, in words: what happened, since when, and what to do about it (hard rule 15)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.web.mail.words import translated
from letterdesk.web.templatetags.letterdesk import short_time

LATE = timedelta(minutes=30)  # without a sync for so long, the page says so


@dataclass(frozen=True)
class State:
    """What a banner says. `tone`: "", "ok", "warn", "danger"; `action` is the text of a link to `address`."""

    tone: str
    icon: str
    text: str
    advice: str = ""
    action: str = ""
    address: str = ""


def advice_on(code: str) -> str:
    """What a person can do about a named error (ux.md 1.8a); empty where nothing more is to be said."""
    return {
        "dns_not_found": _("Check the spelling of the server's name."),
        "tcp_timeout": _("Check name and port (993, or 143 with STARTTLS). A firewall may be in the way."),
        "tcp_refused": _("Check the port: 993, or 143 with STARTTLS."),
        "tls_expired": _("Tell the mail server's administrator: the certificate has to be renewed."),
        "tls_name": _("Use the server's name that stands on the certificate."),
        "tls_self_signed": _("Ask the mail server's administrator for a certificate that is trusted."),
        "tls_error": _("Check whether this port speaks TLS (993) or STARTTLS (143)."),
        "starttls_missing": _("Use TLS on port 993 instead."),
        "not_imap": _("Check name and port: IMAP answers on 993, or on 143 with STARTTLS."),
        "auth_failed": _("Check user name and password. Some servers want the whole address as user name."),
        "app_password_required": _("Make an app password in your provider's security settings and use it here."),
        "imap_disabled": _("Turn IMAP on in your provider's settings."),
        "too_many_connections": _("Close other mail programs, or wait a minute. Letterdesk tries again by itself."),
        "blocked_address": _("If this is your company's own server, your administrator can allow its network."),
        "oauth_again": _("Everything that is here stays."),
        "oauth_refused": _("Sign in as the person whose mailbox it is. IMAP may be turned off for it."),
        "oauth_admin_consent": _("Ask your organisation's administrator to approve Letterdesk, then sign in again."),
        "oauth_denied": _("Sign in again and allow access to mail."),
        "oauth_unavailable": _("Letterdesk tries again by itself."),
        "over_plan": _("What is here can be read while the plan allows it. Choose a plan that has Webmail."),
        "unavailable": _("Letterdesk tries again by itself."),
        "storage": _("Letterdesk tries again by itself. If this lasts, tell whoever runs Letterdesk."),
        "disk_full": _("Tell whoever runs Letterdesk; it goes on by itself when there is room."),
        "key_missing": _("Enter the password again, or have LETTERDESK_ENCRYPTION_KEYS name the old key as well."),
        "disconnected": _("Letterdesk tries again by itself."),
    }.get(code, "")


def state_of(mailbox: Mailbox, now: datetime, *, may_manage: bool) -> State | None:
    """What is to be said about this mailbox above its letters; None: all is well."""
    settings_page = reverse("mailbox", args=[mailbox.public_id])
    action = {"action": _("Mailbox settings"), "address": settings_page} if may_manage else {}
    if mailbox.error_code or mailbox.state == MailboxState.FAILING:
        return _failing(mailbox, action)
    if mailbox.state != MailboxState.CONNECTED:
        return _resting(MailboxState(mailbox.state), action)
    return _behind(mailbox, now, action)


def _resting(state: MailboxState, action: dict[str, str]) -> State:
    if state == MailboxState.PAUSED:
        return State("warn", "pause", _("This mailbox is paused: nothing is fetched."), **action)
    if state == MailboxState.SUSPENDED:
        text = _("This mailbox is suspended by the plan: what is here stays readable, nothing is fetched.")
        return State("warn", "pause", text, action=_("Plan and usage"), address=reverse("plan"))
    return State("warn", "unplug", _("This mailbox is disconnected."), **action)


def _behind(mailbox: Mailbox, now: datetime, action: dict[str, str]) -> State | None:
    if mailbox.imap_host and not mailbox.first_sync_done_at:
        text = _("Letters are being fetched, the newest first. You can work already.")
        how_far = reverse("progress", args=[mailbox.public_id])
        return State("", "refresh-cw", text, action=_("See how far"), address=how_far)
    if mailbox.last_synced_at and now - mailbox.last_synced_at > LATE:
        text = _("Not synced since %(since)s. Is the sync process running?")
        return State("warn", "triangle-alert", text % {"since": short_time(mailbox.last_synced_at)}, **action)
    return None


def _failing(mailbox: Mailbox, action: dict[str, str]) -> State:
    since = mailbox.error_since or mailbox.last_synced_at
    text = translated(mailbox.error_text) or _("The mail server cannot be reached.")
    if since:
        text = _("Not synced since %(since)s: %(reason)s") % {"since": short_time(since), "reason": text}
    tone = "danger" if mailbox.state == MailboxState.FAILING else "warn"
    return State(tone, "triangle-alert", text, advice_on(mailbox.error_code), **action)
