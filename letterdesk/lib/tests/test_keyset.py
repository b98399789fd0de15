"""A place in a list comes back exactly as it was handed out; what we did not hand out is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import BooleanField, CharField, DateField, DateTimeField, DecimalField, IntegerField

from letterdesk.lib.keyset import BadCursor, Order, cursor_of, place_of, read_cursor


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_a_place_comes_back_to_the_microsecond(microsecond):
    moment = datetime(2026, 11, 29, 1, 2, 3, microsecond, tzinfo=UTC)
    assert read_cursor(cursor_of(moment, 7)) == (moment, 7)


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "9" * 40 + ".1", "-.1"])
def test_what_is_no_place_is_refused(cursor):
    with pytest.raises(BadCursor):
        read_cursor(cursor)


ORDER = Order("active_at", DateTimeField())


@pytest.mark.parametrize(
    ("holds", "value"),
    [
        (DateTimeField(), datetime(2026, 11, 29, 1, 2, 3, 7, tzinfo=UTC)),
        (DateField(), date(2026, 11, 29)),
        (DecimalField(max_digits=15, decimal_places=2), Decimal("1200.50")),
        (CharField(max_length=100, blank=True), "a.b ~ & ж"),
        (CharField(max_length=100, blank=True), ""),
        (BooleanField(), False),
        (IntegerField(), 0),
        (IntegerField(), None),
    ],
)
def test_a_place_in_any_order_comes_back_as_it_was(holds, value):
    assert Order("column", holds).read(place_of(value, 7)) == (value, 7)


@pytest.mark.parametrize("place", ["x", "1.x", ".", "1.2026-11-29", "1.2026-11-29T10:00:00", "-1", "9" * 30, "1.\0"])
def test_what_is_no_place_in_an_order_is_refused(place):
    with pytest.raises(BadCursor):
        ORDER.read(place)
    with pytest.raises(BadCursor):
        Order("amount", DecimalField(max_digits=15, decimal_places=2)).read(place.replace("2026-11-29", "1E+400000"))
