"""Which letters are meant by one that came to a secret address, as a pure function (R30).

A copy (BCC) of what a colleague wrote to others is meant itself. What a colleague sent to the address alone is a
forward: the letters attached to it, and the one written down in its text. What somebody else wrote, and a rule passed
on, is meant itself. Whatever else there is, a person says.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from letterdesk.mail.addresses import address_key
from letterdesk.mail.forwards import Forwarded
from letterdesk.mail.letters import Address, Letter
from letterdesk.mail.subjects import normal_subject
from letterdesk.mail.text import snippet
from letterdesk.mail.vcard import is_card
from letterdesk.mailboxes.columns import SNIPPET, clean, message_columns
from letterdesk.mailboxes.threading import FIRST_REFERENCES, LAST_REFERENCES

from ..linking.identity import people_of


class Way(StrEnum):
    """How it came."""

    COPY = "copy"
    FORWARD = "forward"
    REDIRECTED = "redirected"


class Unclear(StrEnum):
    """Why nobody can tell whose letter it is."""

    NO_SENDER = "no_sender"  # a forward whose inner sender cannot be read
    STRANGER = "stranger"  # somebody who is none of us wrote to the secret address


@dataclass(slots=True)
class Written:
    """A letter as an activity keeps it, in no mailbox. `ids`: its Message-ID and what it refers to, nearest first."""

    blob: str
    size: int
    received_at: datetime
    message_id: str
    subject: str
    from_name: str
    from_address: str
    recipients: dict[str, list[list[str]]]
    sent_at: datetime | None
    snippet: str
    has_attachments: bool
    ids: tuple[str, ...] = ()
    is_bulk: bool = False
    is_automatic: bool = False
    has_cards: bool = False  # visiting cards among its files


@dataclass(frozen=True, slots=True)
class Meant:
    """One letter that is meant, and how it came. `within`: of a forward without its own bytes, its text is in ours."""

    letter: Written
    way: Way
    within: bool = False


def written(letter: Letter, *, blob: str, size: int, received_at: datetime) -> Written:
    """A letter that was read, as columns."""
    columns: dict[str, Any] = message_columns(letter)
    is_bulk = bool(columns.pop("list_id"))
    is_automatic = columns.pop("is_automatic") or columns.pop("is_auto_reply")
    columns.pop("is_auto_reply", None)
    references = [*letter.in_reply_to[:3], *reversed(letter.references[-LAST_REFERENCES:])]
    ids = [letter.message_id, *references, *letter.references[:FIRST_REFERENCES]]
    return Written(
        blob=blob, size=size, received_at=received_at, ids=tuple(dict.fromkeys(each for each in ids if each)),
        is_bulk=is_bulk, is_automatic=is_automatic, has_cards=any(map(is_card, letter.parts)), **columns,
    )  # fmt: skip


def meant_by(
    outer: Written,
    *,
    ours: Collection[str],
    is_secret: Callable[[str], bool],
    attached: Sequence[Written] = (),
    forwarded: Forwarded | None = None,
) -> list[Meant] | Unclear:
    """Which letters are meant by `outer`. `attached`: the letters within it, `forwarded`: what its text says."""
    people = people_of(outer)
    shown = without_secret(outer, is_secret)
    is_named = any(is_secret(address) for address in (*people.to, *people.others))
    if people.sender not in ours:
        return Unclear.STRANGER if is_named else [Meant(shown, Way.REDIRECTED)]
    if people_of(shown).outside(ours):
        return [Meant(shown, Way.COPY)]
    told = inner(outer, forwarded) if forwarded is not None and forwarded.sender.address else None
    letters = [Meant(without_secret(each, is_secret), Way.FORWARD) for each in attached]
    if told is not None and not any(_is_same(told, each) for each in attached):
        letters.insert(0, Meant(without_secret(told, is_secret), Way.FORWARD, within=True))
    if letters:
        return letters
    return Unclear.NO_SENDER if is_named or not shown.recipients else [Meant(shown, Way.COPY)]  # among us alone


def _is_same(told: Written, attached: Written) -> bool:
    """Whether a letter in the text is one of those attached: some programs send both."""
    is_theirs = address_key(told.from_address) == address_key(attached.from_address)
    return is_theirs and normal_subject(told.subject) == normal_subject(attached.subject)


def is_unread(forwarded: Forwarded | None, attached: Sequence[Written]) -> bool:
    """Whether the text holds a letter whose sender cannot be read, and which is none of those attached."""
    if forwarded is None or forwarded.sender.address:
        return False
    return all(normal_subject(each.subject) != normal_subject(forwarded.subject) for each in attached)


def inner(outer: Written, forwarded: Forwarded) -> Written:
    """The letter that the text of `outer` holds; when it was received is not later than when it was sent on."""
    recipients = {"to": _pairs(forwarded.to), "cc": _pairs(forwarded.cc)}
    received_at = min(forwarded.sent_at or outer.received_at, outer.received_at)
    return replace(
        outer,
        subject=forwarded.subject or normal_subject(outer.subject),
        from_name=forwarded.sender.name,
        from_address=forwarded.sender.address,
        recipients={kind: pairs for kind, pairs in recipients.items() if pairs},
        sent_at=forwarded.sent_at,
        received_at=received_at,
        snippet=clean(snippet(forwarded.text), SNIPPET) or outer.snippet,
        is_bulk=False,
        is_automatic=False,
    )


def from_whom(outer: Written, name: str, address: str) -> Meant:
    """What a person says about a letter that asked: this is who wrote it."""
    told = Forwarded(Address(name, address), subject=normal_subject(outer.subject))
    return Meant(inner(outer, told), Way.FORWARD, within=True)


def without_secret(letter: Written, is_secret: Callable[[str], bool]) -> Written:
    """The letter as it may be shown: its secret address stands nowhere in its columns."""
    recipients = {
        kind: [pair for pair in pairs if not is_secret(address_key(pair[1]))]
        for kind, pairs in letter.recipients.items()
    }
    return replace(letter, recipients={kind: pairs for kind, pairs in recipients.items() if pairs})


def _pairs(addresses: Sequence[Address]) -> list[list[str]]:
    return [[each.name, each.address] for each in addresses]
