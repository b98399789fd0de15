"""Reads the environment: the three URL-shaped settings and the few others. docs/settings.md lists every one."""

import os
import secrets
import tomllib
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

from letterdesk.mail import oauth
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.oauth import Provider
from letterdesk.mail.smtpd_limits import MEGABYTE, Limits, Network

NO_JIT = "-c jit=off"  # our statements are short: compiling one took 0.5 s where running it took 0.03
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32000; "
    "PRAGMA secure_delete=ON;"
)

POOLED = 20  # connections of one web process at the most; a further request waits for one
POOL_PATIENCE = 10.0  # seconds that it waits


def text(name: str, default: str = "") -> str:
    """The setting `name`, or the default where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    """A yes/no setting: 1, true, yes, on."""
    value = text(name).lower()
    return value in {"1", "true", "yes", "on"} if value else default


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated setting."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def number(name: str, default: int) -> int:
    """A whole number of 0 or more."""
    value = text(name, str(default))
    if not value.isdigit():
        raise ImproperlyConfigured(f"{name} is {value!r}: it must be a whole number")
    return int(value)


def host(url: str) -> str:
    """The host of an address, without its port."""
    return urlsplit(url).hostname or "localhost"


def data_dir() -> Path:
    """The folder that holds database, blobs and keys of the embedded default; made when missing."""
    folder = Path(text("LETTERDESK_DATA", "data")).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def kept_secret(name: str, file: Path) -> str:
    """A secret from the environment, or from a file of mode 0600 that is made at the first start."""
    if value := text(name):
        return value
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as out:
        value = Fernet.generate_key().decode() if name.endswith("KEYS") else secrets.token_urlsafe(48)
        out.write(value)
    return value


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `sqlite:///path` or `postgresql://user:password@host:port/name?option=value`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_PRAGMAS},
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 60,
            "OPTIONS": {"options": NO_JIT, **dict(parse_qsl(parts.query, keep_blank_values=True))},
        }
    raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme!r}: use sqlite:///… or postgresql://…")


def pooled(entry: dict[str, Any]) -> dict[str, Any]:
    """The same database for a process that gives each request a thread: PostgreSQL's connections in a pool."""
    if not entry["ENGINE"].endswith("postgresql"):
        return entry
    pool = {"min_size": 1, "max_size": POOLED, "timeout": POOL_PATIENCE}
    return {**entry, "CONN_MAX_AGE": 0, "OPTIONS": {**entry["OPTIONS"], "pool": pool}}


def blobs(url: str) -> dict[str, Any]:
    """Django's STORAGES entry for `file:///folder` or `s3://key:secret@endpoint/bucket?region=…`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": unquote(parts.path), "file_permissions_mode": 0o600},
        }
    if parts.scheme in {"s3", "s3+http"}:
        query = dict(parse_qsl(parts.query))
        endpoint = f"{'http' if parts.scheme == 's3+http' else 'https'}://{parts.hostname}"
        options: dict[str, Any] = {
            "bucket_name": parts.path.strip("/"),
            "access_key": unquote(parts.username or "") or None,
            "secret_key": unquote(parts.password or "") or None,
            "region_name": query.get("region"),
            "default_acl": None,
            "file_overwrite": True,
            "querystring_auth": True,
        }
        if parts.hostname and parts.hostname != "aws":
            options["endpoint_url"] = endpoint + (f":{parts.port}" if parts.port else "")
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    raise ImproperlyConfigured(f"BLOBS_URL begins with {parts.scheme!r}: use file:///… or s3://…")


@dataclass(frozen=True)
class Mailer:
    """How Letterdesk sends its own mails."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def mailer(url: str) -> Mailer:
    """The way out for our own mails: `console://`, `none://`, `smtp://user:password@host:587` (STARTTLS),
    `smtps://…:465` (TLS), or `smtp+plain://host:25` for a server on the same machine.
    """
    parts = urlsplit(url)
    if parts.scheme in {"console", "none"}:
        name = "console" if parts.scheme == "console" else "dummy"
        return Mailer(backend=f"django.core.mail.backends.{name}.EmailBackend")
    if parts.scheme in {"smtp", "smtps", "smtp+plain"} and parts.hostname:
        return Mailer(
            backend="letterdesk.lib.own_mail.EmailBackend",
            host=parts.hostname,
            port=parts.port or {"smtp": 587, "smtps": 465}.get(parts.scheme, 25),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            starttls=parts.scheme == "smtp",
            tls=parts.scheme == "smtps",
        )
    raise ImproperlyConfigured(
        f"EMAIL_URL begins with {parts.scheme!r}: use console://, none://, smtp://… or smtps://…"
    )


def inbound() -> Inbound:
    """How letters come in by SMTP; off where no domain is named."""
    domain = text("LETTERDESK_INBOUND_DOMAIN").lower().rstrip(".")
    host, _colon, port = text("LETTERDESK_INBOUND_LISTEN", "127.0.0.1:2525").rpartition(":")
    believed = text("LETTERDESK_INBOUND_BELIEVED")
    senders = _networks("LETTERDESK_INBOUND_SENDERS")
    if not host or not port.isdigit():
        raise ImproperlyConfigured("LETTERDESK_INBOUND_LISTEN must be HOST:PORT, as 0.0.0.0:25")
    if believed and not senders:
        raise ImproperlyConfigured(
            "LETTERDESK_INBOUND_BELIEVED needs LETTERDESK_INBOUND_SENDERS: whoever may connect could write that name"
        )
    limits = Limits(
        largest=number("LETTERDESK_INBOUND_LARGEST", 25) * MEGABYTE,
        connections=number("LETTERDESK_INBOUND_CONNECTIONS", 100),
        per_address=number("LETTERDESK_INBOUND_PACE", 120),
        senders=senders,
    )
    certificate, key = text("LETTERDESK_INBOUND_CERTIFICATE"), text("LETTERDESK_INBOUND_KEY")
    return Inbound(domain, host.strip("[]"), int(port), believed, certificate, key, limits)


def _networks(name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(word) for word in words(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Name addresses or networks, as 10.0.0.0/8") from error


def languages(folder: Path) -> list[tuple[str, str]]:
    """English, and each language that has a compiled translation in `folder`, under its own name."""
    found = sorted(each.parent.parent.name for each in folder.glob("*/LC_MESSAGES/django.mo"))
    names = [(name.replace("_", "-").lower(), LANG_INFO.get(name.lower(), {})) for name in found]
    return [("en", "English"), *((code, info.get("name_local", code)) for code, info in names if code != "en")]


def oauth_providers() -> dict[str, Provider]:
    """The OAuth providers at which Letterdesk is registered, by key: those of oauth.toml and of the operator's file."""
    tables = _tables(Path(oauth.__file__).with_name("oauth.toml"))
    if own := text("LETTERDESK_OAUTH_PROVIDERS"):
        for key, table in _tables(Path(own)).items():
            tables[key] = {**tables.get(key, {}), **table}
    registered = {
        "google": {"client_id": text("LETTERDESK_GOOGLE_ID"), "client_secret": text("LETTERDESK_GOOGLE_SECRET")},
        "microsoft": {
            "client_id": text("LETTERDESK_MICROSOFT_ID"),
            "client_secret": text("LETTERDESK_MICROSOFT_SECRET"),
            "tenant": text("LETTERDESK_MICROSOFT_TENANT"),
        },
    }
    for key, told in registered.items():
        tables[key] = {**tables[key], **{name: value for name, value in told.items() if value}}
    try:
        return {key: Provider.of(key, table) for key, table in tables.items() if table.get("client_id")}
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


def _tables(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{file}: {error}") from error
