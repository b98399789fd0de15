"""The letter inside of a forwarded one: who wrote it, to whom, when, as the forwarding program wrote it down (R30).

Programs agree on no form, only on a few fields one below the other, in the language of the person: labels come from
`wording.toml`, in any order, bold, quoted or wrapped. The first such head is the letter that was forwarded; what was
forwarded before stands below it. What cannot be read is nobody: nobody is guessed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from letterdesk.mail import wording
from letterdesk.mail.addresses import read_addresses
from letterdesk.mail.dates import read_local_date
from letterdesk.mail.html import clean_html
from letterdesk.mail.letters import Address
from letterdesk.mail.parse import Body
from letterdesk.mail.plain import plain_of

MOST_LINES = 2_000  # of a letter that are looked at
MOST_HTML = 500_000  # characters
MOST_IN_HEAD = 14  # lines of a head
_WRAPPED = frozenset({"from", "to", "cc"})
_ENOUGH = 3  # fields that make a head
NEAR = 6  # lines between "forwarded message" and its head
_MARKS = re.compile(r"^[\s>|]+")
_OTHER = re.compile(r"[*_]{0,2}[^\W\d_][\w' .-]{0,30}[*_]{0,2}[ \xa0]?[:：][*_]{0,2}(?:\s|$)")
_MAILTO = re.compile(r"<mailto:[^<>]{1,320}>", re.IGNORECASE)
_BRACKETS = re.compile(r"\[(?:mailto:)?([^\[\]\s]{1,320}@[^\[\]\s]{1,255})\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The letter inside. `sender.address` is empty where its head names none; `sent_at` None: no date we can read."""

    sender: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    text: str = ""  # what it says, as far as it was looked at


def forwarded_in(body: Body, zone: timedelta | None = None) -> Forwarded | None:
    """The letter inside of a letter with this body; None where no head of one is found. `zone`: of who forwarded it."""
    found = read_forward(body.text, zone) if body.text else None
    if (found is None or not found.sender.address) and body.html:
        found = read_forward(plain_of(clean_html(body.html[:MOST_HTML]).html), zone) or found
    return found


def read_forward(text: str, zone: timedelta | None = None) -> Forwarded | None:
    """The same in plain text, line by line."""
    cut = (line[: wording.MOST_IN_LINE] for line in text.split("\n", MOST_LINES)[:MOST_LINES])
    lines = [_MARKS.sub("", wording.visible(line)) for line in cut]
    for number in range(len(lines)):
        fields = _head(lines, number)
        if fields and _is_head(fields, lines, number):
            return replace(_read(fields, zone), text=_behind(lines, number))
        if wording.is_forward_line(lines[number]) and (sender := _introduced(lines[number + 1 : number + NEAR])):
            return Forwarded(sender, text=_behind(lines, number + 1))
    return None


def _behind(lines: Sequence[str], number: int) -> str:
    """What stands behind the head that begins with this line."""
    head = len(list(_lines_of(lines, number)))
    blank = next((at for at in range(number + head, len(lines)) if not lines[at]), len(lines))
    return "\n".join(lines[blank:]).strip()


def _introduced(lines: Sequence[str]) -> Address | None:
    """Who wrote, where a program puts "date, somebody <address>:" in the place of a head (Yandex)."""
    first = next((line for line in lines if line), "")
    if not wording.is_attribution(first, alone=True):
        return None
    found = [each for each in _addresses(first.rstrip(":：")) if each.address]
    return found[-1] if found else None


def _is_head(fields: dict[str, str], lines: Sequence[str], number: int) -> bool:
    """A sender, and two more; or one more, where a line says that a forwarded letter follows."""
    if "from" not in fields:
        return False
    above = lines[max(0, number - NEAR) : number]
    is_told = any(wording.is_forward_line(line) or wording.is_original_line(line) for line in above)
    known = len(fields.keys() & {"from", "sent", "to", "subject"})
    return known >= _ENOUGH or (is_told and known >= 2)


def _head(lines: Sequence[str], number: int) -> dict[str, str]:
    """The fields of a head that begins with this line, by kind; none where it does not."""
    if wording.label_of(lines[number]) is None:
        return {}
    fields: dict[str, str] = {}
    kind = ""
    for line in _lines_of(lines, number):
        label = wording.label_of(line)
        if label is not None and label[0] not in fields:
            kind, fields[label[0]] = label[0], label[1]
        elif label is not None:
            break  # the same field again: another head
        elif _OTHER.match(line):
            kind = ""
        elif kind in _WRAPPED:
            fields[kind] = f"{fields[kind]} {line}".strip()
        elif len(fields) >= _ENOUGH:
            break  # the letter itself, where no blank line stands between
    return fields


def _lines_of(lines: Sequence[str], number: int) -> Iterator[str]:
    """From there to the blank line that ends a head; one may stand between fields that were paragraphs."""
    for at in range(number, min(number + MOST_IN_HEAD, len(lines))):
        line = lines[at]
        if line:
            yield line
        elif at + 1 >= len(lines) or wording.label_of(lines[at + 1]) is None:
            return


def _read(fields: dict[str, str], zone: timedelta | None) -> Forwarded:
    senders = _addresses(fields.get("from", ""))
    return Forwarded(
        sender=senders[0] if senders else Address("", ""),
        to=tuple(each for each in _addresses(fields.get("to", "")) if each.address),
        cc=tuple(each for each in _addresses(fields.get("cc", "")) if each.address),
        subject=fields.get("subject", "").strip("* ")[:1_000],
        sent_at=read_local_date(fields.get("sent", "").strip("* "), zone),
    )


def _addresses(value: str) -> tuple[Address, ...]:
    """As programs write them: `Name <a@b>`, `Name [mailto:a@b]`, `Name <a@b<mailto:a@b>>`, `a@b`, or a name alone."""
    plain = _BRACKETS.sub(r"<\1>", _MAILTO.sub("", value)).strip("* ")
    found = read_addresses([plain.encode()])
    return tuple(each if "@" in each.address else Address(each.name or each.address, "") for each in found)
