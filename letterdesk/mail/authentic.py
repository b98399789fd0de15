"""Whether a letter is from whom it names as its sender: by its DKIM signature, or by the word of our own mail server.

Who wrote `From` proves nothing (D09, D10). What proves it is a signature of the sender's domain, or of one above it,
over the whole letter (RFC 6376; a signature with `l=` covers a part and does not count), or what a mail server of ours
found (RFC 8601), believed only where the operator named it and it stands where that server writes it. Several senders,
or none, are never proved; nor is anything where a field stands twice that people read: a signature is of the lower.
Asks DNS: never call it inside a transaction.
"""

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import dkim
import dns.exception
import dns.resolver

from letterdesk.mail.addresses import address_key, read_addresses
from letterdesk.mail.findings import passes
from letterdesk.mail.headers import end_of_block, fields_of
from letterdesk.mail.signed import MOST_IN_SIGNATURE, Lookup, Signatures

MOST_SIGNATURES = 5  # that are looked at
MOST_IN_HEAD = 256 * 1024  # bytes
SECONDS = 5.0  # for an answer of DNS
PATIENCE = 10.0  # seconds for all answers about one letter
ONCE = ("from", "subject", "date", "message-id", "to", "cc", "content-type", "content-transfer-encoding")
_ADDRESS = re.compile(rb"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_PROPERTIES = {
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom",),
    "dmarc": ("header.from",),
}  # RFC 8601 2.7: where a method says whom it is about


class Proof(StrEnum):
    """What is known of the sender."""

    GIVEN = "given"
    NONE = "none"
    UNKNOWN = "unknown"  # DNS did not answer: ask again later


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, and by what: `dkim`, `spf` or `dmarc`, and the domain; empty without a proof."""

    proof: Proof
    by: str = ""
    domain: str = ""


def evidence_of(raw: bytes, *, believed: str = "", lookup: Lookup | None = None) -> Evidence:
    """Look whether the sender of the letter is proved. `believed`: the name of our mail server in its findings.

    `lookup` takes the name of a TXT record and seconds, and raises `dkim.DnsTimeoutError` without an answer.
    """
    end, body = end_of_block(raw, 0, MOST_IN_HEAD)
    fields = list(fields_of(raw[:end]))
    domain = _domain_of_sender(fields)
    if not domain:
        return Evidence(Proof.NONE)
    if believed and (found := _told(fields, believed, domain)):
        return found
    names = [name for name, _value in fields]
    if end >= MOST_IN_HEAD or any(names.count(name) > 1 for name in ONCE):
        return Evidence(Proof.NONE)
    asking = _Asking(lookup or ask_dns)
    signatures = Signatures(raw[:end], raw[body:], names=frozenset(names), lookup=asking.ask, seconds=SECONDS)
    return _signed(signatures, [value for name, value in fields if name == "dkim-signature"], domain, asking)


def is_aligned(domain: str, sender: str) -> bool:
    """Whether this domain may speak for the sender's: it is the same, or one above it.

    Stricter than RFC 7489 3.1.1, which needs a list of public suffixes: what is below proves nothing here.
    """
    domain, sender = (each.strip().rstrip(".").lower() for each in (domain, sender))
    return bool(domain) and "." in domain and (sender == domain or sender.endswith(f".{domain}"))


def _domain_of_sender(fields: list[tuple[str, bytes]]) -> str:
    """Empty where there is not exactly one sender with one address (D10)."""
    values = [value for name, value in fields if name == "from"]
    if len(values) != 1 or b"\0" in values[0]:
        return ""
    senders = read_addresses(values)
    if len(senders) != 1 or _is_group(values[0]):
        return ""
    named = {each.decode("utf-8", "replace").lower() for each in _ADDRESS.findall(values[0])}
    if named != {senders[0].address.lower()}:  # another one in the name is what people would read
        return ""
    return address_key(senders[0].address).rpartition("@")[2]


def _is_group(value: bytes) -> bool:
    return re.search(rb"[:;]", re.sub(rb'"(?:[^"\\]|\\.)*"', b"", value)) is not None


def _told(fields: list[tuple[str, bytes]], believed: str, domain: str) -> Evidence | None:
    """What our server found. It writes above the line that tells from whom it took the letter."""
    received = 0
    for name, value in fields:
        received += name == "received"
        if received > 1:
            return None
        if name != "authentication-results":
            continue
        found = passes(value.decode("utf-8", "replace"), believed)
        if found is not None:
            return next((each for method, said in found if (each := _believed(method, said, domain))), None)
    return None


def _believed(method: str, said: dict[str, str], domain: str) -> Evidence | None:
    """A pass of `method` as a proof, if it is about the domain of the sender."""
    values = (said[name].rpartition("@")[2] for name in _PROPERTIES.get(method, ()) if name in said)
    found = next(values, "")
    return Evidence(Proof.GIVEN, method, found.lower()) if is_aligned(found, domain) else None


@dataclass(slots=True)
class _Asking:
    """Asks DNS about one letter, not longer than `PATIENCE` in all."""

    lookup: Lookup
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    is_unanswered: bool = False

    def ask(self, name: bytes, timeout: float = SECONDS) -> bytes | None:
        """The record of this name. Raises `dkim.DnsTimeoutError`."""
        left = self.until - time.monotonic()
        try:
            if left <= 0:
                raise dkim.DnsTimeoutError("There is no time left.")
            return self.lookup(name, min(timeout, left))
        except dkim.DnsTimeoutError:
            self.is_unanswered = True
            raise


def _signed(signatures: Signatures, values: list[bytes], domain: str, asking: _Asking) -> Evidence:
    """Try the signatures that are of the sender's domain, each once."""
    for number, value in enumerate(values[:MOST_SIGNATURES]):
        tags = _tags(value[:MOST_IN_SIGNATURE])
        is_theirs = is_aligned(tags.get("d", ""), domain) and "\0" not in tags["d"]
        if not is_theirs or "l" in tags or len(value) > MOST_IN_SIGNATURE:
            continue
        with suppress(dkim.DKIMException, ValueError, LookupError, TypeError):
            if signatures.holds(number):
                return Evidence(Proof.GIVEN, "dkim", tags["d"].lower())
    return Evidence(Proof.UNKNOWN if asking.is_unanswered else Proof.NONE)


def _tags(value: bytes) -> dict[str, str]:
    pairs = (each.partition("=") for each in value.decode("utf-8", "replace").split(";"))
    return {name.strip(): "".join(text.split()) for name, _equals, text in pairs}


def ask_dns(name: bytes, timeout: float = SECONDS) -> bytes | None:
    """The TXT record of this name; None: there is none. Raises `dkim.DnsTimeoutError` without an answer."""
    try:
        answer = dns.resolver.get_default_resolver().resolve(name.decode("ascii"), "TXT", lifetime=timeout)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, UnicodeDecodeError, ValueError):
        return None
    except (dns.exception.DNSException, OSError) as error:
        raise dkim.DnsTimeoutError(str(type(error).__name__)) from error
    return next((b"".join(each.strings) for each in answer), None)
