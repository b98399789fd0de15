"""A place in a list comes back exactly as it was handed out; what we did not hand out is refused."""

from datetime import UTC, datetime

import pytest

from letterdesk.lib.keyset import BadCursor, cursor_of, read_cursor


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_a_place_comes_back_to_the_microsecond(microsecond):
    moment = datetime(2026, 11, 29, 1, 2, 3, microsecond, tzinfo=UTC)
    assert read_cursor(cursor_of(moment, 7)) == (moment, 7)


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "9" * 40 + ".1", "-.1"])
def test_what_is_no_place_is_refused(cursor):
    with pytest.raises(BadCursor):
        read_cursor(cursor)
