"""That somebody opened a letter is forgotten in pieces, by runs that go on where one ended."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.outbound.forget_told import forget_told
from letterdesk.outbound.jobs import forget_when_read
from letterdesk.outbound.models import Tracking

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def read_often(ines, stranger, now):
    """Seven letters of two accounts were opened two days ago."""
    for account, times in ((ines.account, 5), (stranger.account, 2)):
        Tracking.objects.create(account=account, is_on=True)
        facts = {"account": account, "kind": "letter.opened", "at": now - timedelta(days=2), "dispatched_at": now}
        Event.objects.bulk_create(Event(**facts) for _ in range(times))
    return Event.objects.filter(kind="letter.opened")


def test_it_is_forgotten_in_pieces_and_the_next_run_goes_on_where_one_ended(read_often, monkeypatch, now):
    """One long transaction over all accounts would hold up whoever writes (D13)."""
    monkeypatch.setattr("letterdesk.outbound.forget_told.AT_ONCE", 2)
    monkeypatch.setattr("letterdesk.outbound.forget_told.LASTS", -1.0)
    left, at = [], 0
    while at is not None:
        at = forget_told(now=now, begins_at=at)
        left.append(read_often.count())
    assert left == [5, 3, 2, 0, 0]
    assert forget_told(now=now) is None


def test_a_run_that_dies_leaves_the_rest_to_the_next(read_often, monkeypatch, now, settings):
    monkeypatch.setattr("letterdesk.outbound.forget_told.AT_ONCE", 2)
    crashpoint.interrupt("forget_told.before_commit", 2)
    with pytest.raises(crashpoint.Crashed):
        forget_told(now=now)
    crashpoint.disarm()
    assert read_often.count() == 5
    monkeypatch.setattr("letterdesk.outbound.forget_told.LASTS", -1.0)
    settings.JOBS_URL = "memory://"
    forget_when_read.now()
    assert not read_often.exists()
