"""UidSet against plain sets of integers."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mail.uidset import UidSet

numbers = st.sets(
    st.integers(min_value=1, max_value=120) | st.integers(min_value=2**32 - 5, max_value=2**32), max_size=60
)


@given(numbers)
def test_it_holds_what_it_was_given_in_ascending_order(plain):
    assert list(UidSet(plain)) == sorted(plain)
    assert len(UidSet(plain)) == len(plain)
    assert bool(UidSet(plain)) == bool(plain)


@given(numbers, numbers)
def test_union_intersection_difference_agree_with_plain_sets(one, other):
    assert set(UidSet(one) | UidSet(other)) == one | other
    assert set(UidSet(one) & UidSet(other)) == one & other
    assert set(UidSet(one) - UidSet(other)) == one - other
    assert UidSet(one).isdisjoint(UidSet(other)) == one.isdisjoint(other)


@given(numbers, numbers)
def test_sets_of_the_same_numbers_are_equal_however_they_were_made(one, other):
    made = UidSet(one) | UidSet(other)
    assert made == UidSet(one | other)
    assert hash(made) == hash(UidSet(one | other))
    assert pickle.loads(pickle.dumps(made)) == made
    assert (UidSet(one) == UidSet(other)) == (one == other)


@given(numbers)
def test_the_text_form_reads_back(plain):
    made = UidSet(plain)
    assert UidSet.parse(str(made)) == made
    ranges = [piece.split(":") for piece in str(made).split(",")] if plain else []
    assert all(int(left[-1]) + 1 < int(right[0]) for left, right in pairwise(ranges))


@given(numbers, st.integers(min_value=0, max_value=200))
def test_membership_agrees(plain, number):
    assert (number in UidSet(plain)) == (number in plain)
    assert all(each in UidSet(plain) for each in plain)


@given(numbers, st.integers(min_value=1, max_value=20))
def test_pieces_are_full_disjoint_and_complete(plain, size):
    rising = list(UidSet(plain).chunks(size))
    falling = list(UidSet(plain).newest_first(size))
    assert [number for piece in rising for number in piece] == sorted(plain)
    assert [number for piece in falling for number in reversed(list(piece))] == sorted(plain, reverse=True)
    for pieces in (rising, falling):
        assert all(len(piece) == size for piece in pieces[:-1])
        assert all(piece for piece in pieces)


@given(numbers, st.integers(min_value=25, max_value=60))
def test_lines_fit_and_are_complete(plain, limit):
    lines = list(UidSet(plain).lines(limit))
    assert [number for line in lines for number in line] == sorted(plain)
    assert all(len(str(line)) <= limit for line in lines)


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), max_size=12))
def test_ranges_may_overlap_and_stand_backwards(pairs):
    plain = {number for pair in pairs for number in range(min(pair), max(pair) + 1)}
    assert UidSet.of_ranges(pairs) == UidSet(plain)
    assert UidSet.parse(",".join(f"{a}:{b}" for a, b in pairs)) == UidSet(plain)


@given(numbers)
def test_smallest_and_largest(plain):
    if plain:
        assert (UidSet(plain).min(), UidSet(plain).max()) == (min(plain), max(plain))
    else:
        for ask in (UidSet().min, UidSet().max):
            with pytest.raises(ValueError, match="empty"):
                ask()


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "1:*",
        "0",
        "0:4",
        "-3",
        "1,,2",
        "a",
        "1:2:3",
        "1;2",
        "1_0",
        "１",
        " 1",
        "1:",
        ":1",
        "99999999999999999999999",
    ],
)
def test_what_is_no_uid_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        UidSet.parse(text)


@pytest.mark.case("A08")
def test_a_range_of_four_thousand_million_is_two_numbers():
    whole = UidSet.parse("1:4294967295")
    assert len(whole) == 4294967295
    assert str(whole - UidSet([7])) == "1:6,8:4294967295"
    assert str(next(whole.newest_first(3))) == "4294967293:4294967295"
