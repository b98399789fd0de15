"""What an own field says at a record, and the same in words: for people, and for files. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from ..models import OwnField, OwnOption, OwnType, OwnValue

OWN = "own:"
_NO_WORD = re.compile(r"\W+")


def reference(field: OwnField) -> str:
    """What a field is called beside names that every record has: in events, columns of files, choices of a merge."""
    return f"{OWN}{field.public_id}"


def placeholder_of(field: OwnField) -> str:
    """What templates call a field, behind the kind of its record: `own.customer_number`."""
    return f"own.{_NO_WORD.sub('_', field.key).strip('_')}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a field says: that part of it which its type uses. False where it says nothing."""

    text: str = ""
    number: Decimal | None = None
    currency: str = ""
    day: date | None = None
    is_true: bool | None = None
    options: tuple[OwnOption, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.options or self.day) or self.number is not None or self.is_true is not None

    @property
    def plain(self) -> tuple[object, ...]:
        """For comparing with what somebody saw; the name of an option may have changed since."""
        keys = tuple(option.pk for option in self.options)
        return (self.text, str(self.number), self.currency, str(self.day), self.is_true, keys)


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Shown:
    """A field and what it says, for pages."""

    field: OwnField
    said: Said

    @property
    def words(self) -> str:
        """In words for people."""
        return in_words(self.field, self.said)


def in_order(options: Iterable[OwnOption]) -> tuple[OwnOption, ...]:
    """Options as their field has them, each once."""
    return tuple(sorted({option.pk: option for option in options}.values(), key=lambda one: (one.position, one.pk)))


def said_in(rows: Iterable[OwnValue]) -> dict[int, Said]:
    """What rows of one record say, by key of the field; each with its option."""
    found: dict[int, Said] = {}
    for row in rows:
        before = found.get(row.field_id, NOTHING)
        options = in_order((*before.options, row.option)) if row.option else before.options
        found[row.field_id] = Said(row.text, row.number, row.currency, row.day, row.is_true, options)
    return found


def in_words(field: OwnField, said: Said) -> str:
    """For people, in their language; empty where it says nothing."""
    if said.number is not None:
        number = number_format(said.number.normalize(), 2 if field.type == OwnType.MONEY else None, force_grouping=True)
        return f"{number} {said.currency}".strip()
    if said.day is not None:
        return date_format(said.day, _("j M Y"))
    if said.is_true is not None:
        return _("Yes") if said.is_true else _("No")
    return said.text or ", ".join(option.name for option in said.options)


def in_file(field: OwnField, said: Said) -> object:
    """For files, so that they can be read again (`own_read.in_file`): the same in every language."""
    if said.number is not None and field.type == OwnType.MONEY:
        return f"{said.number:.2f} {said.currency}".strip()
    if said.number is not None:
        return _plain(said.number)
    if said.day is not None:
        return said.day.isoformat()
    if said.is_true is not None:
        return "yes" if said.is_true else "no"
    return said.text or "; ".join(option.name for option in said.options)


def _plain(number: Decimal) -> Decimal:
    """Without noughts at its end; never with three digits behind the point: 1.234 is a thousand elsewhere."""
    short = number.quantize(Decimal(1)) if number == number.to_integral() else number.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal("0.0001")) if exponent == -3 else short
