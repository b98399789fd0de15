"""Linking goes along with a first sync and lets it go first: in whole pieces, with rests; its end wakes the other."""

from types import SimpleNamespace

import pytest

from letterdesk.crm import jobs
from letterdesk.crm.jobs import after_receiving
from letterdesk.crm.linking import link
from letterdesk.crm.models import Activity
from letterdesk.events.models import Event

from .conftest import from_amara


@pytest.fixture
def clock(monkeypatch, mailbox):
    """Seconds that a test sets; each look at it takes one."""
    now = SimpleNamespace(seconds=0)

    def monotonic():
        now.seconds += 1
        return now.seconds

    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=monotonic))
    monkeypatch.setattr(jobs, "_rests", {})
    for module in (jobs, link):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    return now


def letters(*names):
    return [from_amara(each, message_id=f"{each}@x") for each in names]


def saved():
    return Activity.objects.count()


def test_whole_pieces_with_rests(amara, come, mailbox, clock):
    come(*letters("1"), look=False)
    jobs.link_along.now(mailbox.pk)
    assert saved() == 0  # more are on their way: it costs half when they are looked at together
    come(*letters(*"2345"), look=False)
    jobs.link_along.now(mailbox.pk)
    assert saved() == 2
    jobs.link_along.now(mailbox.pk)
    assert saved() == 2  # it took a second, and rests for seven
    clock.seconds += jobs.REST
    jobs.link_along.now(mailbox.pk)
    assert saved() == 4
    jobs.link_letters_of.now(mailbox.pk)  # no more are on their way
    assert saved() == 5


@pytest.mark.parametrize("more", [True, False])
def test_what_follows_in_a_moment_is_waited_for(amara, come, clock, committed, more):
    come(*letters("1"), look=False)
    told = Event.objects.filter(kind="message.received").latest("pk")
    told.facts |= {"more": True} if more else {}
    with committed:
        after_receiving(told)
    assert saved() == (0 if more else 1)
