"""The one opener of outgoing connections to hosts that people or mails name (hard rule 10, D01, D02).

It judges the address that it connects to, not the text: decimal, octal and hexadecimal forms, trailing dots, IDN dots
and names of foreign zones all end as an address. It connects to exactly the address it judged, so a name that changes
its answer (DNS rebinding) gains nothing.
"""

import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from cryptography import x509

from letterdesk.mail.errors import (
    BlockedAddress,
    Disconnected,
    DnsNotFound,
    TcpRefused,
    TcpTimeout,
    TlsError,
    TlsExpired,
    TlsName,
    TlsSelfSigned,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRIED_ADDRESSES = 6
REDIRECTS = 3
KEEP_ALIVE = [  # a half-open IDLE is noticed within four minutes (A39)
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 0x10), 120),  # macOS calls it TCP_KEEPALIVE, 0x10
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
]

# IANA special-purpose registries, as of 2026. Written out: `is_global` differs between versions of Python.
CLOSED_IPV4 = """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
    203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"""
OPEN_IPV6 = "2000::/3"  # global unicast; of it, not: Teredo, ORCHID, benchmarks, documentation, 6to4
CLOSED_IPV6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"


@dataclass(frozen=True)
class Guard:
    """`allowed`: networks that may be connected to although they are private, such as "127.0.0.0/8".

    `trusted`: path of a PEM file with certificate authorities trusted besides the system's, or empty.
    """

    allowed: tuple[str, ...] = ()
    trusted: str = ""

    def admits(self, address: str) -> bool:
        """Whether this numeric address may be connected to."""
        judged = _plain(address)
        if any(judged in network for network in _networks(self.allowed) if network.version == judged.version):
            return True
        if isinstance(judged, ipaddress.IPv4Address):
            return not any(judged in network for network in _ipv4_closed())
        return judged in _ipv6_open() and not any(judged in network for network in _ipv6_closed())

    def addresses(self, host: str, port: int) -> list[str]:
        """The numeric addresses that `connect` would try now. Raises DnsNotFound or BlockedAddress."""
        found = [str(sockaddr[0]) for _, sockaddr in _resolve(host, port) if self.admits(str(sockaddr[0]))]
        if not found:
            raise BlockedAddress(host=host)
        return found[:TRIED_ADDRESSES]

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """Open a TCP connection; `timeout` in seconds for all addresses of the host together.

        The socket keeps `timeout` for each operation. Raises DnsNotFound, TcpTimeout, TcpRefused or BlockedAddress.
        """
        deadline = monotonic() + timeout
        addresses = [each for each in _resolve(host, port) if self.admits(str(each[1][0]))][:TRIED_ADDRESSES]
        if not addresses:
            raise BlockedAddress(host=host)
        failure: OSError = TimeoutError()
        for tried, (family, sockaddr) in enumerate(addresses):
            share = (deadline - monotonic()) / (len(addresses) - tried)
            if share <= 0:
                break
            try:
                return _open(family, sockaddr, timeout=timeout, patience=share)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise TcpTimeout(host=host, port=port, seconds=round(timeout, 1))
        raise TcpRefused(failure.strerror or str(failure), host=host, port=port)

    def secure(self, connection: socket.socket, host: str) -> ssl.SSLSocket:
        """Encrypt an open connection and verify that it is `host`. Closes it and raises a TlsError if not (A44)."""
        try:
            return _context(self.trusted, _trusted_by_system()).wrap_socket(
                connection, server_hostname=_server_name(host)
            )
        except (OSError, ValueError) as error:
            connection.close()
            raise _named(error, host) from error

    def connect_securely(self, host: str, port: int, *, timeout: float) -> ssl.SSLSocket:
        """`connect`, then `secure`; an error tells the date or the names of the certificate where it has them."""
        connection = self.connect(host, port, timeout=timeout)
        try:
            return self.secure(connection, host)
        except (TlsName, TlsExpired) as error:
            if facts := self._look_at_certificate(host, port, timeout=timeout):
                raise type(error)(error.detail, host=host, **facts) from error
            raise

    def _look_at_certificate(self, host: str, port: int, *, timeout: float) -> dict[str, str]:
        """What is written on a certificate that was refused. Nothing is sent over this connection."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with (
                self.connect(host, port, timeout=timeout) as connection,
                context.wrap_socket(connection, server_hostname=_server_name(host)) as secured,
            ):
                return _read_certificate(secured.getpeercert(binary_form=True) or b"")
        except (OSError, ValueError, BlockedAddress, DnsNotFound, TcpTimeout, TcpRefused):
            return {}


def fetch(guard: Guard, url: str, *, timeout: float, limit: int = 256 << 10) -> bytes | None:
    """GET a page: at most `limit` bytes, `timeout` seconds for all, three redirects, never from https to http.

    Returns None for any status but 200 and for a page that is too long. Raises MailErrors of `connect` and `secure`,
    and Disconnected for what is not HTTP. Every hop passes the guard; no cookies, no credentials, no referrer.
    """
    deadline = monotonic() + timeout
    for _ in range(REDIRECTS + 1):
        status, answer, location = _ask(guard, url, deadline=deadline, limit=limit)
        if status == http.client.OK:
            return answer if len(answer) <= limit else None
        target = urljoin(url, location) if 300 < status < 309 and location else ""
        if not target.startswith("https://") and not (target.startswith("http://") and url.startswith("http://")):
            return None
        url = target
    return None


def post_form(
    guard: Guard, url: str, fields: Mapping[str, str], *, timeout: float, limit: int = 64 << 10
) -> tuple[int, bytes]:
    """POST a form; returns status and the first `limit` bytes of the answer, whatever the status. Follows no redirect.

    `timeout` in seconds for all. Raises MailErrors of `connect` and `secure`, and Disconnected for what is not HTTP.
    """
    form = (urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    status, answer, _ = _ask(guard, url, deadline=monotonic() + timeout, limit=limit, sent=form)
    return status, answer[:limit]


def post(guard: Guard, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> int:
    """POST bytes; returns the status. Redirects, errors and limits as of `post_form`; the answer is not kept."""
    return _ask(guard, url, deadline=monotonic() + timeout, limit=4 << 10, sent=(body, headers))[0]


def _ask(
    guard: Guard, url: str, *, deadline: float, limit: int, sent: tuple[bytes, Mapping[str, str]] | None = None
) -> tuple[int, bytes, str]:
    """Status, page (one byte more than `limit` where it is longer), and the Location of a redirect."""
    parts = urlsplit(url)
    patience = max(deadline - monotonic(), 0.01)
    try:
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        opened = guard.connect_securely if secure else guard.connect
        client = http.client.HTTPConnection(host, port)
        client.auto_open = 0  # it never opens a connection by itself
        client.sock = opened(host, port, timeout=patience)
        end = threading.Timer(max(deadline - monotonic(), 0.01), _end, [client.sock])  # a drip is in time, by bytes
        end.daemon = True
        end.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            _request(client, path, sent)
            return _answer(client.getresponse(), deadline=deadline, limit=limit, always=sent is not None)
        finally:
            end.cancel()
            client.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Disconnected(str(error) or type(error).__name__) from error


def _request(client: http.client.HTTPConnection, path: str, sent: tuple[bytes, Mapping[str, str]] | None) -> None:
    headers = {"Accept": "*/*", "User-Agent": "Letterdesk", "Connection": "close"}
    if sent is None:
        client.request("GET", path, headers=headers)
    else:
        client.request("POST", path, sent[0], {**headers, **sent[1]})


def _answer(response: http.client.HTTPResponse, *, deadline: float, limit: int, always: bool) -> tuple[int, bytes, str]:
    """The page is read where it is wanted: of a 200, or `always`."""
    location = response.getheader("Location") or ""
    if response.status != http.client.OK and not always:
        return response.status, b"", location
    page = b""
    while len(page) <= limit and (piece := response.read1(limit + 1 - len(page))):
        page += piece
    if monotonic() > deadline:
        raise TimeoutError("the page took too long")
    if response.length and len(page) <= limit:  # `read1` is silent about a page that was cut
        raise http.client.IncompleteRead(page, response.length)
    return response.status, page, location


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def _open(family: int, sockaddr: Any, *, timeout: float, patience: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(patience)
        connection.connect(sockaddr)
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for level, option, value in KEEP_ALIVE:
            connection.setsockopt(level, option, value)
    except BaseException:
        connection.close()
        raise
    return connection


def _resolve(host: str, port: int) -> list[tuple[int, Any]]:
    """Addresses of a host in the system's order. Raises DnsNotFound."""
    try:
        found = socket.getaddrinfo(host.strip(), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, ValueError, OverflowError) as error:  # UnicodeError of a name with too long a label, NUL
        raise DnsNotFound(str(error), host=host) from error
    if not host.strip() or not 0 < port < 65536:
        raise DnsNotFound("an empty name or an impossible port", host=host)
    return [(family, sockaddr) for family, _, _, _, sockaddr in found]


