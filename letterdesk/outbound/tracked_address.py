"""The addresses that stand in a tracked letter: signed with the installation's key, so that nobody can make one up.

A link carries where it leads, under the signature: so it goes on leading there after the letter and its numbers were
deleted here, and one of ours that somebody quotes can be made what it was. It names its account, too: so an operator
can switch an account's links off, whatever was deleted (`links_off.py`). Those of before name their letter alone.
"""

import base64
import binascii
import re
from collections.abc import Collection
from html import escape

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from letterdesk.mail.links import is_web_address

NAMED = 16  # characters of a public id
SIGNED = 24  # characters of the signature: 120 bits
_NAME = r"([a-z2-7]{16})((?:[a-z2-7]{16})?)"  # the letter's public id, its account's
_LINK = rf"/t/{_NAME}/([0-9]{{1,5}}-[a-z2-7]{{24}})/([A-Za-z0-9_-]{{8,12000}})"
_PICTURE = rf"/t/{_NAME}/[a-z2-7]{{24}}\.gif"


def picture_address(name: str) -> str:
    """Of the picture that tells that a letter is open; `name`: its public id, followed by that of its account."""
    return f"{settings.BASE_URL}/t/{name}/{_signature(name, 'picture')}.gif"


def link_address(name: str, position: int, target: str) -> str:
    """Of the link at this position, which leads to `target`; `name` as above."""
    packed = base64.urlsafe_b64encode(target.encode()).decode().rstrip("=")
    return f"{settings.BASE_URL}/t/{name}/{position}-{_signature(name, position, target)}/{packed}"


def is_picture(name: str, signature: str) -> bool:
    """Whether we made this address."""
    return constant_time_compare(signature, _signature(name, "picture"))


def named(name: str) -> tuple[str, str]:
    """The public ids of the letter and of its account that an address of ours names; the account's may be empty."""
    return name[:NAMED], name[NAMED:]


def target_of(name: str, token: str, packed: str) -> tuple[int, str] | None:
    """The link's position and where it leads, if we made it and a browser may go there; else None."""
    position, _dash, signature = token.partition("-")
    try:
        target = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    if not constant_time_compare(signature, _signature(name, position, target)) or not is_web_address(target):
        return None
    return int(position), target


def is_ours(url: str) -> bool:
    """Whether this looks like an address of a picture or a link of ours, whoever made it up."""
    return re.fullmatch(re.escape(settings.BASE_URL) + f"(?:{_LINK}|{_PICTURE})", url) is not None


def letters_in(text: str) -> frozenset[str]:
    """The public ids of letters of which the text has a link or a picture, whoever made it up."""
    found = re.finditer(re.escape(settings.BASE_URL) + f"/t/{_NAME}/", text) if "/t/" in text else ()
    return frozenset(each[1] for each in found)


def untracked(text: str, *, is_html: bool, only: Collection[str] | None = None) -> str:
    """The text with links of ours made what they were: a letter that quotes another one counts nothing for it.

    `only`: those of these letters (public ids); None: of all.
    """

    def target(found: re.Match[str]) -> str:
        ours = target_of(found[1] + found[2], found[3], found[4]) if only is None or found[1] in only else None
        return found[0] if ours is None else escape(ours[1]) if is_html else ours[1]

    return re.sub(re.escape(settings.BASE_URL) + _LINK, target, text) if "/t/" in text else text


def without_pictures(html: str, *, only: Collection[str]) -> str:
    """The HTML without the pictures that tell that one of these letters (public ids) is open."""

    def kept(found: re.Match[str]) -> str:
        return "" if found[1] in only else found[0]

    picture = rf"""<img\b[^<>]*\bsrc=["']?{re.escape(settings.BASE_URL)}{_PICTURE}["']?[^<>]*>"""
    return re.sub(picture, kept, html, flags=re.IGNORECASE) if only else html


def _signature(*parts: object) -> str:
    said = "\0".join(map(str, parts))
    digest = salted_hmac("letterdesk.outbound.tracked", said, algorithm="sha256").digest()
    return base64.b32encode(digest).decode().lower()[:SIGNED]
