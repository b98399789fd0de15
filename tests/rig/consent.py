"""A real OAuth 2.0 authorization server on loopback, with a page for a browser, that misbehaves on demand.

    with Consents() as server:
        provider = server.provider(imap=f"localhost:{dovecot.tls_port} tls", smtp="127.0.0.1:2525 none")
        query = server.allow(url)                    # what a person does at `url`; the query that comes back
        server.revoke("ines@rig.example")            # they, or their administrator, take the consent back
        server.modes = ["503#2"]                     # how the token endpoint answers: twice so, then well

It demands PKCE, takes a code once, and with `rotates` every refresh token once: who comes with an old one loses all of
its family, as RFC 9700 4.14.2 has it. Dovecot asks `/introspect` whose token it is. `opens`: which other mailbox's
address its token of an account stands for, as where somebody may open a shared one.
Modes: a status ("503"), "cut", "html", "no-token", or an error of RFC 6749 5.2 ("invalid_client").
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from letterdesk.mail.oauth import Provider

from .ports import free_port

CLIENT, SECRET = "letterdesk-client", "marker-cl1ent-secret"


@dataclass
class Family:
    """One consent: what it was asked with, and the tokens that came of it."""

    account: str
    scope: str
    refresh: str = ""
    spent: set[str] = field(default_factory=set)
    revoked: bool = False


@dataclass
class Consents:
    """The server. `lasts`: seconds of an access token; `asked`: every form that the token endpoint got."""

    rotates: bool = True
    lasts: int = 3600
    scope: str | None = None  # what is granted, where it is not all
    says_issuer: bool = True
    opens: dict[str, str] = field(default_factory=dict)
    modes: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._codes: dict[str, tuple[Family, dict[str, str]]] = {}
        self._families: list[Family] = []
        self._access: dict[str, tuple[Family, float]] = {}
        self._lock = threading.Lock()
        self.before_answer: Callable[[], None] = lambda: None  # called when it has decided and not answered yet

    def __enter__(self) -> "Consents":
        class Handler(_Conversation):
            server_of_consents = self

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self) -> "Consents":
        """Behave well again: a test begins."""
        self.rotates, self.lasts, self.scope = True, 3600, None
        self.opens, self.modes, self.before_answer = {}, [], lambda: None
        return self

    def table(self, *, imap: str, smtp: str, **more: object) -> dict[str, object]:
        """This server as an operator's file of providers has it."""
        hosts = sorted({place.partition(":")[0] for place in (imap, smtp)})
        return {
            "name": "Rigmail", "authorize": f"{self.address}/authorize", "token": f"{self.address}/token",
            "scopes": ["mail", "openid", "email"], "needs": ["mail"], "hosts": hosts, "imap": imap, "smtp": smtp,
            "client_id": CLIENT, "client_secret": SECRET, "issuer": self.address, **more,
        }  # fmt: skip

    def provider(self, *, imap: str, smtp: str, **more: object) -> Provider:
        """This server as Letterdesk knows it."""
        return Provider.of("rigmail", self.table(imap=imap, smtp=smtp, **more))

    # A person ---------------------------------------------------------------------------------------------------------

    def allow(self, url: str, *, account: str = "") -> dict[str, str]:
        """Say yes at this page, as `account` or as whom it hints at; returns the query that goes back."""
        asked = _plain(parse_qs(urlsplit(url).query))
        form = urlencode({**asked, "account": account or asked["login_hint"], "answer": "Allow"}).encode()
        answer = build_opener(_Stay).open(f"{self.address}/authorize", form, timeout=5)
        return _plain(parse_qs(urlsplit(answer.headers["Location"]).query))

    def consent(self, account: str) -> Family:
        """A consent that was given somewhere, with a refresh token."""
        family = Family(account, "mail openid email", refresh=secrets.token_urlsafe(24))
        self._families.append(family)
        return family

    def revoke(self, account: str) -> None:
        """Nothing that was given for this account is good any more."""
        with self._lock:
            for family in self._families:
                family.revoked = family.revoked or family.account == account

    def forget_access(self) -> None:
        """Every access token is refused from now on, before its time; the consents stay."""
        with self._lock:
            self._access.clear()

    def address_of(self, token: str) -> str:
        """Whose mailbox this access token opens, "" for none."""
        family, until = self._access.get(token, (None, 0.0))
        if family is None or family.revoked or time.time() > until:
            return ""
        return self.opens.get(family.account, family.account)

    # Answers ----------------------------------------------------------------------------------------------------------

    def code_for(self, asked: dict[str, str]) -> str:
        """A code for who has said yes."""
        family = Family(asked["account"], self.scope or asked["scope"])
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._families.append(family)
            self._codes[code] = (family, asked)
        return code

    def mode(self) -> str:
        """How to misbehave now; "" is not at all."""
        with self._lock:
            for place, each in enumerate(self.modes):
                what, _, times = each.partition("#")
                if not times:
                    return what
                left = int(times) - 1
                self.modes[place : place + 1] = [f"{what}#{left}"] if left else []
                return what
        return ""

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Status and answer of the token endpoint (RFC 6749 5)."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        with self._lock:
            family, asked = self._redeemed(form) if form["grant_type"] == "authorization_code" else self._renewed(form)
            if family is None or family.revoked:
                return 400, {"error": "invalid_grant", "error_description": f"not {form.get('refresh_token')}"}
            return 200, self._given(family, asked)

    def _redeemed(self, form: dict[str, str]) -> tuple[Family | None, dict[str, str]]:
        family, asked = self._codes.pop(form["code"], (None, {}))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        proven = challenge.decode().rstrip("=") == asked.get("code_challenge")
        return (family if proven and form["redirect_uri"] == asked.get("redirect_uri") else None), asked

    def _renewed(self, form: dict[str, str]) -> tuple[Family | None, dict[str, str]]:
        old = form["refresh_token"]
        for family in self._families:
            if old in family.spent:  # somebody else has it: nobody keeps anything
                family.revoked = True
            if old == family.refresh or old in family.spent:
                return family, {}
        return None, {}

    def _given(self, family: Family, asked: dict[str, str]) -> dict[str, object]:
        answer: dict[str, object] = {"token_type": "Bearer", "expires_in": self.lasts, "scope": family.scope}
        access = answer["access_token"] = f"access-{secrets.token_urlsafe(24)}"
        self._access[access] = (family, time.time() + self.lasts)
        if self.rotates or not family.refresh:
            if family.refresh:
                family.spent.add(family.refresh)
            answer["refresh_token"] = family.refresh = f"refresh-{secrets.token_urlsafe(24)}"
        if asked:
            claims = {"aud": CLIENT, "nonce": asked.get("nonce"), "email": family.account, "iss": self.address}
            parts = (_base64({"alg": "none"}), _base64(claims), "unsigned")
            answer["id_token"] = ".".join(parts)
        return answer


