"""The forms that connect a mailbox: what is asked, how the six steps of the test are shown, and the ways out."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from letterdesk.accounts.pace import spend
from letterdesk.mail.autoconfig import Found
from letterdesk.mail.check import CheckStep
from letterdesk.mail.imap import Login
from letterdesk.mailboxes.connect import Server, owned
from letterdesk.mailboxes.tokens import Consent, Secret
from letterdesk.plans.catalogue import Terms
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.state import advice_on
from letterdesk.web.request import Request

DEPTHS = (7, 14, 30, 60, 90, 180, 365)  # days
SECURITIES = [
    ("tls", gettext_lazy("TLS")),
    ("starttls", gettext_lazy("STARTTLS")),
    ("none", gettext_lazy("None")),
]
TESTS_PER_HOUR = 10  # D03: no port scanner
STEP_NAMES = {
    "resolve": gettext_lazy("Find the server"),
    "connect": gettext_lazy("Connect"),
    "secure": gettext_lazy("Secure the connection"),
    "sign_in": gettext_lazy("Sign in"),
    "folders": gettext_lazy("List folders"),
    "smtp": gettext_lazy("Sign in for sending"),
}
USUAL = {"imap": ((993, "tls"), (143, "starttls")), "smtp": ((465, "tls"), (587, "starttls"))}
PASSWORD = forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True)


class AddressForm(forms.Form):
    """Step 1: whose mailbox it is."""

    address = forms.EmailField(
        max_length=320,
        label=gettext_lazy("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class SignInForm(forms.Form):
    """Step 2: the password; the server's settings, found or typed. Where one is kept, no password need be typed."""

    password = forms.CharField(widget=PASSWORD, label=gettext_lazy("Password or app password"), strip=False)
    imap_host = forms.CharField(max_length=255, label=gettext_lazy("Server (IMAP)"))
    imap_port = forms.IntegerField(min_value=1, max_value=65535, required=False, label=gettext_lazy("Port"))
    imap_security = forms.ChoiceField(choices=SECURITIES, required=False, label=gettext_lazy("Security"))
    imap_user = forms.CharField(max_length=320, required=False, label=gettext_lazy("User name, if not the address"))
    smtp_host = forms.CharField(max_length=255, required=False, label=gettext_lazy("Server (SMTP)"))
    smtp_port = forms.IntegerField(min_value=1, max_value=65535, required=False, label=gettext_lazy("Port"))
    smtp_security = forms.ChoiceField(choices=SECURITIES, required=False, label=gettext_lazy("Security"))

    def __init__(self, *args: Any, has_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = not has_password
        if has_password:
            self.fields["password"].help_text = _("Kept from before. Leave it empty, or type another one.")

    def clean(self) -> dict[str, Any]:
        """No password goes unencrypted over a network that the operator has not named."""
        cleaned = super().clean() or {}
        if cleaned.get("imap_security") == "none" and not settings.ALLOWED_NETWORKS:
            raise ValidationError(_("Without TLS or STARTTLS the password could be read on the way."))
        return cleaned

    def _named(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    password_fields = property(lambda self: self._named("password"))
    imap_fields = property(lambda self: self._named("imap_host", "imap_port", "imap_security"))
    user_fields = property(lambda self: self._named("imap_user"))
    smtp_fields = property(lambda self: self._named("smtp_host", "smtp_port", "smtp_security"))


def depth_days(terms: Terms) -> list[int | None]:
    """The depths that may be chosen, the largest first; None is everything (R21)."""
    most = terms.days_fetched
    days = sorted({day for day in DEPTHS if most is None or day <= most} | ({most} if most else set()), reverse=True)
    return [None, *days] if most is None else list(days)


def depth_label(days: int | None) -> str:
    """A depth in words."""
    return _("everything") if days is None else ngettext("the last %d day", "the last %d days", days) % days


def meter(request: Request, terms: Terms) -> dict[str, Any]:
    """How many of this person's places are taken, where the limit is felt (R14)."""
    used, most = owned(request.employee).count(), terms.mailboxes_per_employee
    if most is None:
        text = _("Connected mailboxes of yours: %(used)d, and your plan sets no limit.")
        return {"meter_text": text % {"used": used}}
    facts = {"used": used, "most": most, "next": used + 1}
    text = _("Mailboxes used: %(used)d of %(most)d.")
    text = text + " " + _("This will be number %(next)d.") if used < most else text
    return {"meter_text": text % facts, "meter_used": used, "meter_most": most}


def spend_test(request: Request) -> None:
    """Count one test of a sign-in. Raises TooFast (D03)."""
    me, now = request.employee, timezone.now()
    spend(me.account, "connect.test", who=me.public_id, most=TESTS_PER_HOUR, within=timedelta(hours=1), now=now)


def as_initial(found: Found) -> dict[str, Any]:
    """Settings that were found, as fields of the form."""
    fields: dict[str, Any] = {}
    for part, server in (("imap", found.imap), ("smtp", found.smtp)):
        if server is not None:
            fields |= {f"{part}_host": server.host, f"{part}_port": server.port, f"{part}_security": server.security}
    return {**fields, "imap_user": found.imap.user}


def server_of(wish: dict[str, Any], address: str) -> Server:
    """The server as the form names it."""
    user = wish["imap_user"] or address
    return Server(
        imap_host=wish["imap_host"],
        imap_port=wish["imap_port"] or 993,
        imap_security=wish["imap_security"] or "tls",
        imap_user=user,
        smtp_host=wish["smtp_host"],
        smtp_port=wish["smtp_port"] or 465,
        smtp_security=wish["smtp_security"] or "tls",
        smtp_user=user if wish["smtp_host"] else "",
    )


def logins_of(server: Server, secret: Secret) -> tuple[Login, Login | None]:
    """What the test signs in with: IMAP, and SMTP where a server is named. A consent's token is one just given."""
    consent = Consent.of(secret)
    way = {"oauth_token": consent.access} if consent else {"password": secret.get("password", "")}
    imap = Login(server.imap_host, server.imap_port, server.imap_security, server.imap_user, **way)
    if not server.smtp_host:
        return imap, None
    return imap, Login(server.smtp_host, server.smtp_port, server.smtp_security, server.smtp_user, **way)


@dataclass(frozen=True)
class Way:
    """A way out that one button takes: `use` is what it puts into the form."""

    use: str
    text: str


@dataclass(frozen=True)
class ShownStep:
    """A step of the test in words. `state`: ok, failed or waiting."""

    name: str
    state: str
    icon: str
    state_text: str
    detail: str = ""
    milliseconds: int | None = None
    error: str = ""
    advice: str = ""
    report: str = ""
    ways: list[Way] = field(default_factory=list)


def shown_steps(steps: list[CheckStep], server: Server, *, address: str) -> list[ShownStep]:
    """The steps that were taken, and those that wait."""
    taken = [_shown(step, server, address) for step in steps]
    names = [name for name in STEP_NAMES if server.smtp_host or name != "smtp"]
    waiting = [ShownStep(str(STEP_NAMES[name]), "waiting", "clock", _("waiting")) for name in names[len(taken) :]]
    return taken + waiting


def _shown(step: CheckStep, server: Server, address: str) -> ShownStep:
    name = str(STEP_NAMES.get(step.name, step.name))
    if step.error is None:
        return ShownStep(
            name, "ok", "check", _("passed"), detail=translated(step.detail), milliseconds=step.milliseconds
        )
    return ShownStep(
        name,
        "failed",
        "x",
        _("failed"),
        milliseconds=step.milliseconds,
        error=translated(step.error.text),
        advice=advice_on(step.error.code),
        report=_report(step, server),
        ways=ways_out(step, server, address),
    )


def _report(step: CheckStep, server: Server) -> str:
    """What a person can copy to whoever helps: no password, no content."""
    assert step.error  # noqa: S101  # asked of failed steps alone
    part = "smtp" if step.name == "smtp" else "imap"
    host, port, security = (getattr(server, f"{part}_{name}") for name in ("host", "port", "security"))
    lines = [f"{part}://{host}:{port} ({security})", f"step: {step.name}, {step.milliseconds} ms"]
    return "\n".join([*lines, f"error: {step.error.code}", f"answer: {step.error.detail or '-'}"])


def ways_out(step: CheckStep, server: Server, address: str) -> list[Way]:
    """What a button can change before the next try (ux.md 1.8a)."""
    code = step.error.code if step.error else ""
    part = "smtp" if step.name == "smtp" else "imap"
    if code == "tls_name" and step.error:
        names = str(step.error.facts.get("names", "")).removeprefix("for ").split(", ")
        return [Way(f"{part}_host={name}", _("Use %(name)s") % {"name": name}) for name in names if _is_name(name)]
    if code in {"tcp_timeout", "tcp_refused", "tls_error", "not_imap", "starttls_missing", "disconnected"}:
        now = (getattr(server, f"{part}_port"), getattr(server, f"{part}_security"))
        return [_port(part, *usual) for usual in USUAL[part] if usual != now]
    if code in {"auth_failed", "app_password_required"} and server.imap_user.lower() != address.lower():
        return [Way(f"imap_user={address}", _("Try the whole address as user name"))]
    return []


def _port(part: str, port: int, security: str) -> Way:
    text = _("Try port %(port)d with %(security)s") % {"port": port, "security": dict(SECURITIES)[security]}
    return Way(f"{part}_port={port}&{part}_security={security}", text)


def _is_name(name: str) -> bool:
    return "." in name and "*" not in name and " " not in name
