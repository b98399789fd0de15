"""One letter, whichever mailboxes it lies in: what tells that two copies are the same, and who stands in it."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from letterdesk.mail.addresses import MOST_IN_ADDRESS, MOST_IN_DOMAIN, address_key

COPIED = (  # what an activity keeps of a letter
    "blob", "size", "message_id", "subject", "from_name", "from_address", "recipients", "sent_at", "received_at",
    "snippet", "has_attachments",
)  # fmt: skip


class Written(Protocol):
    """The columns of a letter that both a Message and an Activity have."""

    blob: Any
    message_id: Any
    subject: Any
    from_address: Any
    recipients: Any
    sent_at: Any
    snippet: Any


@dataclass(frozen=True, slots=True)
class People:
    """Who stands in a letter, folded: `sender` may be empty; `to` and `others` (Cc, Bcc) in their order, each once."""

    sender: str
    to: tuple[str, ...]
    others: tuple[str, ...] = ()
    _outside: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def all(self) -> tuple[str, ...]:
        """Everybody, the sender first, each once."""
        found = dict.fromkeys((self.sender, *self.to, *self.others))
        found.pop("", None)
        return tuple(found)

    def outside(self, ours: Collection[str]) -> tuple[str, ...]:
        """Those who are none of us. Asked seven times of each letter that is looked at, with the same `ours`."""
        if not self._outside or self._outside[0] is not ours:
            self._outside[:] = ours, tuple(address for address in self.all if address not in ours)
        found: tuple[str, ...] = self._outside[1]
        return found


def is_address(address: str) -> bool:
    """Whether it can be written to, and kept: real mail also says "MAILER-DAEMON", "x@nowhere" (RFC 5321 4.5.3.1)."""
    key = address_key(address)
    if len(address) > MOST_IN_ADDRESS or len(key.rpartition("@")[2]) > MOST_IN_DOMAIN:
        return False
    try:
        validate_email(key)
    except ValidationError:
        return False
    return True


def identity_of(letter: Written) -> str:
    """The same for all copies of a letter, whatever way each came; another one where what people read differs.

    Never the Message-ID alone: whoever knows one could take the letter's place. Without one it is the bytes.
    """
    if not letter.message_id:
        return str(letter.blob)
    sent_at = letter.sent_at.isoformat() if letter.sent_at else ""
    said = (letter.message_id, address_key(letter.from_address), sent_at, letter.subject, letter.snippet)
    return hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()


def people_of(letter: Written) -> People:
    """Who stands in it."""
    sender = address_key(letter.from_address) if letter.from_address else ""
    return People(
        sender, to=_addresses(letter.recipients, "to"), others=_addresses(letter.recipients, "cc", "bcc")
    )  # fmt: skip


def _addresses(recipients: dict[str, list[list[str]]], *kinds: str) -> tuple[str, ...]:
    found = [address_key(address) for kind in kinds for _, address in recipients.get(kind, ()) if "@" in address]
    return tuple(dict.fromkeys(found))
