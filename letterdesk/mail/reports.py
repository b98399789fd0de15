"""What a mail server writes when a letter of ours did not arrive: which recipients, for good or not, and why.

RFC 3464 reports are read field by field. What older servers write in prose is read with care: only from a mail
system, only addresses that stand before a reason, and never as "there is no such address" without a code that says so.
Nothing here is believed yet: anybody can write a report. `outbound/bounces.py` asks whether the letter was ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from letterdesk.mail.addresses import read_addresses
from letterdesk.mail.automatic import is_from_mail_system
from letterdesk.mail.charsets import clean_line, clean_text, decode
from letterdesk.mail.headers import Head, fields_of, read_head
from letterdesk.mail.identifiers import read_ids, read_message_id
from letterdesk.mail.limited import Unparsable
from letterdesk.mail.text import html_to_text
from letterdesk.mail.tree import Node, Tree, read_tree

MOST_RECIPIENTS = 500
MOST_STATUS = 256 * 1024  # bytes of a status part that are read
MOST_PROSE = 64 * 1024  # characters of a report in prose
MOST_REASON = 500  # characters
STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_ORIGINALS = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
# RFC 3463 3.2 and 3.3, RFC 7505: no such mailbox, no such system, bad syntax, moved, takes no mail, disabled.
_NO_SUCH_ADDRESS = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)}
_STATUS = re.compile(r"(?<![0-9.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")
_BASIC = re.compile(r"(?<![0-9.])([45])[0-9]{2}(?=[ -])")
_TYPED = re.compile(r"\s*([a-z0-9-]{1,20})\s*;(.*)", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>;:,\"()]{1,64}@[^\s<>;:,\"()]{1,255}")
_PARAGRAPH_OF = re.compile(r"\s*<?([^\s<>;:,\"()]{1,64}@[^\s<>;:,\"()]{1,255})>?(?::|[ \t]*\n|[ \t]*$)(.*)", re.DOTALL)
_COPY_BEGINS = re.compile(
    r"^-{2,}.{0,200}(?:copy of (?:the|your) message|original message|unsent message|below this line).{0,200}$"
    r"|^-{3} Below this line.{0,100}$|^Received:\s|^Return-Path:\s",
    re.IGNORECASE | re.MULTILINE,
)
_ID_LINE = re.compile(r"^[ \t>]{0,20}Message-ID:\s{0,10}<([^<>\s]{1,900})>", re.IGNORECASE | re.MULTILINE)
_FAILED = re.compile(r"fail|undeliver|returned mail|could not be delivered|delivery status|unzustellbar"
                     r"|nicht zugestellt|не доставлен|недоставлен", re.IGNORECASE)  # fmt: skip
_WAITS = re.compile(r"delay|will be retried|still being|will continue|warning", re.IGNORECASE)


class Fate(StrEnum):
    """What became of a recipient."""

    HARD = "hard"  # there is no such address: nothing sent there will ever arrive
    SOFT = "soft"  # this letter did not arrive; another one may
    DELAYED = "delayed"  # it is still tried
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one recipient. `original`: whom the letter was addressed to, where it was passed on (or "")."""

    address: str
    fate: Fate
    status: str = ""  # RFC 3463, such as 5.1.1
    reason: str = ""  # the server's own words, one line
    original: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says. `message_ids`: of the letter that it is about, as it names it; without brackets."""

    message_ids: tuple[str, ...]
    recipients: tuple[Told, ...]


def read_report(raw: bytes) -> Report | None:
    """The report that this letter is; None: it is none. Never raises."""
    try:
        tree = read_tree(raw)
    except Unparsable:
        return None
    leaves = list(tree.root.leaves())
    kinds = {leaf.content_type for leaf in leaves}
    is_report, is_from_system = tree.root.content_type == "multipart/report", is_from_mail_system(tree.head)
    if kinds.isdisjoint(STATUS_TYPES):
        told = _in_prose(tree, leaves) if is_from_system and not is_report else []
    elif is_report or is_from_system or _has_no_way_back(tree.head):
        told = [one for leaf in leaves if leaf.content_type in STATUS_TYPES for one in _in_status(leaf.content())]
    else:
        told = []  # somebody passes a report on
    return Report(_letters_named(tree, leaves), tuple(told[:MOST_RECIPIENTS])) if told else None


def _has_no_way_back(head: Head) -> bool:
    """The empty reverse-path that only a mail system writes (RFC 5321 4.5.5)."""
    return head.first("return-path").replace(b" ", b"") == b"<>"


def _letters_named(tree: Tree, leaves: list[Node]) -> tuple[str, ...]:
    """The Message-ID of the letter that came back; where none did, what the report answers."""
    for leaf in leaves:
        if leaf.content_type in _ORIGINALS:
            named = read_message_id(read_head(leaf.content()).fields.get("message-id", []))
            if named:
                return (named,)
    for leaf in leaves:
        if leaf.content_type == "text/plain" and (found := _ID_LINE.search(_text(leaf))):
            return (found[1],)
    return read_ids(tree.head.fields.get("in-reply-to", []) + tree.head.fields.get("references", []))


# RFC 3464


def _in_status(raw: bytes) -> Iterator[Told]:
    for fields in _blocks(raw[:MOST_STATUS]):
        final, original = (_typed_address(fields.get(name, "")) for name in ("final-recipient", "original-recipient"))
        status, reason = fields.get("status", ""), _reason(fields.get("diagnostic-code", ""))
        fate, exact = _fate(fields.get("action", ""), status, reason)
        if (final or original) and fate:
            yield Told(final or original, fate, exact, reason, original)


def _blocks(raw: bytes) -> Iterator[dict[str, str]]:
    """The fields of each recipient (RFC 3464 2.1): behind a blank line, or, where that is missing, where a name comes
    again."""
    block: dict[str, str] = {}
    for piece in re.split(rb"\r?\n[ \t]*\r?\n", raw)[: 4 * MOST_RECIPIENTS]:
        for name, value in fields_of(piece):
            if name in block and name in {"final-recipient", "original-recipient", "action"}:
                yield block
                block = {}
            block.setdefault(name, clean_line(decode(value)))
        yield block
        block = {}


def _typed_address(value: str) -> str:
    """RFC 3464 2.3.2: a type and an address; of other worlds than ours none."""
    typed = _TYPED.match(value)
    if typed and typed[1].lower() not in {"rfc822", "utf-8"}:
        return ""
    found = _ADDRESS.search(typed[2] if typed else value)
    return found[0] if found else ""


def _reason(value: str) -> str:
    typed = _TYPED.match(value)
    return " ".join((typed[2] if typed else value).split())[:MOST_REASON]


def _fate(action: str, status: str, reason: str) -> tuple[Fate | None, str]:
    """RFC 3464 2.3.3 and 2.3.4; of a general status (x.0.0) a more exact one of its class takes the place."""
    said, closer = _STATUS.search(status), _STATUS.search(reason)
    if (said and said.groups()[1:] == ("0", "0") and closer and closer[1] == said[1]) or not said:
        said = closer
    exact, word = said[0] if said else "", action.split("(", maxsplit=1)[0].strip().lower()
    if word in {"delivered", "relayed", "expanded"}:
        return Fate.DELIVERED, exact
    if word == "delayed":
        return Fate.DELAYED, exact
    if word == "failed":
        return _failed(said), exact
    by_class = {"2": Fate.DELIVERED, "4": Fate.DELAYED, "5": _failed(said)}
    return (by_class[said[1]] if said and not word else None), exact


def _failed(said: re.Match[str] | None) -> Fate:
    is_lasting = said is not None and said[1] == "5" and (int(said[2]), int(said[3])) in _NO_SUCH_ADDRESS
    return Fate.HARD if is_lasting else Fate.SOFT


# Prose


def _in_prose(tree: Tree, leaves: list[Node]) -> list[Told]:
    """qmail, older Exims, and those who write like them."""
    pages = [leaf for leaf in leaves if leaf.content_type in {"text/plain", "text/html"}]
    text = _text(pages[0]) if pages else ""
    copied = _COPY_BEGINS.search(text)
    notice = text[: copied.start()] if copied else text
    subject = clean_line(decode(tree.head.first("subject")))
    named = [each.address for each in read_addresses(tree.head.fields.get("x-failed-recipients", []))]
    waits = bool(_WAITS.search(subject) or _WAITS.search(notice[:500]))
    is_failure = bool(named) or bool(_FAILED.search(f"{subject}\n{notice[:500]}"))
    found = {address.lower(): Told(address, Fate.SOFT) for address in named if "@" in address}
    for address, reason in _paragraphs(notice):
        told = _by_reason(address, reason, is_failure=is_failure, waits=waits)
        if told and (not named or address.lower() in found):
            found.setdefault(address.lower(), told)
            if found[address.lower()].reason == "":
                found[address.lower()] = told
    return list(found.values())


def _paragraphs(notice: str) -> Iterator[tuple[str, str]]:
    """Each address that begins a paragraph, and the rest of that paragraph."""
    for paragraph in re.split(r"\n[ \t]*\n", notice)[:MOST_RECIPIENTS]:
        if found := _PARAGRAPH_OF.fullmatch(paragraph):
            yield found[1], " ".join(found[2].split())[:MOST_REASON]


def _by_reason(address: str, reason: str, *, is_failure: bool, waits: bool) -> Told | None:
    said, basic = _STATUS.search(reason), _BASIC.search(reason)
    number = said[1] if said else basic[1] if basic else ""
    if number == "2" or not reason or not (number or is_failure):
        return None
    if waits and number != "5":
        return Told(address, Fate.DELAYED, said[0] if said else "", reason)
    return Told(address, _failed(said), said[0] if said else "", reason)


def _text(leaf: Node) -> str:
    text = clean_text(decode(leaf.content()[: 4 * MOST_PROSE], leaf.charset))[:MOST_PROSE].replace("\r\n", "\n")
    return html_to_text(text) if leaf.content_type == "text/html" else text
