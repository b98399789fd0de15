"""Own fields in the forms of records, and in the filters of their lists."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letterdesk.crm.models import OwnField, OwnType
from letterdesk.crm.own.filter import OwnFilter
from letterdesk.crm.own.read import LONGEST_LINK, LONGEST_LONG, LONGEST_TEXT, BadValue, read
from letterdesk.crm.own.said import NOTHING, Said, in_file

OWN = "own-"  # own fields' names begin with it
MOST_ASKED = 200  # characters of a filter


def name_of(field: OwnField) -> str:
    """What the field is called in forms."""
    return f"{OWN}{field.public_id}"


class MoneyInput(forms.MultiWidget):
    """Amount and currency, side by side."""

    def __init__(self) -> None:
        amount = forms.TextInput(attrs={"inputmode": "decimal", "aria-label": gettext_lazy("Amount")})
        currency = forms.TextInput(
            attrs={"maxlength": 3, "placeholder": "EUR", "aria-label": gettext_lazy("Currency"), "autocomplete": "off"}
        )
        super().__init__([amount, currency])

    def get_context(self, *args: Any) -> dict[str, Any]:
        """An amount that is required may be without a currency, as everywhere."""
        context: dict[str, Any] = super().get_context(*args)
        context["widget"]["subwidgets"][1]["attrs"].pop("required", None)
        return context

    def decompress(self, value: Any) -> list[Any]:
        """What a record says, for both."""
        return list(value) if value else ["", ""]


class Ticks(forms.CheckboxSelectMultiple):
    """Options to tick. That it was shown is told by a hidden input: browsers send nothing of boxes without a tick."""

    def render(self, name: str, *args: Any, **more: Any) -> SafeString:
        """The boxes, and that they were there."""
        return format_html('<input type="hidden" name="{}" value="">{}', name, super().render(name, *args, **more))

    def value_omitted_from_data(self, data: Any, _files: Any, name: str) -> bool:
        """Whether the form had no such boxes."""
        return name not in data


class OwnInput(forms.Field):
    """What an own field says, typed; cleaned it is a `Said`, as the core reads it."""

    def __init__(self, field: OwnField, now: Said) -> None:
        super().__init__(
            required=field.is_required, label=field.name, widget=_widget(field, now), initial=_typed(field, now)
        )
        self.field, self.now = field, now

    def clean(self, value: Any) -> Said:
        """Read by `own_read`, whose refusals are the form's."""
        typed = [str(each or "") for each in value] if isinstance(value, list) else [str(value or "")]
        try:
            said = read(self.field, typed, now=self.now)
        except BadValue as error:
            raise forms.ValidationError(error.why) from error
        if self.required and not said:
            raise forms.ValidationError(self.error_messages["required"])
        return said


def inputs_of(fields: Sequence[OwnField], said: dict[int, Said]) -> dict[str, OwnInput]:
    """A form's inputs, by their names."""
    return {name_of(field): OwnInput(field, said.get(field.pk, NOTHING)) for field in fields}


def _widget(field: OwnField, now: Said) -> forms.Widget:
    if field.has_options:
        has = {option.pk for option in now.options}
        offered = [option for option in field.options.all() if not option.is_retired or option.pk in has]
        choices = [(option.public_id, option.name) for option in offered]
        if field.type == OwnType.CHOICES:
            return Ticks(choices=choices)
        return forms.Select(choices=[("", "–"), *choices])
    if field.type == OwnType.YES_NO:
        return forms.Select(choices=[("", "–"), ("yes", _("Yes")), ("no", _("No"))])
    if field.type == OwnType.MONEY:
        return MoneyInput()
    simple: dict[str, forms.Widget] = {
        OwnType.NUMBER: forms.TextInput(attrs={"inputmode": "decimal"}),
        OwnType.DATE: forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        OwnType.LONG: forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_LONG}),
        OwnType.LINK: forms.TextInput(
            attrs={"inputmode": "url", "maxlength": LONGEST_LINK, "placeholder": "https://", "spellcheck": "false"}
        ),
    }
    return simple.get(field.type, forms.TextInput(attrs={"maxlength": LONGEST_TEXT}))


