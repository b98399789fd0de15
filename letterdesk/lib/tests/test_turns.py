"""One that fails keeps no other waiting."""

import pytest

from letterdesk.lib.turns import in_turn


def test_who_fails_is_logged_and_the_others_have_their_turn(caplog):
    seen = []

    def look(number):
        seen.append(number)
        return 6 / number > 1

    assert in_turn([1, 0, 3, 6], look, failure="Number %s cannot be looked at") == 2
    assert seen == [1, 0, 3, 6] and "Number 0 cannot be looked at" in caplog.text


def test_a_process_that_is_to_end_ends():
    def look(_number):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_turn([1], look, failure="%s")
