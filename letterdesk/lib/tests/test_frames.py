"""A call below which Python's frames have room: it says what it said without."""

import pytest

from letterdesk.lib.frames import WORDS, with_room


def depth(left: int) -> int:
    return depth(left - 1) + 1 if left else 0


def test_what_goes_in_and_comes_out_is_the_same():
    assert with_room(depth)(left=300) == 300
    assert with_room(int)("10", 2) == 2
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 / 0)()


def test_the_room_is_there_for_whatever_is_called():
    assert with_room(depth).__code__.co_stacksize == WORDS
