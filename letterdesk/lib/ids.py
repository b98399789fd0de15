"""Opaque public identifiers: what addresses, APIs and exports show instead of integer keys."""

import base64
import secrets


def new_public_id() -> str:
    """Return 16 characters of lower-case base32: 80 random bits, not guessable."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
