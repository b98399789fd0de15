from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.events.live import Feed, latest_id, since
from letterdesk.events.models import Event
from letterdesk.events.record import record


@pytest.fixture
def account(db) -> Account:
    return Account.objects.create(name="Acme")


@pytest.fixture
def now():
    return timezone.now()


def tell(account: Account, topic: str) -> Event:
    return record("message.received", account=account, topic=topic)


def test_before_anything_happened_the_latest_is_zero(db):
    assert latest_id() == 0


def test_since_tells_only_what_came_after_on_the_topics_asked_for(account):
    first = tell(account, "mailbox:a")
    second, _other = tell(account, "mailbox:a"), tell(account, "mailbox:b")
    assert since(first.pk, ["mailbox:a"]) == [second]
    assert since(0, []) == []


def test_a_feed_begins_with_what_comes_next(account, now):
    tell(account, "mailbox:a")
    feed = Feed(["mailbox:a"], now=now)
    assert feed.news(now) == []
    later = tell(account, "mailbox:a")
    assert feed.news(now) == [later]
    assert feed.news(now) == []


def test_a_feed_goes_on_after_the_event_that_the_browser_saw_last(account, now):
    seen, missed = tell(account, "mailbox:a"), tell(account, "mailbox:a")
    assert Feed(["mailbox:a"], now=now, after_id=seen.pk).news(now) == [missed]


def test_an_event_that_is_committed_after_a_higher_number_is_still_told(account, now):
    feed = Feed(["mailbox:a"], now=now)
    low = tell(account, "mailbox:a")
    number = low.pk
    low.delete()  # stands for: its transaction is not committed yet
    high = tell(account, "mailbox:a")
    assert feed.news(now) == [high]
    Event.objects.bulk_create([Event(pk=number, account=account, kind="message.received", topic="mailbox:a")])
    assert [event.pk for event in feed.news(now)] == [number]
    assert feed.news(now) == []


def test_a_feed_forgets_what_is_older_than_a_minute(account, now):
    feed = Feed(["mailbox:a"], now=now)
    tell(account, "mailbox:a")
    assert len(feed.news(now)) == 1
    assert feed.news(now + timedelta(minutes=2)) == []
    assert feed._told == {}
    assert feed.news(now + timedelta(minutes=2)) == []
