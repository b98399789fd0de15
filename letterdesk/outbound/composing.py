"""What is wrong with a draft, told by name, and the letter that is made of it."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.lib import blobs
from letterdesk.mail.addresses import address_key
from letterdesk.mail.compose import File, NotComposable, Outgoing, compose, wire_address
from letterdesk.mail.letters import Address

from .identities import Identity
from .models import Draft, DraftFile, Suppressed
from .suppression import suppressed_among
from .tracked_address import untracked
from .words import clean

LARGEST_LETTER = 36_000_000  # bytes as they travel: 25 MB of files in base64, and a little
NO_LETTER_CARRIES = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a draft cannot be sent: a code for programs, a text for people, and the field that it is about."""

    code: str
    text: str
    field: str = ""


class CannotSend(Exception):
    """The draft cannot be sent as it is; it is kept. `problems` are all there are."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(each.text for each in problems))
        self.problems = problems


def problems(draft: Draft, identity: Identity | None) -> list[Problem]:
    """All that keeps this draft from being sent; empty: nothing."""
    found = []
    if identity is None:
        found.append(Problem("sender_not_yours", _("You may not send from this mailbox now."), "from"))
    if not (draft.to or draft.cc or draft.bcc):
        found.append(Problem("no_recipient", _("Say to whom this letter goes."), "to"))
    for name in ("to", "cc", "bcc"):
        for shown, address in getattr(draft, name):
            if NO_LETTER_CARRIES.search(shown):
                found.append(named(NotComposable("name", shown)))
            try:
                wire_address(address)
            except NotComposable:
                found.append(
                    Problem("bad_address", _("%(address)s is no e-mail address.") % {"address": address}, name)
                )
    return found + [Problem("undeliverable", undeliverable(each), "to") for each in refused_recipients(draft)]


def refused_recipients(draft: Draft) -> list[Suppressed]:
    """Recipients to whom nothing is sent, because there is no such address."""
    everybody = [address for field in ("to", "cc", "bcc") for _name, address in getattr(draft, field)]
    return suppressed_among(draft.account_id, everybody)


def undeliverable(row: Suppressed) -> str:
    """Why nothing is sent there, and what to do."""
    told = {
        "address": row.address,
        "reason": row.reason or _("There is no such address."),
        "date": f"{row.at:%Y-%m-%d}",
    }
    return (
        _(
            "A letter to %(address)s came back on %(date)s: “%(reason)s”. Correct the address, or take it off the list "
            "of undeliverable ones."
        )
        % told
    )


def envelope(draft: Draft) -> list[tuple[str, str, str]]:
    """(field, name, address as SMTP takes it) of each recipient, each address once; To stands before Cc and Bcc."""
    found: dict[str, tuple[str, str, str]] = {}
    for field in ("to", "cc", "bcc"):
        for name, address in getattr(draft, field):
            found.setdefault(address_key(address), (field, name, wire_address(address)))
    return list(found.values())


def _travels(file: DraftFile, draft: Draft) -> bool:
    """A picture that somebody took out of the text goes with it."""
    return not (file.content_id and draft.body_html) or f"cid:{file.content_id}" in draft.body_html


def letter_of(draft: Draft, identity: Identity, *, message_id: str, date: datetime, html: str | None = None) -> bytes:
    """The bytes of the letter; `html`: clean, as it travels instead of the draft's. Raises CannotSend, BlobMissing."""
    if html is None:
        html = untracked(clean(draft.body_html), is_html=True)  # once more, whatever a row may hold (C21)
    files = [File(each.filename, each.content_type, blobs.get(each.account_id, each.blob), each.content_id)
             for each in draft.files.order_by("pk") if _travels(each, draft)]  # fmt: skip
    outgoing = Outgoing(
        sender=identity.address,
        date=date,
        message_id=message_id,
        to=_addresses(draft.to),
        cc=_addresses(draft.cc),
        subject=draft.subject,
        text=untracked(draft.body_text, is_html=False),
        html=html,
        in_reply_to=draft.in_reply_to,
        references=tuple(draft.references),
        files=tuple(files),
    )
    try:
        raw = compose(outgoing)
    except NotComposable as error:
        raise CannotSend([named(error)]) from error
    if len(raw) > LARGEST_LETTER:
        size = {"size": LARGEST_LETTER // 1_000_000}
        raise CannotSend([Problem("too_large", _("This letter is larger than %(size)d MB.") % size, "files")])
    return raw


def _addresses(people: list[list[str]]) -> tuple[Address, ...]:
    return tuple(Address(name, address) for name, address in people)


def named(error: NotComposable) -> Problem:
    """What no letter can carry, in words for people."""
    texts = {
        "name": _("The name of a sender or recipient contains a character that no letter can carry."),
        "subject": _("The subject contains a line break or another character that no letter can carry."),
        "filename": _("The name of a file contains a character that no letter can carry."),
    }
    text = texts.get(error.what) or _("This letter cannot be sent as it is (%(what)s).") % {"what": error.what}
    return Problem("not_composable", text, error.what)
