"""What is said before a letter goes out, though nothing forbids it: no subject, a file that is missing, many people."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mail.quotes import fold_quotes
from letterdesk.mail.text import html_to_text
from letterdesk.outbound.placeholders import unfilled

MANY = 20  # recipients
MENTIONED = re.compile(
    r"\b(?:attach(?:ed|ing|ments?)|enclosed|(?:im|in den)\s+anhang|angehängt|anbei|beigefügt|ci-joint|pièces? jointes?"
    r"|adjunt[oa]s?|allegat[oi]|bijlagen?|bijgevoegd)\b|во вложении|прикрепл|załącz",
    re.IGNORECASE,
)
_QUOTATION = re.compile(r"<blockquote.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Letter:
    """What is looked at. `colleagues`: domains of the account's own mailboxes; empty `inside`: no internal thread."""

    subject: str
    html: str
    text: str
    has_files: bool
    recipients: tuple[str, ...]
    inside: frozenset[str] = frozenset()


def cautions(letter: Letter) -> list[str]:
    """What the writer should know first, in words; nothing where there is nothing to say. Pure."""
    found = []
    if not letter.subject.strip():
        found.append(_("It has no subject."))
    if not letter.has_files and MENTIONED.search(f"{letter.subject}\n{own_words(letter)}"):
        found.append(_("It speaks of a file, but there is none."))
    if left := unfilled(f"{letter.subject}\n{own_words(letter)}"):
        found.append(_("Nobody has filled in %(what)s.") % {"what": ", ".join(left)})
    if len(letter.recipients) >= MANY:
        found.append(_("It goes to %(count)d people.") % {"count": len(letter.recipients)})
    outside = [each for each in letter.recipients if letter.inside and _domain(each) not in letter.inside]
    if outside:
        words = ngettext(
            "So far only colleagues wrote here, and %(who)s is from outside.",
            "So far only colleagues wrote here, and %(who)s are from outside.",
            len(outside),
        )
        found.append(words % {"who": ", ".join(outside[:3])})
    return found


def own_words(letter: Letter) -> str:
    """What the writer wrote, without the letter that is quoted below it."""
    if letter.html:
        new = fold_quotes(letter.html, is_html=True).new
        return html_to_text(_QUOTATION.sub("", new))
    return fold_quotes(letter.text, is_html=False).new


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
