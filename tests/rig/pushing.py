"""The other side of Web Push, written from the RFCs apart from the product: a browser, and a push service over TLS.

`PushService(pair)` keeps what it was sent; `modes` are the statuses that it answers with, one each, then 201 for ever.
Below `/silent/` it answers nothing as long as it lives.
"""

import hashlib
import hmac
import json
import ssl
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from letterdesk.lib.webpush import Browser


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


class Receiver:
    """A browser that has subscribed."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = hashlib.sha256(id(self).to_bytes(8, "big")).digest()[:16]
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._point, self.p256dh, self.auth = point, _text(point), _text(self._auth)

    def browser(self, endpoint: str) -> Browser:
        return Browser.of(endpoint, self.p256dh, self.auth)

    def form(self, endpoint: str) -> dict[str, str]:
        return {"endpoint": endpoint, "p256dh": self.p256dh, "auth": self.auth}

    def read(self, body: bytes) -> bytes:
        """RFC 8188 2.1, RFC 8291 3.4. Raises InvalidTag for what is not meant for this browser."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = _hmac(self._auth, self._key.exchange(ec.ECDH(), theirs))
        secret = _hmac(shared, b"WebPush: info\0" + self._point + sender + b"\1")
        of = _hmac(salt, secret)
        key, nonce = (
            _hmac(of, b"Content-Encoding: aes128gcm\0\1")[:16],
            _hmac(of, b"Content-Encoding: nonce\0\1")[:12],
        )
        text = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert text[-1:] == b"\2"  # the last record
        return text[:-1]


def verified(header: str) -> dict:
    """The claims of a VAPID header, as a push service reads them (RFC 8292). Raises InvalidSignature."""
    scheme, told = header.split(" ", 1)
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in told.split(","))
    signed, _, signature = parts["t"].rpartition(".")
    raw = _bytes(signature)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(parts["k"]))
    key.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(_bytes(signed.split(".")[1]))


@dataclass(frozen=True)
class Pushed:
    """A request that the service got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """`with PushService(pair, [410]) as service:`"""

    pair: object
    modes: list[int] = field(default_factory=list)
    got: list[Pushed] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "PushService":
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append(Pushed(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                if self.path.startswith("/silent/"):
                    service._over.wait()
                self.send_response(service.modes.pop(0) if service.modes else 201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_told: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def address(self, path: str = "/p/1") -> str:
        return f"https://localhost:{self._server.server_port}{path}"
