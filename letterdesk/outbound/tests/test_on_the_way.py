"""Where a letter was written it is told of until it is out, to those who may see it."""

import pytest

from letterdesk.outbound.models import Delivery, State
from letterdesk.outbound.on_the_way import on_the_way
from letterdesk.outbound.send import send

DEAL = "deal:x"


@pytest.fixture
def delivery(draft, ines, now):
    sent = send(draft, by=ines, seen=draft.version, now=now)
    Delivery.objects.filter(pk=sent.pk).update(about=DEAL)
    return sent


def test_it_is_told_to_those_who_may_see_it(delivery, ines, colleague, stranger, django_assert_num_queries):
    assert on_the_way(DEAL, ines) == on_the_way(DEAL, colleague) == [delivery]
    assert on_the_way(DEAL, stranger) == []
    with django_assert_num_queries(1):
        assert on_the_way("deal:other", ines) == []


def test_once_it_is_out_it_is_told_of_only_where_it_did_not_arrive(delivery, ines, now):
    Delivery.objects.filter(pk=delivery.pk).update(state=State.SENT)
    assert on_the_way(DEAL, ines) == []
    Delivery.objects.filter(pk=delivery.pk).update(trouble_at=now)
    assert on_the_way(DEAL, ines) == [delivery]
