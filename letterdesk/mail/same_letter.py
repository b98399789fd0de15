"""Whether two letters say the same to people, whatever a server or a program has done to their bytes."""

import hashlib
from collections.abc import Iterable

from letterdesk.mail.letters import Address
from letterdesk.mail.parse import parse_letter, read_body, read_part


def says_the_same(one: bytes, other: bytes) -> bool:
    """Same recipients, subject, thread, text and files. Raises Unparsable for what nobody can read."""
    return one == other or _said(one) == _said(other)


def _said(raw: bytes) -> tuple[object, ...]:
    letter, body = parse_letter(raw), read_body(raw)
    people = tuple(_addresses(each) for each in (letter.to, letter.cc, letter.bcc))
    files = sorted((part.filename, hashlib.sha256(read_part(raw, part.index)).hexdigest()) for part in letter.parts)
    return people, letter.subject.split(), letter.in_reply_to, _words(body.html), _words(body.text), tuple(files)


def _addresses(people: Iterable[Address]) -> tuple[str, ...]:
    return tuple(sorted(each.address.casefold() for each in people))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())