def _plain(address: str) -> Address:
    """The address without scope; an IPv4 address in IPv6 clothes is judged as what it is (::ffff:127.0.0.1)."""
    judged = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(judged, ipaddress.IPv6Address) and judged.ipv4_mapped:
        return judged.ipv4_mapped
    return judged


@lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _ipv4_closed() -> tuple[Network, ...]:
    return _networks(tuple(CLOSED_IPV4.split()))


def _ipv6_closed() -> tuple[Network, ...]:
    return _networks(tuple(CLOSED_IPV6.split()))


def _ipv6_open() -> Network:
    return _networks((OPEN_IPV6,))[0]


def _trusted_by_system() -> tuple[str, ...]:
    return tuple(os.environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _context(trusted: str, system: tuple[str, ...]) -> ssl.SSLContext:
    """One context for all connections: it holds the system's authorities, half a megabyte."""
    del system  # OpenSSL reads the environment by itself; here it only tells one context from another
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trusted:
        context.load_verify_locations(trusted)
    return context


def _server_name(host: str) -> str:
    return host.strip().rstrip(".")


def _named(error: OSError | ValueError, host: str) -> TlsError | Disconnected | TcpTimeout:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _NAMED.get(error.verify_code, TlsError)(error.verify_message, host=host)
    if isinstance(error, TimeoutError):
        return TlsError("no answer in time", host=host)
    if isinstance(error, ssl.SSLError):
        return TlsError(error.reason or str(error), host=host)
    return TlsError(getattr(error, "strerror", "") or str(error) or "connection closed", host=host)


# openssl x509_vfy.h
_NAMED: dict[int, type[TlsError]] = {
    9: TlsExpired,  # not yet valid
    10: TlsExpired,
    18: TlsSelfSigned,  # self-signed certificate
    19: TlsSelfSigned,  # self-signed certificate in chain
    20: TlsSelfSigned,  # issuer unknown here
    21: TlsSelfSigned,
    62: TlsName,  # host name
    64: TlsName,  # address
}


def _read_certificate(der: bytes) -> dict[str, str]:
    certificate = x509.load_der_x509_certificate(der)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        known = []
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    early = begins > datetime.now(UTC)
    facts = {"when": f"is not valid before {begins:%Y-%m-%d}" if early else f"expired on {ends:%Y-%m-%d}"}
    return facts | ({"names": "for " + ", ".join(known[:5])} if known else {})