def _typed(field: OwnField, now: Said) -> Any:
    """What a record says, as one would type it."""
    if field.has_options:
        ids = [option.public_id for option in now.options]
        return ids if field.type == OwnType.CHOICES else "".join(ids[:1])
    if field.type == OwnType.MONEY:
        return ["" if now.number is None else f"{now.number:.2f}", now.currency]
    if now.number is not None:
        return str(in_file(field, now))
    if now.is_true is not None:
        return "yes" if now.is_true else "no"
    return now.day or now.text


# Filters


def filters_of(asked: MultiValueDict[str, str], fields: Sequence[OwnField]) -> tuple[OwnFilter, ...]:
    """What a list's address asks of own fields; what is no number or day asks nothing."""
    found = []
    for field in fields:
        name = name_of(field)
        words = asked.get(name, "").strip()[:MOST_ASKED]
        if field.type in {OwnType.NUMBER, OwnType.MONEY, OwnType.DATE}:
            least, most = (_bound(field, asked.get(f"{name}-{end}", ""))[0] for end in ("from", "to"))
            wanted = OwnFilter(field, least=least, most=most)
        elif field.has_options or field.type == OwnType.YES_NO:
            wanted = OwnFilter(field, option=words)
        else:
            wanted = OwnFilter(field, words=words)
        if wanted != OwnFilter(field):
            found.append(wanted)
    return tuple(found)


def asked_of(asked: MultiValueDict[str, str], fields: Sequence[OwnField]) -> dict[str, str]:
    """The part of a list's address that asks of own fields, for links to the same."""
    return {name: said for name in names_asked(fields) if (said := asked.get(name, ""))}


def names_asked(fields: Sequence[OwnField]) -> list[str]:
    """By what names a list's address may ask of these fields."""
    return [f"{name_of(field)}{end}" for field in fields for end in ("", "-from", "-to")]


def is_there(wanted: OwnFilter) -> bool:
    """Whether a filter asks for what its field still has: an option may have been deleted."""
    if wanted.field.type == OwnType.YES_NO:
        return wanted.option in {"yes", "no", "none"}
    return not wanted.field.has_options or wanted.option in {
        "none",
        *(each.public_id for each in wanted.field.options.all()),
    }


def filter_lines(asked: MultiValueDict[str, str], fields: Sequence[OwnField]) -> list[dict[str, Any]]:
    """What the form of a list shows: each field with what is asked of it, and why that cannot be."""
    return [
        {
            "field": field,
            "name": name_of(field),
            "way": _way(field),
            "options": field.options.all() if field.has_options else [],
            "said": asked.get(name_of(field), ""),
            "least": asked.get(f"{name_of(field)}-from", ""),
            "most": asked.get(f"{name_of(field)}-to", ""),
            "why": next(filter(None, _refusals(asked, field)), ""),
        }
        for field in fields
    ]


def _way(field: OwnField) -> str:
    ways: dict[str, str] = {
        OwnType.NUMBER: "number", OwnType.MONEY: "number", OwnType.DATE: "date", OwnType.YES_NO: "yes_no",
        OwnType.CHOICE: "options", OwnType.CHOICES: "options",
    }  # fmt: skip
    return ways.get(field.type, "words")


def _refusals(asked: MultiValueDict[str, str], field: OwnField) -> list[str]:
    if _way(field) not in {"number", "date"}:
        return []
    return [_bound(field, asked.get(f"{name_of(field)}-{end}", ""))[1] for end in ("from", "to")]


def _bound(field: OwnField, typed: str) -> tuple[Decimal | date | None, str]:
    """An end of what is asked for, and why it is none."""
    try:
        said = read(field, [typed[:MOST_ASKED]])
    except BadValue as error:
        return None, error.why
    return said.day if field.type == OwnType.DATE else said.number, ""
