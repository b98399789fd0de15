"""What people write, made fit to be kept and sent: cleaned HTML, its text, and the letter that is quoted below it."""

import html as escaping
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.mail.html import clean_html
from letterdesk.mail.letters import Address, Letter
from letterdesk.mail.plain import plain_of
from letterdesk.mail.text import text_to_html

LONGEST = 2_000_000  # characters of a body
LONGEST_SIGNATURE = 10_000  # characters
SIGNATURE_MARK = "-- \n"  # RFC 3676 4.3


def clean(html: str) -> str:
    """HTML by the allow-list of reading; of images those alone that travel in the letter (`cid:`), so that neither the
    editor nor the recipient fetches anything from afar (C21, P8)."""
    return clean_html(html[:LONGEST], image_url=_own_images).html


def _own_images(source: str) -> str | None:
    return source if source.lower().startswith("cid:") else None


def text_of(html: str) -> str:
    """What a program without HTML shows of it."""
    return plain_of(html)


def signature(typed: str) -> tuple[str, str]:
    """What stands below a letter, as HTML and as text, of what a person typed: after the mark that readers know."""
    text = typed.replace("\0", "").replace("\r\n", "\n").strip()[:LONGEST_SIGNATURE]
    return (f"<div>-- <br>{text_to_html(text)}</div>", f"{SIGNATURE_MARK}{text}") if text else ("", "")


def quoted(letter: Letter, html: str | None, text: str | None, *, at: datetime) -> tuple[str, str]:
    """The letter below a reply, as HTML and as text, with the line that introduces it."""
    who = letter.sender.name or letter.sender.address if letter.sender else _("Somebody")
    line = _("On %(date)s, %(name)s wrote:") % {"date": f"{at:%Y-%m-%d %H:%M}", "name": who}
    rich = clean(html) if html is not None else text_to_html(text or "")
    plain = text if text is not None else plain_of(clean(html or ""))
    marked = "\n".join(f"> {row}" if not row.startswith(">") else f">{row}" for row in plain.rstrip().split("\n"))
    return f"<p>{escaping.escape(line)}</p><blockquote>{rich}</blockquote>", f"{line}\n{marked}\n"


def forwarded(letter: Letter, html: str | None, text: str | None, *, at: datetime) -> tuple[str, str]:
    """The letter in a forward, as HTML and as text, with its head."""
    head = [(_("From"), _people([letter.sender] if letter.sender else [])), (_("Date"), f"{at:%Y-%m-%d %H:%M}")]
    head += [(_("Subject"), letter.subject), (_("To"), _people(letter.to)), (_("Cc"), _people(letter.cc))]
    rows = [(name, value) for name, value in head if value]
    mark = "---------- Forwarded message ----------"  # readers know a forward by it (mail/wording.toml)
    top = "<br>".join([mark, *(f"{escaping.escape(name)}: {escaping.escape(value)}" for name, value in rows)])
    rich = clean(html) if html is not None else text_to_html(text or "")
    plain = text if text is not None else plain_of(clean(html or ""))
    lines = "\n".join([mark, *(f"{name}: {value}" for name, value in rows)])
    return f"<p>{top}</p>{rich}", f"{lines}\n\n{plain}"


def _people(people: Iterable[Address]) -> str:
    return ", ".join(f"{each.name} <{each.address}>" if each.name else each.address for each in people)
