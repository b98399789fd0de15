"""What is told of a plan before it changes, and after it has."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.plans.catalogue import catalogue, terms_of
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.models import Subscription
from letterdesk.plans.notices import due, notice_of, takes_away, tell, to_tell
from letterdesk.plans.tests.test_editions import BEGINS, SMALLER, TWO, sell  # noqa: F401  fixture

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before", "after", "takes"),
    [("demo", "free", True), ("crm", "project", True), ("professional", "standard", True), ("crm", "start", True),
     ("free", "start", False), ("standard", "professional", False), ("start", "crm", False), ("crm", "standard", False),
     ("free", "project", False)],
)  # fmt: skip
def test_what_takes_something_of_webmail_away(commercial, before, after, takes):
    plans = catalogue().plans
    assert takes_away(terms_of(plans[before]), terms_of(plans[after])) is takes


@pytest.mark.parametrize(
    ("left", "told", "now_due"),
    [(20 * DAY, None, None), (14 * DAY, None, 14), (14 * DAY, 14, None), (8 * DAY, 14, None), (7 * DAY, 14, 7),
     (3 * DAY, None, 7), (DAY, 7, 1), (DAY - SECOND, 1, None), (timedelta(), 7, None), (-DAY, None, None)],
)  # fmt: skip
def test_each_notice_is_due_once_and_missed_ones_are_not_caught_up(now, left, told, now_due):
    assert due(now + left, noticed_days=told, now=now) == now_due


def test_the_end_of_a_trial_is_told_three_times_and_then_that_it_is_over(on_plan, now):
    account = on_plan("demo", trial_started_at=now)
    for day in range(30):
        tell(Subscription.objects.get(), now=now + day * DAY)
        tell(Subscription.objects.get(), now=now + day * DAY)
    told = Event.objects.filter(kind="plan.ending").order_by("pk")
    assert [event.facts["days"] for event in told] == [14, 7, 1]
    assert told[0].facts["after"] == "free"
    assert notice_of(account.subscription, now + 15 * DAY) is None
    assert not notice_of(account.subscription, now + 16 * DAY).is_over
    assert notice_of(account.subscription, now + 30 * DAY).is_over
    assert notice_of(account.subscription, now + 44 * DAY + SECOND) is None


def test_a_turn_that_takes_nothing_away_is_not_told(on_plan, now):
    account = on_plan("standard")
    choose_next(account, "professional", at=now + DAY, by=None, now=now)
    subscription = Subscription.objects.get()
    assert tell(subscription, now=now) is None
    assert notice_of(subscription, now) is None


def test_another_choice_is_told_anew(on_plan, now):
    account = on_plan("professional")
    choose_next(account, "start", at=now + DAY, by=None, now=now)
    assert tell(Subscription.objects.get(), now=now) == 1
    choose_next(account, "free", at=now + DAY, by=None, now=now)
    assert tell(Subscription.objects.get(), now=now) == 1
    change_plan(account, "crm", by=None, now=now)
    assert tell(Subscription.objects.get(), now=now) is None


def told(now):
    for each in to_tell(now):
        tell(each, now=now)
    return [event.facts for event in Event.objects.filter(kind="plan.ending").order_by("pk")]


def test_an_edition_that_makes_a_plan_smaller_is_told_three_times(on_plan, sell):  # noqa: F811
    sell(TWO + SMALLER)
    on_plan("small")
    days = []
    for left in range(20, -3, -1):
        facts = told(BEGINS - left * DAY)
        told(BEGINS - left * DAY + SECOND)
        days = [each["days"] for each in facts]
    assert days == [14, 7, 1]
    assert {(each["before"], each["after"]) for each in facts} == {("small", "small")}
    notice = notice_of(Subscription.objects.get(), BEGINS - DAY)
    assert (notice.before.mailboxes_per_employee, notice.after.mailboxes_per_employee) == (2, 1)


def test_an_edition_says_nothing_to_those_whom_it_takes_nothing(on_plan, sell):  # noqa: F811
    sell(TWO + SMALLER)
    on_plan("large")
    assert not to_tell(BEGINS - DAY).exists() and told(BEGINS - DAY) == []
    assert notice_of(Subscription.objects.get(), BEGINS - DAY) is None


def test_the_nearer_of_turn_and_edition_is_told_and_then_the_other(on_plan, sell):  # noqa: F811
    sell(TWO + SMALLER)
    account = on_plan("large")
    choose_next(account, "small", at=BEGINS - 3 * DAY, by=None, now=BEGINS - 20 * DAY)
    facts = told(BEGINS - 4 * DAY)
    assert [(each["days"], each["before"], each["after"]) for each in facts] == [(1, "large", "small")]
    assert [(each["days"], each["before"]) for each in told(BEGINS - 2 * DAY)[1:]] == [(7, "small")]
