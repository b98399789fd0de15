"""Writing a letter: what people typed becomes RFC 5322 bytes, with CRLF alone, and nothing of it becomes a header.

Names, subjects, addresses and file names with control characters are refused, not repaired (D05). Bcc is no field
here at all: it stands in the envelope alone (E16).
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from letterdesk.mail.fields import ids_field, people_field, text_field
from letterdesk.mail.letters import Address

LONGEST_LINE = 998  # octets of a line without its end (RFC 5322 2.1.1)
_LOCAL = re.compile(
    r"[^\x00-\x20\x7f()<>\[\]:;@\\,\"]+"
)  # a dot-atom; quoted local parts are nobody's (RFC 5321 4.1.2)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.IGNORECASE)
_ID = re.compile(r"[!-;=?-~]{1,900}")


class NotComposable(ValueError):
    """This cannot stand in a letter: `what` names the field ("subject"), `value` is what was given."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"{what}: {value[:60]!r}")
        self.what = what
        self.value = value


@dataclass(frozen=True, slots=True)
class File:
    """A file of a letter. With a `content_id` it stands in the HTML (`cid:`)."""

    filename: str
    content_type: str
    raw: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter as people mean it. Message-IDs without brackets; `html` empty: plain text alone."""

    sender: Address
    date: datetime
    message_id: str
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[File, ...] = ()


def new_message_id(address: str) -> str:
    """A Message-ID of the sender's domain that tells nothing of this machine (E07); without brackets."""
    return f"{secrets.token_hex(16)}@{wire_address(address).rpartition('@')[2]}"


def wire_address(address: str) -> str:
    """The address as SMTP takes it, its domain in IDNA. Raises NotComposable for what is no address."""
    local, at, domain = _one_line(address, "address").rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode()) > 64 or ".." in f".{local}.":
        raise NotComposable("address", address)
    return f"{local}@{_domain(domain, address)}"


def needs_utf8(address: str) -> bool:
    """Whether only a server with SMTPUTF8 can take this address (RFC 6531)."""
    return not address.rpartition("@")[0].isascii()


def compose(letter: Outgoing) -> bytes:
    """The bytes of the letter, CRLF everywhere. Raises NotComposable, naming the field."""
    message = EmailMessage(policy.SMTP)
    _write_body(message, letter)
    return _checked(_head(letter).encode() + message.as_bytes())


def _head(letter: Outgoing) -> str:
    fields = [ids_field("Message-ID", [compose_id(letter.message_id)]), people_field("From", [_shown(letter.sender)])]
    fields += [people_field(name, map(_shown, people)) for name, people in _receivers(letter)]
    fields.append(text_field("Subject", _one_line(letter.subject, "subject")))
    fields.append(f"Date: {format_datetime(letter.date)}\r\n")
    if letter.in_reply_to:
        fields.append(ids_field("In-Reply-To", [compose_id(letter.in_reply_to)]))
    if letter.references:
        fields.append(ids_field("References", map(compose_id, letter.references)))
    return "".join(fields)


def _receivers(letter: Outgoing) -> list[tuple[str, tuple[Address, ...]]]:
    fields = (("To", letter.to), ("Cc", letter.cc), ("Reply-To", letter.reply_to))
    return [(name, people) for name, people in fields if people]


def _write_body(message: EmailMessage, letter: Outgoing) -> None:
    inline = [file for file in letter.files if file.content_id and letter.html]
    message.set_content(_plain(letter.text), cte="quoted-printable")
    if letter.html:
        message.add_alternative(_plain(letter.html), subtype="html", cte="quoted-printable")
        rich = message.get_payload()[1]  # type: ignore[index]
        for file in inline:
            _add(rich.add_related, file, disposition="inline", cid=compose_id(file.content_id))  # type: ignore[union-attr]
    for file in letter.files:
        if file not in inline:
            _add(message.add_attachment, file)


def _add(add: object, file: File, **more: str) -> None:
    """`multipart` and `message` may not be encoded (RFC 2046 5.2.1): such a file travels as what it is, a file."""
    kind = file.content_type.strip().lower()
    if not _TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    main, _slash, sub = kind.partition("/")
    add(file.raw, main, sub, filename=_one_line(file.filename, "filename"), **more)  # type: ignore[operator]


def _shown(address: Address) -> tuple[str, str]:
    return _one_line(address.name, "name"), wire_address(address.address)


def _domain(domain: str, address: str) -> str:
    plain = unicodedata.normalize("NFC", domain).rstrip(".")
    try:
        ascii_domain = plain.encode("idna").decode("ascii").lower() if not plain.isascii() else plain.lower()
    except UnicodeError as error:
        raise NotComposable("address", address) from error
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 253 or len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)):
        raise NotComposable("address", address)
    return ascii_domain


def _one_line(text: str, what: str) -> str:
    if any(unicodedata.category(mark) in {"Cc", "Cs", "Zl", "Zp"} for mark in text):
        raise NotComposable(what, text)
    return text.strip()


def compose_id(value: str) -> str:
    """A Message-ID or Content-ID with its brackets. Raises NotComposable for what cannot stand there."""
    if not _ID.fullmatch(value):
        raise NotComposable("message_id", value)
    return f"<{value}>"


def is_id(value: str) -> bool:
    """Whether `compose_id` takes it."""
    return bool(_ID.fullmatch(value))


def _plain(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _checked(raw: bytes) -> bytes:
    """Nothing leaves that SMTP could take for two letters: no bare CR or LF, no endless line (D07)."""
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw) or any(len(line) > LONGEST_LINE for line in raw.split(b"\r\n")):
        raise NotComposable("letter", "a line that no server takes")
    return raw
