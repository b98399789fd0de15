"""A person answers a letter or passes it on: the draft has its recipients, its subject, its thread and its text."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.lib import blobs
from letterdesk.mail.addresses import address_key
from letterdesk.mail.compose import is_id
from letterdesk.mail.letters import Address, Letter
from letterdesk.mail.parse import parse_letter, read_body, read_part
from letterdesk.mail.subjects import is_forward_subject, is_reply_subject
from letterdesk.mailboxes.models import Mailbox, Message

from . import files, words
from .drafts import begin, write
from .identities import identities_for
from .models import Draft, Kind

MOST_REFERENCES = 30  # the first and the latest of a long thread (RFC 5322 3.6.4 sets no limit; header fields have one)


def reply(message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None = None) -> Draft:
    """A draft that answers this letter, to whom it asks to be answered; the pictures in its text come along.

    Outside any transaction: they are written first. Raises NotYours, Unparsable, BlobMissing, OSError (a full disk).
    """
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
    draft = Draft(mailbox=mailbox or message.mailbox, answers=message)
    _thread_on(draft, letter, Kind.FORWARD)
    if attached:
        given = [files.Given(f"{letter.subject[:80] or 'letter'}.eml", "message/rfc822", raw)]
    else:
        body = read_body(raw)
        at = _local(message.sent_at or message.received_at, by)
        write(draft, *words.forwarded(letter, body.html, body.text, at=at), is_clean=True)
        given = [files.of_part(part, raw) for part in letter.parts]
    with transaction.atomic():
        begin(draft, by=by, now=now)
    files.attach_all(draft, given, by=by, now=now)
    return draft


def _answer(message: Message, *, by: Employee, now: datetime, mailbox: Mailbox | None, everybody: bool) -> Draft:
    draft = Draft(mailbox=mailbox or message.mailbox, answers=message)
    raw, at = blobs.get(message.account_id, message.blob), message.sent_at or message.received_at
    return begin_reply(draft, raw, by=by, now=now, at=at, everybody=everybody)


def begin_reply(
    draft: Draft, raw: bytes, *, by: Employee, now: datetime, at: datetime, everybody: bool = False
) -> Draft:
    """Keep a draft, which has its sender, as the answer to a letter of these bytes: to whom it asks to be answered, in
    its thread, with its text quoted as of `at`, and the pictures of that. Outside any transaction. Raises NotYours,
    Unparsable."""
    _fill(draft, raw, by=by, at=at, everybody=everybody)
    pictures = _pictures(raw, shown=draft.body_html)
    files.write_bytes(by.account_id, pictures, now=now)
    with transaction.atomic():
        begun = begin(draft, by=by, now=now)
        files.keep_all(begun, pictures, now)
        return begun


def _pictures(raw: bytes, *, shown: str) -> list[files.Given]:
    """The pictures that stand in the quoted text, as many as a letter may carry; no other file goes with an answer."""
    found: list[files.Given] = []
    size = 0
    for part in parse_letter(raw).parts if '"cid:' in shown else ():
        is_shown = is_id(part.content_id) and f'"cid:{part.content_id}"' in shown
        if not (is_shown and part.content_type.lower().startswith("image/")):
            continue
        given = files.Given(part.filename, part.content_type, read_part(raw, part.index), part.content_id)
        size += len(given.raw)
        if size > files.LARGEST or len(found) == files.MOST:
            break
        found.append(given)
    return found


def _fill(draft: Draft, raw: bytes, *, by: Employee, at: datetime, everybody: bool) -> None:
    letter, body = parse_letter(raw), read_body(raw)
    _thread_on(draft, letter, Kind.REPLY)
    mine = identities_for(draft, by)
    own = {address_key(each.email) for each in mine} | {address_key(draft.outlet.address)}
    draft.to, draft.cc = recipients(letter, own=own, everybody=everybody)
    identity = next((each for each in mine if each.outlet == draft.outlet), None)
    below = words.quoted(letter, body.html, body.text, at=_local(at, by))
    above = (identity.signature_html, identity.signature_text) if identity else ("", "")
    write(draft, f"<p><br></p>{above[0]}{below[0]}", f"\n\n{above[1]}\n{below[1]}", is_clean=True)


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


def _thread_on(draft: Draft, letter: Letter, kind: Kind) -> None:
    thread = _thread(letter)
    draft.kind, draft.references = kind, thread
    draft.in_reply_to = thread[-1] if thread and kind == Kind.REPLY else ""
    draft.subject = _subject(letter.subject, kind)


def _thread(letter: Letter) -> list[str]:
    """References of the answer: those of the letter and itself, without what is no identifier on the wire."""
    known = [each for each in (*(letter.references or letter.in_reply_to[:1]), letter.message_id) if is_id(each)]
    once = list(dict.fromkeys(known))
    return once if len(once) <= MOST_REFERENCES else once[:1] + once[1 - MOST_REFERENCES :]


def _subject(subject: str, kind: Kind) -> str:
    if kind == Kind.FORWARD:
        return subject if is_forward_subject(subject) else f"Fwd: {subject}".strip()
    return subject if is_reply_subject(subject) else f"Re: {subject}".strip()


def _local(at: datetime, by: Employee) -> datetime:
    return at.astimezone(ZoneInfo(by.time_zone or by.account.time_zone))
