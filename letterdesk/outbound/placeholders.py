"""What stands in braces in a template, and is filled in for the letter: `{name}`, `{{ contact.name }}`. Pure.

Those of the recipient and the writer, in single braces, stay where nothing is known, and are asked about before the
letter goes out. Those of a record, in double ones, are a promise: one that does not exist, or for which the record has
nothing, is an error that names it, and the letter does not go out with it (R24).
"""

import re
from collections.abc import Collection, Mapping
from html import escape

from django.utils.translation import gettext as _

from letterdesk.mail.quotes import fold_quotes

from .drafts import BadDraft
from .models import Draft

PLACEHOLDERS = ("name", "first_name", "company", "my_name", "my_address")
OF_RECORDS = {
    "contact": ("name", "first_name", "position", "email", "phone"),
    "company": ("name", "email", "phone"),
    "lead": ("name", "email", "phone"),
    "deal": ("name", "stage", "amount"),
}
FIELDS = tuple(f"{kind}.{name}" for kind, names in OF_RECORDS.items() for name in names)
_FIELD = r"[a-z_]+\.(?:own\.\w+|[a-z_]+)"  # behind `own.` what a company calls fields of its own
_OF_RECORD = re.compile(rf"\{{\{{\s*({_FIELD})\s*\}}\}}")
_LOOSE = re.compile(rf"\{{\{{(?:\s|&nbsp;)*({_FIELD})(?:\s|&nbsp;)*\}}\}}")
_WORD = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_ANY = re.compile(_OF_RECORD.pattern + r"|\{(" + "|".join(PLACEHOLDERS) + r")\}")


class UnknownPlaceholder(BadDraft):
    """A template names a field that no record has."""

    def __init__(self, names: list[str], own: Collection[str] = ()) -> None:
        said = {"what": ", ".join(f"{{{{ {each} }}}}" for each in names), "known": ", ".join((*FIELDS, *own))}
        super().__init__(_("Nothing is called %(what)s. There are: %(known)s.") % said)


class MissingValue(BadDraft):
    """A template names a field for which nothing is known at this record."""

    def __init__(self, names: list[str]) -> None:
        what = ", ".join(f"{{{{ {each} }}}}" for each in names)
        super().__init__(
            _("Nothing is known for %(what)s here. Fill it in at the record, or choose another template.")
            % {"what": what}
        )


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known; what a value says is never read as a placeholder."""
    return _ANY.sub(lambda found: values.get(found[1] or found[2]) or found[0], text)


def fill_html(html: str, values: Mapping[str, str]) -> str:
    """The same for cleaned HTML: values are text, whatever they say."""
    return fill(html, {name: escape(value) for name, value in values.items()})


def whole(html: str) -> str:
    """Cleaned HTML in which placeholders have no fixed blanks, as editors write them."""
    return _LOOSE.sub(r"{{ \1 }}", html)


def check_whole(html: str, text: str) -> None:
    """Raise BadDraft for a placeholder of the `text` that formatting cuts through in the `html`: nobody fills it."""
    if cut := [each for each in _all(text) if each not in _all(html)]:
        said = {"what": cut[0]}
        raise BadDraft(_("Formatting cuts through %(what)s. Give the whole of it the same formatting.") % said)


def _all(text: str) -> list[str]:
    return [found[1] or found[2] for found in _ANY.finditer(text)]


def unfilled(text: str) -> list[str]:
    """The placeholders of recipient and writer that nobody filled in, each once, as they stand in the text."""
    return list(dict.fromkeys(found[0] for found in _ANY.finditer(text) if found[2]))


def check_known(text: str) -> None:
    """Raise UnknownPlaceholder for a field of a record that there is not. Own fields: `check_own`."""
    if unknown := [each for each in _named(text) if each not in FIELDS and not _is_own(each)]:
        raise UnknownPlaceholder(unknown)


def check_own(text: str, known: Collection[str]) -> None:
    """Raise UnknownPlaceholder for an own field that is not among these, which are called as in a text."""
    if unknown := [each for each in _named(text) if _is_own(each) and each not in known]:
        raise UnknownPlaceholder(unknown, known)


def _is_own(name: str) -> bool:
    kind, _own, field = name.partition(".own.")
    return kind in OF_RECORDS and bool(field)


def check_words(text: str) -> None:
    """Raise BadDraft for a word in single braces that is no placeholder: a slip that customers would read."""
    if words := [found for found in _WORD.findall(text) if found not in PLACEHOLDERS]:
        said = {"unknown": f"{{{words[0]}}}", "known": ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)}
        raise BadDraft(_("There is no placeholder %(unknown)s. There are %(known)s.") % said)


def check_filled(text: str, values: Mapping[str, str]) -> None:
    """Raise UnknownPlaceholder, or MissingValue for a field of a record for which these values have nothing."""
    check_known(text)
    if missing := [each for each in _named(text) if not values.get(each)]:
        raise MissingValue(missing)


def left_over(draft: Draft) -> list[str]:
    """Fields of records that stand unfilled in what the writer wrote: not in what is quoted below it."""
    own = fold_quotes(draft.body_text, is_html=False).new
    kinds = tuple(f"{kind}." for kind in OF_RECORDS)
    named = _named(f"{draft.subject}\n{own}")
    return [f"{{{{ {each} }}}}" for each in named if each.startswith(kinds)]


def _named(text: str) -> list[str]:
    return list(dict.fromkeys(found[1] for found in _OF_RECORD.finditer(text)))
