"""Signing letters with the key of the sender's domain, so that a receiver can prove where one is from (RFC 6376).

RSA with 2,048 bits and SHA-256 (RFC 8301). The fields that matter are signed once more than they stand in the letter,
so that none can be added (5.4.2); the whole body is signed, never a part of it (no `l=`, E15).
"""

import base64
import re
from email.parser import BytesHeaderParser
from enum import StrEnum

import dkim
import dns.exception
import dns.resolver
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

BITS = 2048
SECONDS = 5.0  # for an answer of DNS
SIGNED = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post"),
)


_FIELD = b"DKIM-Signature: "
_FOLDED = re.compile(rb"\r\n(?![ \t])")  # where a field ends (RFC 5322 2.2.3)


class Published(StrEnum):
    """What DNS says of a key."""

    YES = "yes"
    MISSING = "missing"  # there is no such record
    OTHER = "other"  # there is one, of another key
    UNREACHABLE = "unreachable"  # DNS did not answer: nothing is known


def new_key() -> str:
    """A private key, in PEM."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    form = serialization.PrivateFormat.TraditionalOpenSSL  # the one that dkimpy reads
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def record_name(selector: str, domain: str) -> str:
    """Where in DNS the public key stands (RFC 6376 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def record_text(key: str) -> str:
    """What stands there, a TXT record (RFC 6376 3.6.1)."""
    return f"v=DKIM1; k=rsa; p={_public(key)}"


def sign(raw: bytes, *, domain: str, selector: str, key: str) -> bytes:
    """The letter with its signature on top. `domain` as DNS has it; `raw` with CRLF, as it is sent."""
    letter = BytesHeaderParser().parsebytes(raw)
    fields = [name.encode() for name in SIGNED for _ in range(len(letter.get_all(name, [])) + 1)]
    ways = (b"relaxed", b"relaxed")
    signature = dkim.sign(raw, selector.encode(), domain.encode(), key.encode(), None, ways, include_headers=fields)
    return bytes(signature) + raw


def signed_by(raw: bytes) -> tuple[str, str] | None:
    """Domain and selector of the signature on top of the letter; None: none stands there."""
    if not raw.startswith(_FIELD):
        return None
    value = _unfolded(raw)[0].decode("ascii", "replace")
    return _tag(value, "d"), _tag(value, "s")


def without_signature(raw: bytes) -> bytes:
    """The letter without the signature on top of it."""
    return _unfolded(raw)[1] if raw.startswith(_FIELD) else raw


def published(selector: str, domain: str, key: str, *, resolver: dns.resolver.Resolver | None = None) -> Published:
    """Ask DNS whether the public key of `key` stands where receivers look for it. Raises nothing."""
    try:
        asked = resolver or dns.resolver.get_default_resolver()
        answer = asked.resolve(record_name(selector, domain), "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Published.MISSING
    except (dns.exception.DNSException, OSError):
        return Published.UNREACHABLE
    said = [b"".join(each.strings).decode("ascii", "replace") for each in answer]
    return Published.YES if any(_tag(text, "p") == _public(key) for text in said) else Published.OTHER


def _unfolded(raw: bytes) -> tuple[bytes, bytes]:
    """The value of the first field, and all that stands behind it."""
    end = _FOLDED.search(raw)
    return (raw[len(_FIELD) : end.start()], raw[end.end() :]) if end else (raw, b"")


def _public(key: str) -> str:
    private = serialization.load_pem_private_key(key.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(private.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def _tag(text: str, name: str) -> str:
    """The value of a tag of a list "v=DKIM1; p=…", without blanks (RFC 6376 3.2)."""
    pairs = (each.partition("=") for each in text.split(";"))
    return next(("".join(value.split()) for tag, _equals, value in pairs if tag.strip() == name), "")
