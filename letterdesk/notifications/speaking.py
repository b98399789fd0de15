"""In the language and the time zone of a person, outside of a request."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone
from django.utils.translation import override

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import language_of
from letterdesk.accounts.zones import zone_of


@contextmanager
def speaking(employee: Employee) -> Iterator[None]:
    """Texts and times are this person's inside; without a choice of theirs in English, whoever worked here before."""
    with timezone.override(zone_of(employee)), override(settings.LANGUAGE_CODE), language_of(employee):
        yield
