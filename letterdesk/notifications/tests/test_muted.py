"""A conversation that somebody has muted: they hear nothing of it, unless they are called, or it is given to them."""

import pytest
from django.utils import timezone

from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.undoing import take_back
from letterdesk.notifications.lines import unseen_count
from letterdesk.notifications.models import Level
from letterdesk.notifications.seen import see_muted
from letterdesk.notifications.wishes import choose_levels
from letterdesk.team import comments
from letterdesk.team.following import follow
from letterdesk.team.verbs import assigning
from letterdesk.web.tests.conftest import raw_letter

from .test_colleagues import fresh, offer, omar, support  # noqa: F401  fixtures


@pytest.fixture
def mute(now):
    return lambda conversation, by: act([Chosen(conversation.pk, None)], Wish("mute", by, now))


@pytest.fixture
def answered(deliver):
    return lambda text="Yes": deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", text=text))


def test_new_letters_in_it_are_not_told_and_others_are(fresh, offer, ines, omar, mailbox, mute, answered, deliver):  # noqa: F811
    choose_levels(omar, {mailbox: Level.ALL})
    follow(offer, employee=omar)
    for each in (ines, omar):
        mute(offer, each)
    answered()
    assert fresh(ines) == fresh(omar) == []
    deliver(raw_letter("Order"))
    assert fresh(ines) == fresh(omar) == [("letters", "1 new letter in Ines", "Amara: Order")]


def test_it_is_ones_own_and_undo_brings_all_back(fresh, offer, ines, omar, mute, answered, now):  # noqa: F811
    follow(offer, employee=omar)
    action = mute(offer, ines)
    answered()
    assert fresh(ines) == [] and [kind for kind, *_ in fresh(omar)] == ["answer"]
    take_back(action, by=ines, now=now)
    answered("Well?")
    assert [kind for kind, *_ in fresh(ines)] == ["letters"]


def test_who_is_called_or_gets_it_is_told_all_the_same(fresh, offer, ines, omar, support, mute, answered, now):  # noqa: F811
    mute(offer, omar)
    act([Chosen(offer.pk, None)], assigning(support, Wish("assign", ines, now)))
    comments.add(offer, "Well?", by=ines, now=now)
    answered()
    assert fresh(omar) == []
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    act([Chosen(offer.pk, None)], assigning(omar, Wish("assign", ines, now)))
    comments.add(offer, "Well?", by=ines, now=now)
    answered("Well?")
    assert {kind for kind, *_ in fresh(omar)} == {"mention", "assigned"}


def test_what_was_told_of_it_is_seen_but_not_that_one_is_called(fresh, offer, ines, omar, mute, answered, now):  # noqa: F811
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    answered()
    assert {kind for kind, *_ in fresh(omar)} == {"mention", "answer"}
    mute(offer, omar)
    see_muted(omar, now=timezone.now())
    assert {kind for kind, *_ in fresh(omar)} == {"mention"} and unseen_count(omar, timezone.now()) == 1
    assert [kind for kind, *_ in fresh(ines)] == ["answer"]  # of others nothing is seen
