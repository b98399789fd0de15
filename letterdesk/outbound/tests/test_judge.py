"""People and machines told apart; the cases stand in judged.txt."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from letterdesk.outbound.judge import By, Seen, judge

LEFT = datetime(2026, 11, 3, 9, tzinfo=UTC)
LINES = Path(__file__).with_name("judged.txt").read_text("utf-8").splitlines()
CASES = [tuple(map(str.strip, line.split("|"))) for line in LINES if line and not line.startswith("#")]
SHORT = {By.PERSON: "p", By.AGAIN: "a", By.MACHINE: "m"}


def seen_of(word):
    when, _equals, machine = word.partition("=")
    second, _colon, link = when.partition(":")
    return Seen(LEFT + timedelta(seconds=int(second)), int(link) if link else None, machine)


@pytest.mark.parametrize(("left", "links", "case"), CASES)
def test_each_is_judged_as_it_is_written(left, links, case):
    fetched, expected = case.split(" → ")
    judged = judge(
        [seen_of(word) for word in fetched.split()], left_at=None if left == "-" else LEFT, links=int(links), last={}
    )
    assert " ".join(f"{SHORT[each.by]} {each.machine}".strip() for each in judged) == expected


def test_what_was_counted_before_is_not_counted_again():
    at = LEFT + timedelta(hours=1)
    last = {None: at - timedelta(seconds=30), 1: at - timedelta(hours=1)}
    judged = judge([Seen(at), Seen(at, 1)], left_at=LEFT, links=1, last=last)
    assert [each.by for each in judged] == [By.AGAIN, By.PERSON]


def test_the_order_in_which_they_are_read_changes_nothing():
    seen = [Seen(LEFT + timedelta(seconds=second)) for second in (60, 3600, 20)]
    assert judge(seen, left_at=LEFT, links=0, last={}) == judge(seen[::-1], left_at=LEFT, links=0, last={})
