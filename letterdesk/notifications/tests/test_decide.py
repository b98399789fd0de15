"""Who is told of what, and from when on it may be pushed: pure decisions."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.notifications.decide import (
    GAP,
    LONGEST_WAIT,
    PRESENCE,
    Happening,
    Wishes,
    is_told,
    next_digest,
    push_at,
    quiet_ends,
    try_again_at,
)
from letterdesk.notifications.models import Kind, Level

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)  # 12:00 in Berlin
NIGHT = (time(22, 0), time(7, 0))


@pytest.mark.parametrize(
    ("kind", "level", "told"),
    [
        (Kind.LETTERS, Level.ALL, True),
        (Kind.LETTERS, Level.MINE, False),
        (Kind.LETTERS, Level.NONE, False),
        (Kind.ANSWER, Level.MINE, True),
        (Kind.ASSIGNED, Level.MINE, True),
        (Kind.MENTION, Level.MINE, True),
        (Kind.MENTION, Level.NONE, False),
        (Kind.NOT_SENT, Level.NONE, True),  # the level is for mail that comes in
        (Kind.SIGN_IN, Level.NONE, True),
    ],
)
def test_the_level_of_the_mailbox_says_of_what(kind, level, told):
    assert is_told(Happening(kind), level, tells_bulk=False) is told
    assert is_told(Happening(kind, is_own=True), level, tells_bulk=True) is False
    assert is_told(Happening(kind, is_history=True), level, tells_bulk=True) is False


def test_machines_are_told_of_only_if_wanted_and_never_as_an_answer():
    assert not is_told(Happening(Kind.LETTERS, is_bulk=True), Level.ALL, tells_bulk=False)
    assert is_told(Happening(Kind.LETTERS, is_bulk=True), Level.ALL, tells_bulk=True)
    assert not is_told(Happening(Kind.ANSWER, is_bulk=True), Level.ALL, tells_bulk=True)


@pytest.mark.parametrize(
    ("local", "quiet", "ends"),
    [
        ("2026-11-29T12:00", NIGHT, "2026-11-29T12:00"),
        ("2026-11-29T22:00", NIGHT, "2026-11-30T07:00"),
        ("2026-11-30T06:59", NIGHT, "2026-11-30T07:00"),
        ("2026-11-30T07:00", NIGHT, "2026-11-30T07:00"),
        ("2026-11-29T12:30", (time(12), time(13)), "2026-11-29T13:00"),
        ("2026-11-29T13:00", (time(12), time(13)), "2026-11-29T13:00"),
        ("2026-10-25T01:30", NIGHT, "2026-10-25T07:00"),  # the night in which the clock goes back
        ("2026-03-29T01:30", NIGHT, "2026-03-29T07:00"),
        ("2026-11-29T12:00", (time(8), time(8)), "2026-11-30T08:00"),  # the whole day
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(local, quiet, ends):
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    until = quiet_ends(at, Wishes(zone=BERLIN, quiet=quiet))
    assert until == datetime.fromisoformat(ends).replace(tzinfo=BERLIN)


def test_being_there_a_pause_and_the_last_push_hold_back():
    assert push_at(NOON, Wishes(zone=UTC)) == NOON
    assert push_at(NOON, Wishes(zone=UTC, present_at=NOON)) == NOON + PRESENCE
    assert push_at(NOON, Wishes(zone=UTC, paused_until=NOON + timedelta(hours=3))) == NOON + timedelta(hours=3)
    assert push_at(NOON, Wishes(zone=UTC, pushed_at=NOON)) == NOON + GAP
    late = Wishes(zone=BERLIN, paused_until=NOON + timedelta(hours=11), quiet=NIGHT)  # the pause ends in the night
    assert push_at(NOON, late) == datetime(2026, 11, 30, 7, 0, tzinfo=BERLIN)


def test_what_no_browser_took_is_tried_each_time_later_and_hourly_at_last():
    waits = [try_again_at(NOON, failures) - NOON for failures in range(1, 12)]
    assert waits[:3] == [2 * GAP, 4 * GAP, 8 * GAP]
    assert waits == sorted(waits) and waits[-1] == try_again_at(NOON, 10**6) - NOON == LONGEST_WAIT


times = st.times().map(lambda each: each.replace(second=0, microsecond=0, fold=0))
moments = st.integers(0, 3 * 366 * 1440).map(lambda minutes: NOON + timedelta(minutes=minutes))


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first of a worker reads the files of time zones
@given(moments, times, times, st.sampled_from([UTC, BERLIN, ZoneInfo("America/Caracas"), ZoneInfo("Pacific/Chatham")]))
def test_no_push_ever_falls_into_the_quiet_hours(at, begin, end, zone):
    until = push_at(at, Wishes(zone=zone, quiet=(begin, end)))
    local = until.astimezone(zone).time()
    assert until >= at
    if begin < end:
        assert not begin <= local < end
    elif begin > end:
        assert not (local >= begin or local < end)


@pytest.mark.parametrize(
    ("digest", "local", "due"),
    [
        ("hourly", "2026-11-29T12:00", "2026-11-29T13:00"),
        ("hourly", "2026-11-29T12:59", "2026-11-29T13:00"),
        ("daily", "2026-11-29T07:59", "2026-11-29T08:00"),
        ("daily", "2026-11-29T08:00", "2026-11-30T08:00"),
        ("daily", "2026-10-24T09:00", "2026-10-25T08:00"),  # 24 hours on the wall, 25 in between
    ],
)
def test_the_digest_comes_at_the_hour_of_its_reader(digest, local, due):
    after = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    assert next_digest(digest, 8, zone=BERLIN, after=after) == datetime.fromisoformat(due).replace(tzinfo=BERLIN)
    assert next_digest("", 8, zone=BERLIN, after=after) is None
