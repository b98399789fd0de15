"""Days and moments that people type, in their zone: of years in which one could mean them.

A moment of the years 1 and 9999 is none in every zone, so it is refused where it is typed.
"""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FIRST, LAST = 1900, 2999


class MomentField(forms.DateTimeField):
    """A day and a time."""

    def clean(self, value: Any) -> Any:
        """The moment; None: nothing was typed. Raises ValidationError."""
        return _checked(super().clean(value))


class DayField(forms.DateField):
    """A day."""

    def clean(self, value: Any) -> Any:
        """The day; None: nothing was typed. Raises ValidationError."""
        return _checked(super().clean(value))


def _checked(found: date | None) -> date | None:
    if found is not None and not FIRST <= found.year <= LAST:
        raise ValidationError(_("Choose a day of the years %(first)d to %(last)d.") % {"first": FIRST, "last": LAST})
    return found
