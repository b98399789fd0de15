"""The form that connects a mailbox: what is asked, and how the six steps of the test are shown."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from letterdesk.mail.autoconfig import Found
from letterdesk.mail.check import CheckStep
from letterdesk.mail.imap import Login
from letterdesk.mailboxes.connect import Server
from letterdesk.plans.catalogue import Terms
from letterdesk.web.state import advice_on

DEPTHS = (7, 14, 30, 60, 90, 180, 365)  # days
SECURITIES = [
    ("tls", gettext_lazy("TLS")),
    ("starttls", gettext_lazy("STARTTLS")),
    ("none", gettext_lazy("None")),
]
STEP_NAMES = {
    "resolve": gettext_lazy("Find the server"),
    "connect": gettext_lazy("Connect"),
    "secure": gettext_lazy("Secure the connection"),
    "sign_in": gettext_lazy("Sign in"),
    "folders": gettext_lazy("List folders"),
    "smtp": gettext_lazy("Sign in for sending"),
}
PASSWORD = forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True)


class ConnectForm(forms.Form):
    """Address and password; the server's settings, found or typed; how much to fetch (R21)."""

    address = forms.EmailField(max_length=320, label=gettext_lazy("E-mail address"))
    password = forms.CharField(widget=PASSWORD, label=gettext_lazy("Password or app password"), strip=False)
    imap_host = forms.CharField(max_length=255, required=False, label=gettext_lazy("Server (IMAP)"))
    imap_port = forms.IntegerField(min_value=1, max_value=65535, required=False, label=gettext_lazy("Port"))
    imap_security = forms.ChoiceField(choices=SECURITIES, required=False, label=gettext_lazy("Security"))
    imap_user = forms.CharField(max_length=320, required=False, label=gettext_lazy("User name, if not the address"))
    smtp_host = forms.CharField(max_length=255, required=False, label=gettext_lazy("Server (SMTP)"))
    smtp_port = forms.IntegerField(min_value=1, max_value=65535, required=False, label=gettext_lazy("Port"))
    smtp_security = forms.ChoiceField(choices=SECURITIES, required=False, label=gettext_lazy("Security"))
    name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Shown name"))
    fetch_days = forms.IntegerField(min_value=1, required=False, label=gettext_lazy("Fetch"))

    def __init__(self, terms: Terms, *args: Any) -> None:
        super().__init__(*args)
        self.fields["fetch_days"].widget = forms.Select(choices=depths(terms))

    def clean(self) -> dict[str, Any]:
        """No password goes unencrypted over a network that the operator has not named."""
        cleaned = super().clean() or {}
        if cleaned.get("imap_security") == "none" and not settings.ALLOWED_NETWORKS:
            raise ValidationError(_("Without TLS or STARTTLS the password could be read on the way."))
        return cleaned

    @property
    def shows_server(self) -> bool:
        """Whether the server's settings lie open: something is typed there, or wrong."""
        return bool(self["imap_host"].value() or self.errors.get("imap_port") or self.errors.get("smtp_port"))

    def _named(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    who_fields = property(lambda self: self._named("address", "password"))
    imap_fields = property(lambda self: self._named("imap_host", "imap_port", "imap_security"))
    user_fields = property(lambda self: self._named("imap_user"))
    smtp_fields = property(lambda self: self._named("smtp_host", "smtp_port", "smtp_security"))
    choice_fields = property(lambda self: self._named("name", "fetch_days"))


def depths(terms: Terms) -> list[tuple[str, str]]:
    """How much can be fetched, up to the plan's maximum (R21); the largest first."""
    most = terms.days_fetched
    days = sorted({day for day in DEPTHS if most is None or day <= most} | ({most} if most else set()), reverse=True)
    choices = [(str(day), ngettext("the last %d day", "the last %d days", day) % day) for day in days]
    return [("", _("everything")), *choices] if most is None else choices


def as_initial(found: Found) -> dict[str, Any]:
    """Settings that were found, as fields of the form."""
    fields: dict[str, Any] = {}
    for part, server in (("imap", found.imap), ("smtp", found.smtp)):
        if server is not None:
            fields |= {f"{part}_host": server.host, f"{part}_port": server.port, f"{part}_security": server.security}
    return {**fields, "imap_user": found.imap.user}


def server_of(wish: dict[str, Any]) -> Server:
    """The server as the form names it."""
    user = wish["imap_user"] or wish["address"]
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


def logins_of(server: Server, password: str) -> tuple[Login, Login | None]:
    """What the test signs in with: IMAP, and SMTP where a server is named."""
    imap = Login(server.imap_host, server.imap_port, server.imap_security, server.imap_user, password)
    if not server.smtp_host:
        return imap, None
    return imap, Login(server.smtp_host, server.smtp_port, server.smtp_security, server.smtp_user, password)


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
    server_words: str = ""


def shown_steps(steps: list[CheckStep], *, with_smtp: bool) -> list[ShownStep]:
    """The steps that were taken, and those that wait."""
    taken = [_shown(step) for step in steps]
    names = [name for name in STEP_NAMES if with_smtp or name != "smtp"]
    waiting = [ShownStep(str(STEP_NAMES[name]), "waiting", "clock", _("waiting")) for name in names[len(taken) :]]
    return taken + waiting


def _shown(step: CheckStep) -> ShownStep:
    name = str(STEP_NAMES.get(step.name, step.name))
    if step.error is None:
        return ShownStep(name, "ok", "check", _("passed"), detail=step.detail, milliseconds=step.milliseconds)
    return ShownStep(
        name,
        "failed",
        "x",
        _("failed"),
        milliseconds=step.milliseconds,
        error=step.error.text,
        advice=advice_on(step.error.code),
        server_words=step.error.detail,
    )
