"""Finding the mail settings of an address without asking a third party.

The provider table first. Then, all at once and each within its time: MX records, the domain's own autoconfig pages
(Thunderbird's format), SRV records (RFC 6186, RFC 8314), and the names that servers usually have.
"""

import tomllib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dns.exception
import dns.rdatatype
import dns.resolver

from letterdesk.mail.autoconfig_page import PageServer, read_page
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard, fetch

PAGE_MAX = 64 << 10
DOMAIN_MAX = 253
SOURCES = ("provider", "mx", "autoconfig", "srv", "guess")  # the most trusted first


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect. `security`: tls, starttls or none; `user`: what to sign in as."""

    host: str
    port: int
    security: str
    user: str


@dataclass(frozen=True, slots=True)
class Found:
    """Settings from one source: provider, mx, autoconfig, srv or guess. `note`: what a person has to know first."""

    source: str
    imap: Server
    smtp: Server | None = None
    note: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class _Search:
    address: str
    domain: str
    guard: Guard
    timeout: float
    resolver: dns.resolver.Resolver | None


def find_settings(
    address: str, *, guard: Guard, timeout: float = 4.0, resolver: dns.resolver.Resolver | None = None
) -> list[Found]:
    """Settings that may fit this address, the most trusted first, each server once. Empty: a person fills them in.

    `timeout` in seconds for each source; all run at once. `resolver`: instead of the system's. Nobody signs in
    anywhere, and a source that fails finds nothing. Raises nothing.
    """
    search = _begin(address, guard, timeout, resolver)
    if search is None:
        return []
    if known := _by_table(search):
        return [known]
    found = _all_at_once([way for source, way in _ways().items() if source != "provider"], search)
    first_of_each = {(each.imap.host, each.imap.port): each for each in reversed(found)}
    return [each for each in found if first_of_each[each.imap.host, each.imap.port] is each]


def find_by(
    source: str, address: str, *, guard: Guard, timeout: float = 4.0, resolver: dns.resolver.Resolver | None = None
) -> Found | None:
    """What one of SOURCES knows about this address, for those who want to watch the search. Raises nothing."""
    search = _begin(address, guard, timeout, resolver)
    return next(iter(_all_at_once([_ways()[source]], search)), None) if search else None


def domain_of(address: str) -> str:
    """The domain of an address as DNS has it, or "" when it is none."""
    return _ascii_domain(address.rpartition("@")[2])


def _begin(address: str, guard: Guard, timeout: float, resolver: dns.resolver.Resolver | None) -> _Search | None:
    local, domain = address.strip().rpartition("@")[0], domain_of(address)
    if not local or not domain:
        return None
    return _Search(address.strip(), domain, guard, timeout, resolver or _system_resolver(timeout))


def _ways() -> dict[str, Callable[[_Search], Found | None]]:
    return dict(zip(SOURCES, (_by_table, _by_mx, _by_page, _by_srv, _by_guess), strict=True))


def _all_at_once(sources: list[Callable[[_Search], Found | None]], search: _Search) -> list[Found]:
    """Whatever the sources find in time, in their order."""
    pool = ThreadPoolExecutor(len(sources), thread_name_prefix="autoconfig")
    futures: list[Future[Found | None]] = [pool.submit(source, search) for source in sources]
    wait(futures, timeout=search.timeout + 0.5)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = [future.result() for future in futures if future.done() and not future.exception()]
    return [answer for answer in answers if answer]


def _ascii_domain(domain: str) -> str:
    """The domain as DNS has it, or "" when it is none."""
    try:
        ascii_form = domain.strip().strip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    is_fit = "." in ascii_form and len(ascii_form) <= DOMAIN_MAX
    return ascii_form if is_fit and all(each.isalnum() or each in ".-_" for each in ascii_form) else ""


# The table


@lru_cache(maxsize=1)
def _providers() -> list[dict[str, Any]]:
    with Path(__file__).with_name("providers.toml").open("rb") as table:
        return list(tomllib.load(table).values())


def _by_table(search: _Search) -> Found | None:
    for provider in _providers():
        if search.domain in provider["domains"]:
            return _of_provider(provider, "provider", search.address)
    return None


def _of_provider(provider: dict[str, Any], source: str, address: str, *, mx: str = "") -> Found:
    user = address.partition("@")[0] if provider.get("user") == "local" else address
    imap, smtp = (_server(provider[part].replace("{mx}", mx), user) for part in ("imap", "smtp"))
    return Found(source, imap, smtp, provider.get("note", ""), provider["name"])


def _server(text: str, user: str) -> Server:
    place, _, security = text.partition(" ")
    host, _, port = place.rpartition(":")
    return Server(host, int(port), security, user)


# Records


def _system_resolver(timeout: float) -> dns.resolver.Resolver | None:
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return None
    resolver.lifetime = timeout
    return resolver


def _records(search: _Search, name: str, kind: dns.rdatatype.RdataType) -> list[Any]:
    if search.resolver is None:
        return []
    try:
        return list(search.resolver.resolve(name, kind, lifetime=search.timeout))
    except (dns.exception.DNSException, OSError):
        return []


def _by_mx(search: _Search) -> Found | None:
    """A provider that serves this domain."""
    records = _records(search, search.domain, dns.rdatatype.MX)
    for record in sorted(records, key=lambda each: int(each.preference)):
        host = str(record.exchange).rstrip(".").lower()
        for provider in _providers():
            if any(host == end or host.endswith("." + end) for end in provider.get("mx", ())):
                return _of_provider(provider, "mx", search.address, mx=host)
    return None


def _by_srv(search: _Search) -> Found | None:
    """RFC 6186 3, RFC 8314 5.1: TLS from the start before STARTTLS."""
    imap = _of_srv(search, "_imaps._tcp", "tls") or _of_srv(search, "_imap._tcp", "starttls")
    if not imap:
        return None
    smtp = _of_srv(search, "_submissions._tcp", "tls") or _of_srv(search, "_submission._tcp", "starttls")
    return Found("srv", imap, smtp)


def _of_srv(search: _Search, service: str, security: str) -> Server | None:
    records = _records(search, f"{service}.{search.domain}", dns.rdatatype.SRV)
    for record in sorted(records, key=lambda each: (int(each.priority), -int(each.weight))):
        host = str(record.target).rstrip(".").lower()
        if host and record.port:  # "." says: not offered here (RFC 2782)
            return Server(host, int(record.port), security, search.address)
    return None


# Pages


def _by_page(search: _Search) -> Found | None:
    """The domain's own word, over HTTPS alone: who could change the page could have the password."""
    pages = [
        f"https://autoconfig.{search.domain}/mail/config-v1.1.xml?emailaddress={quote(search.address)}",
        f"https://{search.domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    ]
    for found in _all_at_once([_page_reader(url) for url in pages], search):
        return found
    return None


def _page_reader(url: str) -> Callable[[_Search], Found | None]:
    def read(search: _Search) -> Found | None:
        page = fetch(search.guard, url, timeout=search.timeout, limit=PAGE_MAX)
        told = read_page(page) if page else None
        if not told or not told.imap:
            return None
        smtp = _of_page(told.smtp, search) if told.smtp else None
        return Found("autoconfig", _of_page(told.imap, search), smtp, provider=told.provider)

    return read


def _of_page(told: PageServer, search: _Search) -> Server:
    local = search.address.rpartition("@")[0]
    words = {"%EMAILADDRESS%": search.address, "%EMAILLOCALPART%": local, "%EMAILDOMAIN%": search.domain}
    host, user = told.host, told.user or search.address
    for word, meaning in words.items():
        host, user = host.replace(word, meaning), user.replace(word, meaning)
    return Server(host, told.port, told.security, user)


# Guesses


def _by_guess(search: _Search) -> Found | None:
    """What answers, encrypted and by its right name, where servers usually are."""
    hosts = [f"imap.{search.domain}", f"mail.{search.domain}", search.domain]
    imap = _first_that_answers(search, [(host, 993) for host in hosts])
    if not imap:
        return None
    hosts = [f"smtp.{search.domain}", imap.host]
    return Found("guess", imap, _first_that_answers(search, [(host, 465) for host in hosts]))


def _first_that_answers(search: _Search, places: list[tuple[str, int]]) -> Server | None:
    """One after the other, each with its share of the time: few connections, and the usual name first."""
    for host, port in places:
        try:
            search.guard.connect_securely(host, port, timeout=search.timeout / 5).close()
        except MailError:
            continue
        return Server(host, port, "tls", search.address)
    return None


def files_sent(smtp_host: str) -> bool:
    """Whether this provider puts what leaves by its SMTP into Sent by itself (providers.toml)."""
    host = smtp_host.lower()
    return any(each.get("files_sent") and each["smtp"].startswith(f"{host}:") for each in _providers())