class _Stay(HTTPRedirectHandler):
    def http_error_302(self, _request, page, _code, _message, headers):
        page.headers = headers
        return page


class _Conversation(BaseHTTPRequestHandler):
    server_of_consents: Consents

    def do_GET(self) -> None:
        asked = _plain(parse_qs(urlsplit(self.path).query))
        wrong = not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256"
        if urlsplit(self.path).path != "/authorize" or asked.get("client_id") != CLIENT or wrong:
            self._say(400, b"No such question.")
            return
        kept = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in asked.items())
        page = f"""<!doctype html><title>Rigmail</title><link rel="icon" href="data:,">
            <h1>Rigmail</h1><form method="post" action="/authorize">{kept}
            <label>Account <input name="account" value="{escape(asked.get("login_hint", ""))}"></label>
            <button name="answer">Allow</button> <button name="answer" value="no">Deny</button></form>"""
        self._say(200, page.encode(), kind="text/html")

    def do_POST(self) -> None:
        form = _plain(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
        path = urlsplit(self.path).path
        if path == "/authorize":
            self._go_back(form)
        elif path == "/introspect":
            address = self.server_of_consents.address_of(form.get("token", ""))
            self._tell(200, {"active": True, "email": address} if address else {"active": False})
        else:
            self._token(form)

    def _go_back(self, form: dict[str, str]) -> None:
        server = self.server_of_consents
        answer = {"state": form["state"]}
        answer |= {"error": "access_denied"} if form["answer"] == "no" else {"code": server.code_for(form)}
        answer |= {"iss": server.address} if server.says_issuer else {}
        self.send_response(302)
        self.send_header("Location", f"{form['redirect_uri']}?{urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        server = self.server_of_consents
        server.asked.append(form)
        mode = server.mode()
        if mode == "cut":
            self.connection.close()
        elif mode == "html":
            self._say(200, b"<html>Welcome to this hotel</html>", kind="text/html")
        elif mode == "no-token":
            self._tell(200, {"token_type": "Bearer"})
        elif mode.isdigit():
            self._say(int(mode), b"busy")
        elif mode:
            self._tell(400, {"error": mode})
        else:
            status, answer = server.token(form)
            server.before_answer()
            self._tell(status, answer)

    def _tell(self, status: int, answer: dict[str, object]) -> None:
        self._say(status, json.dumps(answer).encode(), kind="application/json")

    def _say(self, status: int, page: bytes, *, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def dovecot_settings(server: Consents, file: Path, *, mechanisms: str = "xoauth2 oauthbearer") -> str:
    """What a Dovecot's configuration needs to ask this server about tokens; `file` is written for it."""
    file.write_text(
        f"introspection_mode = post\nintrospection_url = {server.address}/introspect\nforce_introspection = yes\n"
        "username_attribute = email\nactive_attribute = active\nactive_value = true\n"
    )
    file.chmod(0o644)
    return (
        f"auth_mechanisms = plain login {mechanisms}\n"
        f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"
        "service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"  # a refusal costs no seconds
    )


def _plain(query: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in query.items()}


def _base64(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
