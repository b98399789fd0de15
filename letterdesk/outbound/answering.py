"""A person answers a letter or passes it on: the draft has its recipients, its subject, its thread and its text."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.lib import blobs
from letterdesk.mail.addresses import address_key
from letterdesk.mail.compose import NotComposable, compose_id
from letterdesk.mail.letters import Address, Letter, Part
from letterdesk.mail.parse import parse_letter, read_body, read_part
from letterdesk.mail.subjects import is_forward_subject, is_reply_subject
from letterdesk.mailboxes.models import Mailbox, Message

from . import files, words
from .drafts import begin, write
from .identities import identities_of, identity_in
from .models import Draft, Kind

MOST_REFERENCES = 30  # the first and the latest of a long thread (RFC 5322 3.6.4 sets no limit; header fields have one)


def reply(message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None = None) -> Draft:
    """A draft that answers this letter, to whom it asks to be answered. Raises NotYours, Unparsable, BlobMissing."""
    return _answer(message, by=by, now=now, mailbox=mailbox, everybody=False)


def reply_all(message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None = None) -> Draft:
    """As `reply`, and to all who got it, but for addresses that the writer uses."""
    return _answer(message, by=by, now=now, mailbox=mailbox, everybody=True)


def forward(
    message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None = None, attached: bool = False
) -> Draft:
    """A draft that passes the letter on with its files: in its text, or (`attached`) whole as a file.

    Outside any transaction: its files are written first. Raises as `reply`, and BadDraft where they are too large.
    """
    raw = blobs.get(message.account_id, message.blob)
    letter = parse_letter(raw)
    draft = _draft(message, letter, Kind.FORWARD, mailbox)
    if attached:
        given = [files.Given(f"{letter.subject[:80] or 'letter'}.eml", "message/rfc822", raw)]
    else:
        body = read_body(raw)
        write(draft, *words.forwarded(letter, body.html, body.text, at=_local(message, by)))
        given = [_file(part, raw) for part in letter.parts]
    with transaction.atomic():
        begin(draft, by=by, now=now)
    files.attach_all(draft, given, by=by, now=now)
    return draft


def _answer(message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None, everybody: bool) -> Draft:
    raw = blobs.get(message.account_id, message.blob)
    letter, body = parse_letter(raw), read_body(raw)
    draft = _draft(message, letter, Kind.REPLY, mailbox)
    own = {address_key(each.mailbox.address) for each in identities_of(by)} | {address_key(draft.mailbox.address)}
    draft.to, draft.cc = recipients(letter, own=own, everybody=everybody)
    identity = identity_in(draft.mailbox, by)
    below = words.quoted(letter, body.html, body.text, at=_local(message, by))
    above = (identity.signature_html, identity.signature_text) if identity else ("", "")
    write(draft, f"<p><br></p>{above[0]}{below[0]}", f"\n\n{above[1]}\n{below[1]}")
    with transaction.atomic():
        return begin(draft, by=by, now=now)


def recipients(letter: Letter, *, own: set[str], everybody: bool) -> tuple[list[list[str]], list[list[str]]]:
    """To and Cc of an answer. A letter of one's own is answered to whom it went; Reply-To stands before From.

    With `everybody` the others of To and Cc come along, each once, without the addresses in `own`.
    """
    sender = [letter.sender] if letter.sender else []
    is_own = bool(sender) and address_key(sender[0].address) in own
    to = list(letter.to) if is_own else list(letter.reply_to or sender)
    cc: list[Address] = [] if not everybody else [*(() if is_own else letter.to), *letter.cc]
    told = _each_once(to, without=set())
    seen = {address_key(address) for _name, address in told}
    return told, _each_once(cc, without=own | seen)


def _each_once(people: Iterable[Address], *, without: set[str]) -> list[list[str]]:
    found = {address_key(each.address): [each.name, each.address] for each in people if "@" in each.address}
    return [row for key, row in found.items() if key not in without]


def _draft(message: Message, letter: Letter, kind: Kind, mailbox: Mailbox | None) -> Draft:
    thread = _thread(letter)
    return Draft(
        mailbox=mailbox or message.mailbox,
        kind=kind,
        answers=message,
        in_reply_to=thread[-1] if thread and kind == Kind.REPLY else "",
        references=thread,
        subject=_subject(letter.subject, kind),
    )


def _thread(letter: Letter) -> list[str]:
    """References of the answer: those of the letter and itself, without what is no identifier on the wire."""
    known = [each for each in (*(letter.references or letter.in_reply_to[:1]), letter.message_id) if _is_id(each)]
    once = list(dict.fromkeys(known))
    return once if len(once) <= MOST_REFERENCES else once[:1] + once[1 - MOST_REFERENCES :]


def _file(part: Part, raw: bytes) -> files.Given:
    content_id = part.content_id if part.inline and _is_id(part.content_id) else ""
    return files.Given(part.filename, part.content_type, read_part(raw, part.index), content_id)


def _is_id(value: str) -> bool:
    try:
        compose_id(value)
    except NotComposable:
        return False
    return True


def _subject(subject: str, kind: Kind) -> str:
    if kind == Kind.FORWARD:
        return subject if is_forward_subject(subject) else f"Fwd: {subject}".strip()
    return subject if is_reply_subject(subject) else f"Re: {subject}".strip()


def _local(message: Message, by: Employee) -> datetime:
    zone = ZoneInfo(by.time_zone or by.account.time_zone)
    return (message.sent_at or message.received_at).astimezone(zone)
