"""Opaque public identifiers: what addresses, APIs and exports show instead of integer keys."""

import base64
import os
import secrets
import threading

BYTES = 10
AT_ONCE = 200  # identifiers for which randomness is fetched together: a first sync makes thousands in a row

_own = threading.local()


def _forget() -> None:
    _own.__dict__.clear()


os.register_at_fork(after_in_child=_forget)  # a child must not hand out its parent's identifiers


def new_public_id() -> str:
    """Return 16 characters of lower-case base32: 80 random bits, not guessable."""
    return base64.b32encode(_random_bytes()).decode().lower()


def _random_bytes() -> bytes:
    stock: list[bytes] | None = getattr(_own, "stock", None)
    if not stock:
        fetched = secrets.token_bytes(BYTES * AT_ONCE)
        stock = _own.stock = [fetched[start : start + BYTES] for start in range(0, len(fetched), BYTES)]
    return stock.pop()
