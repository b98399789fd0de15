"""How allauth behaves here: nobody signs up, links come from BASE_URL, sign-ins are told, secrets encrypted."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from letterdesk.lib.crypto import cipher

from .history import tell
from .models import Employee
from .sessions import end_sessions


def own_host() -> str:
    """The host of BASE_URL, without a port."""
    return urlsplit(settings.BASE_URL).hostname or "localhost"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in and its mails."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account by themselves: people come by invitation."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether to go on to this address: one of our own pages, from the root on (C17)."""
        try:
            return bool(url) and str(url).startswith("/") and bool(super().is_safe_url(url))
        except ValueError:  # `//[x` is no address at all
            return False

    def pre_login(self, request: HttpRequest, user: Employee, **kwargs: Any) -> HttpResponse | None:
        """Let nobody in whose account is closed (accounts/close.py), whatever way they came."""
        if user.is_locked_out:
            return self.respond_user_inactive(request, user)  # type: ignore[no-any-return]
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def login(self, request: HttpRequest, user: Employee) -> None:
        """Sign in, whatever way it came (password, passkey, invitation), list the session, and tell it."""
        super().login(request, user)
        UserSession.objects.create_from_request(request)
        methods = [str(record["method"]) for record in get_authentication_records(request, user)]
        subject, ip = f"employee:{user.public_id}", self.get_client_ip(request)
        tell("signed.in", account=user.account, by=user, subject=subject, methods=methods, ip=ip)

    def logout(self, request: HttpRequest) -> None:
        """Sign out, and tell it."""
        user = request.user
        super().logout(request)
        if isinstance(user, Employee):
            tell("signed.out", account=user.account, by=user, subject=f"employee:{user.public_id}")

    def set_password(self, user: Employee, password: str) -> None:
        """Keep a new password, changed, set or reset; the other sessions of this person end with the old one (C27)."""
        super().set_password(user, password)
        session = getattr(self.request, "session", None)
        end_sessions(user, keep=(session.session_key or "") if session else "")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names this installation, not the Host header of the request (C28)."""
        site = SimpleNamespace(name="Letterdesk", domain=own_host())
        super().send_mail(template_prefix, email, {"current_site": site, **context})

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of a reset mail, under BASE_URL (C28)."""
        return f"{settings.BASE_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Attempts are counted per address; allauth would count anew for each Host header and port (C26)."""
        return str(credentials.get("email", "")).strip().lower()


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP keys, recovery codes and passkeys."""

    def encrypt(self, text: str) -> str:
        """Encrypt a TOTP key or the seed of recovery codes for the database (hard rule 14)."""
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The counterpart of `encrypt`."""
        return cipher().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to BASE_URL's host, whatever Host header came (C28)."""
        return {"id": own_host(), "name": "Letterdesk"}
