"""A server that says when to come again is not asked sooner."""

from datetime import UTC, datetime, timedelta

import pytest

from letterdesk.mail.submit import Answer, Attempt
from letterdesk.outbound.asked_wait import asked_wait
from letterdesk.outbound.decide import conclude

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "text", "seconds"),
    [
        (451, "4.7.1 Greylisted, please try again in 300 seconds", 300),
        (450, "4.2.0 <bo@client.example>: Recipient address rejected: Greylisted, retry in 5 minutes", 300),
        (450, "4.2.0 Greylisted for 60 seconds (see http://postgrey.example/help?r=x)", 60),
        (451, "4.7.1 Greylisting in action, please come back in 00:05:00", 300),
        (421, "4.7.0 Too many connections. Please wait 10 min and try again", 600),
        (452, "4.5.3 Try again after 1 hour", 3600),
        (451, "Temporarily rejected. Try again in at least 2 Hours.", 7200),
        (451, "RETRY AFTER 90s", 90),
        (451, "Try again in (900 seconds)", 900),
        (451, "at 60 messages in 10 minutes, wait for 20 minutes", 1200),
        (450, "You have sent more than 500 messages in 24 hours; try in 10 minutes", 600),
        (450, "4.2.1 Quota: 60 messages sent in 1 hour. Please try again later (in about 15 minutes)", 900),
        (450, "Mailbox unavailable for 3 hours, retry after 5 min", 300),
        (452, "You have sent more than 500 messages in 24 hours", 0),
        (450, "mailbox unavailable for 3 hours", 0),
        (421, "4.4.2 idle after 300 seconds", 0),
        (450, "Message greylisted for 60 seconds", 60),
        (451, "Greylisted, come back after at least 00:04:59", 299),
        (451, "Blocked for 10 minutes, then for 20 minutes", 1200),
        (451, "come back in 30 days", 14400),
        (421, "wait 999999 hours", 14400),
        (451, "4.3.0 later", 0),
        (451, "try again later", 0),
        (451, "4.7.1 host 10.0.0.25 port 25 in 3 queues", 0),
        (451, "try again in 5 parsecs", 0),
        (451, "try again in -5 minutes", 0),
        (451, "", 0),
        (550, "do not try again in 300 seconds", 0),
        (250, "ok in 20 seconds", 0),
        (0, "timed out after 60 seconds", 0),
    ],
)
def test_words_of_time_are_read_within_bounds(code, text, seconds):
    assert asked_wait(code, text) == timedelta(seconds=seconds)


def waits(attempt, *, attempts=1, since=NOW):
    asked = ["bo@client.example", "cy@client.example"]
    found = conclude(
        attempt, asked=asked, taken_before=False, attempts=attempts, tried_since=since, now=NOW, jitter=1.0
    )
    return found.next_at and (found.next_at - NOW) / timedelta(minutes=1)


def test_it_is_the_least_that_we_wait_and_never_makes_us_wait_less():
    later = Answer(451, "try again in 300 seconds")
    assert waits(Attempt("envelope", Answer(451, "later"))) == pytest.approx(1.2)
    assert waits(Attempt("envelope", later)) == pytest.approx(6)
    assert waits(Attempt("envelope", later), attempts=4) == pytest.approx(36)
    assert waits(Attempt("envelope", later), since=NOW - timedelta(days=5)) is None


def test_of_several_recipients_the_longest_wait_counts_and_refusals_do_not():
    answers = {
        "bo@client.example": Answer(450, "retry in 10 minutes"),
        "cy@client.example": Answer(450, "retry in 20 minutes"),
    }
    assert waits(Attempt("envelope", answers["cy@client.example"], answers)) == pytest.approx(24)
    answers["cy@client.example"] = Answer(250, "ok")
    assert waits(Attempt("answered", Answer(250, "taken, for 3 hours"), answers)) == pytest.approx(12)
