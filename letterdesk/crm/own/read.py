"""What people type into own fields, and what files hold for them, read and checked. Pure, once options are loaded."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from ..models import OwnField, OwnType
from ..records.fields import BadRecord, checked_amount, checked_currency
from .said import NOTHING, Said, in_order

LONGEST_TEXT = 300
LONGEST_LONG = 10_000
LONGEST_LINK = 2_000
LONGEST_AMOUNT = 40
HIGHEST_PORT = 65_535
MOST_DIGITS = 15  # of a number: what a float of a database keeps exactly
MOST_DECIMALS = 4
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:(?!\d)")
_AMOUNT = re.compile(r"([A-Za-z]{3}|€|\$|£)?\s*([^A-Za-z€$£]*?)\s*([A-Za-z]{3}|€|\$|£)?")
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP"}
_WRITTEN = re.compile(  # in groups of three with one sign between them, or as in India; the point is another sign
    r"(?P<sign>[+-]?)\s*"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?P<three>[\s.,'’])[0-9]{3}(?:(?P=three)[0-9]{3})*"
    r"|[1-9][0-9]?(?P<two>,)[0-9]{2}(?:,[0-9]{2})*,[0-9]{3})"
    r"(?:(?!(?P=three)|(?P=two))[.,](?P<rest>[0-9]*))?"
)
_YES = {"yes", "y", "true", "1", "x", "ja", "j", "wahr", "да", "истина"}
_NO = {"no", "n", "false", "0", "nein", "falsch", "нет", "ложь"}
_LABEL = r"\w(?:[\w-]{0,61}\w)?"
_LINK = re.compile(  # also of a computer in one's own network; never with a name and a password
    rf"https?://(?P<host>\[[0-9a-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::(?P<port>[0-9]{{1,5}}))?(?:[/?#]\S*)?",
    re.IGNORECASE,
)


class BadValue(BadRecord):
    """This cannot be in that field; `why` says the reason, in words for people."""

    def __init__(self, field: OwnField, why: str) -> None:
        super().__init__(f"{field.name}: {why}")
        self.field = field
        self.why = why


def read(field: OwnField, typed: Sequence[str], *, now: Said = NOTHING) -> Said:
    """What a form says: one text; of money amount and currency; of options their public ids. Raises BadValue.

    Numbers as people write them, days as 2026-12-24, "yes" and "no". `now`: what the record says; retired options
    that it has may stay.
    """
    texts = [each.replace("\0", " ").strip() for each in typed]
    first = texts[0] if texts else ""
    if field.has_options:
        return _chosen(field, [each for each in texts if each], now)
    if not first:
        return NOTHING
    if field.type == OwnType.MONEY:
        return _money(field, first, texts[1] if len(texts) > 1 else "")
    return _READ.get(OwnType(field.type), _text)(field, first)


def read_file(field: OwnField, cell: str) -> Said:
    """What a cell of a file says, as people and programs write it, in several languages. Raises BadValue."""
    text = cell.replace("\0", " ").strip()
    if not text:
        return NOTHING
    if field.has_options:
        return read(field, _ids_of(field, text))
    if field.type == OwnType.MONEY:
        found = _AMOUNT.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
        if found is None or (found[1] and found[3]):
            raise BadValue(field, _("“%(typed)s” is not an amount such as 1200.50 EUR.") % {"typed": text[:100]})
        currency = found[1] or found[3] or ""
        return read(field, [found[2], _SIGNS.get(currency, currency)])
    if field.type == OwnType.DATE and (german := _GERMAN_DAY.fullmatch(text)):
        return read(field, [f"{german[3]}-{german[2]}-{german[1]}"])
    return read(field, [text])


def missing(fields: Sequence[OwnField], said: dict[int, Said]) -> list[OwnField]:
    """Those that have to say something and do not."""
    return [field for field in fields if field.is_required and not said.get(field.pk)]


def _text(field: OwnField, text: str) -> Said:
    most = LONGEST_LONG if field.type == OwnType.LONG else LONGEST_TEXT
    clean = text if field.type == OwnType.LONG else " ".join(text.split())
    if len(clean) > most:
        raise BadValue(field, _("At most %(most)d characters.") % {"most": most})
    return Said(text=clean)


def _number(field: OwnField, text: str) -> Said:
    return Said(number=_decimal(field, text))


def _decimal(field: OwnField, typed: str) -> Decimal:
    text = _with_point(field, typed) if len(typed) <= LONGEST_AMOUNT else ""
    if not _NUMBER.fullmatch(text):
        raise BadValue(field, _("“%(typed)s” is not a number such as 1200.5.") % {"typed": typed[:100]})
    number = Decimal(text)
    digits = number.normalize().as_tuple()
    decimals = max(-int(digits.exponent), 0)
    if decimals > MOST_DECIMALS or len(digits.digits) > MOST_DIGITS:
        said = {"digits": MOST_DIGITS, "most": MOST_DECIMALS}
        raise BadValue(field, _("A number has at most %(digits)d digits, %(most)d of them behind the point.") % said)
    return number


def _money(field: OwnField, amount: str, currency: str) -> Said:
    try:
        number = checked_amount(_decimal(field, amount))
        return Said(number=number, currency=checked_currency(currency))
    except BadValue:
        raise
    except BadRecord as error:
        raise BadValue(field, str(error)) from error


def _day(field: OwnField, text: str) -> Said:
    try:
        found = _DAY.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return Said(day=date(int(found[1]), int(found[2]), int(found[3])))
    except ValueError:
        raise BadValue(field, _("“%(typed)s” is not a day such as 2026-12-24.") % {"typed": text[:100]}) from None


def _yes_no(field: OwnField, text: str) -> Said:
    word = text.casefold()
    if word not in _YES | _NO:
        raise BadValue(field, _("“%(typed)s” is neither yes nor no.") % {"typed": text[:100]})
    return Said(is_true=word in _YES)


def _link(field: OwnField, text: str) -> Said:
    has_scheme = _SCHEME.match(text)
    link = text if has_scheme else f"https://{text}"
    found = _LINK.fullmatch(link) if len(link) <= LONGEST_LINK else None
    if found is None or int(found["port"] or 0) > HIGHEST_PORT or not (has_scheme or "." in found["host"]):
        said = {"typed": text[:100]}
        raise BadValue(field, _("“%(typed)s” is not the address of a web page.") % said)
    return Said(text=link)


_READ: dict[OwnType, Callable[[OwnField, str], Said]] = {
    OwnType.NUMBER: _number,
    OwnType.DATE: _day,
    OwnType.YES_NO: _yes_no,
    OwnType.LINK: _link,
}


def _chosen(field: OwnField, ids: Sequence[str], now: Said) -> Said:
    """Options that are offered, and retired ones that the record has already."""
    there = {option.public_id: option for option in field.options.all()}
    has = {option.public_id for option in now.options}
    for each in ids:
        if each not in there or (there[each].is_retired and each not in has):
            name = there[each].name if each in there else each[:100]
            raise BadValue(field, _("“%(typed)s” cannot be chosen any more.") % {"typed": name})
    if field.type == OwnType.CHOICE and len(set(ids)) > 1:
        raise BadValue(field, _("Only one can be chosen."))
    return Said(options=in_order(there[each] for each in ids))


def _ids_of(field: OwnField, text: str) -> list[str]:
    """The options that a cell names, with semicolons between several."""
    there = {option.key: option.public_id for option in field.options.all() if not option.is_retired}
    names = [text] if field.type == OwnType.CHOICE else [part for part in re.split(r"[;\n\r]+", text) if part.strip()]
    keys = [option_key(name) for name in names]
    for name, key in zip(names, keys, strict=True):
        if key not in there:
            raise BadValue(field, _("There is no option “%(typed)s”.") % {"typed": name.strip()[:100]})
    return [there[key] for key in keys]


def option_key(name: str) -> str:
    """A name as names of options and fields are compared."""
    return " ".join(name.split()).casefold()


def _with_point(field: OwnField, text: str) -> str:
    """A number as programs write it; empty: it is none. What is a thousand here and a point there is refused."""
    found = _WRITTEN.fullmatch(text.replace("\u2212", "-"))
    if found is None:
        return ""
    whole, rest = re.sub(r"[^0-9]", "", found["whole"]), found["rest"] or ""
    if whole == found["whole"] and re.fullmatch(r"[1-9][0-9]{0,2}", whole) and len(rest) == 3:
        sign = found["sign"]
        said = {"typed": text[:100], "one": f"{sign}{whole}{rest}", "other": f"{sign}{whole}.{rest}0"}
        raise BadValue(field, _("“%(typed)s” can be read in two ways. Write %(one)s or %(other)s.") % said)
    return f"{found['sign']}{whole}.{rest}"
