"""Web Push: a message that only one browser can read (RFC 8291), and who sends it (VAPID, RFC 8292). No network here.

Written out, as signing in by OAuth is: the libraries for it bring a way to the network of their own, past the guard.
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
POINT, AUTH = 65, 16  # bytes of a browser's key and of its secret
RECORD = 4096  # bytes: one record, as large as every push service takes (RFC 8291 4)
LONGEST = RECORD - 103  # bytes of text: header, delimiter and tag are 103
LIFE = timedelta(hours=12)  # of a signature; 24 hours at the most (RFC 8292 2)


class BadKeys(ValueError):
    """What a browser called its keys is none."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser is reached, and what is encrypted for it alone: its public key and its secret."""

    endpoint: str
    key: bytes
    auth: bytes

    @classmethod
    def of(cls, endpoint: str, p256dh: str, auth: str) -> "Browser":
        """From what `PushSubscription.toJSON()` says. Raises BadKeys; the address is judged by who connects."""
        key, secret = decoded(p256dh), decoded(auth)
        if len(key) != POINT or len(secret) != AUTH:
            raise BadKeys("A key of 65 bytes and a secret of 16 are expected.")
        _public(key)
        return cls(endpoint, key, secret)


def encrypted(
    browser: Browser, text: bytes, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b""
) -> bytes:
    """The body of the request, in the content coding aes128gcm (RFC 8188). Key and salt are fresh unless given (tests).

    Raises ValueError for more than LONGEST bytes.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{len(text)} bytes do not fit into one record")
    key, salt = key or ec.generate_private_key(CURVE), salt or os.urandom(16)
    ours = _point(key)
    shared = key.exchange(ec.ECDH(), _public(browser.key))
    secret = _derived(shared, browser.auth, b"WebPush: info\x00" + browser.key + ours, 32)  # RFC 8291 3.4
    cipher = AESGCM(_derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16))
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
    header = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + cipher.encrypt(nonce, text + b"\x02", None)  # the delimiter of the last record


def signer(secret: str) -> ec.EllipticCurvePrivateKey:
    """The installation's key, out of its kept secret: the same secret is the same key, on every machine."""
    number = int.from_bytes(hashlib.sha512(secret.encode()).digest(), "big")
    return ec.derive_private_key(number % (ORDER - 1) + 1, CURVE)


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """What browsers subscribe with (applicationServerKey)."""
    return encoded(_point(key))


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, *, contact: str, now: datetime) -> str:
    """The header that says who sends, valid for the endpoint's host alone (RFC 8292 2). `contact`: mailto: or https:"""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((now + LIFE).timestamp()), "sub": contact}
    told = ".".join(encoded(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(told.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={told}.{signature}, k={public_text(key)}"


def encoded(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of such a text, padded or not. Raises BadKeys."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadKeys(str(error)) from error


def _public(key: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, key)
    except ValueError as error:
        raise BadKeys(str(error)) from error


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, about: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=about).derive(secret)
