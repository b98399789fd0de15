"""R11: the plan in force is a function of the subscription and the clock."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.accounts.models import Account
from letterdesk.events.models import Event
from letterdesk.plans.catalogue import catalogue, terms_of
from letterdesk.plans.change import NotPossible, change_plan, choose_next, end_trial, settle
from letterdesk.plans.limits import plan_of
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import Turn, plan_at, turn_of, turned, webmail_ended_at, without_webmail

from .conftest import NOW

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)
MONTH = 30 * DAY


@pytest.fixture
def trial(on_plan, now):
    """An account whose trial began now."""
    return on_plan("demo", trial_started_at=now)


def test_the_trial_turns_to_free_after_30_times_24_hours(trial, now):  # R11
    assert turn_of(trial.subscription) == Turn(now + MONTH, "free")
    assert plan_at(trial.subscription, now + MONTH - SECOND) == "demo"
    assert plan_at(trial.subscription, now + MONTH) == "free"


def test_a_plan_chosen_before_begins_when_the_trial_ends_and_not_sooner(trial, now):  # R11
    choose_next(trial, "crm", at=None, by=None, now=now + DAY)
    assert plan_of(trial, now=now + MONTH - SECOND).key == "demo"
    assert plan_of(trial, now=now + MONTH).key == "crm"
    choose_next(trial, "", at=None, by=None, now=now + 2 * DAY)
    assert plan_of(trial, now=now + MONTH).key == "free"


def test_a_plan_chosen_for_a_later_day_does_not_prolong_the_trial(trial, now):
    choose_next(trial, "crm", at=now + 40 * DAY, by=None, now=now)
    assert plan_of(trial, now=now + MONTH).key == "crm"
    choose_next(trial, "crm", at=now + 3 * DAY, by=None, now=now)
    assert plan_of(trial, now=now + 3 * DAY).key == "crm"


def test_the_operator_ends_a_trial_and_no_other_plan(trial, on_plan, now):  # R11
    assert end_trial(trial, by=None, now=now + DAY).plan == "free"
    assert plan_of(trial, now=now + DAY).key == "free"
    with pytest.raises(NotPossible):
        end_trial(trial, by=None, now=now + DAY)
    with pytest.raises(NotPossible):
        end_trial(on_plan("crm"), by=None, now=now)


def test_ending_a_trial_begins_what_was_chosen_before(trial, now):
    choose_next(trial, "start", at=None, by=None, now=now)
    assert end_trial(trial, by=None, now=now + DAY).plan == "start"


@pytest.mark.parametrize(("plan", "after"), [("crm", None), ("crm", timedelta()), ("demo", DAY)])
def test_what_cannot_follow_is_refused(on_plan, now, plan, after):
    account = on_plan("standard")
    with pytest.raises(NotPossible):
        choose_next(account, plan, at=None if after is None else now + after, by=None, now=now)
    assert Subscription.objects.get().next_plan == ""


def test_settling_writes_down_what_was_true_before_and_tells_it_once(trial, now):
    assert not settle(trial, now=now + MONTH - SECOND)
    assert list(turned(now + MONTH)) == [trial.subscription]
    assert settle(trial, now=now + MONTH + DAY)
    assert not settle(trial, now=now + MONTH + DAY)
    assert not turned(now + MONTH + DAY)
    subscription = Subscription.objects.get()
    assert (subscription.plan, subscription.since) == ("free", now + MONTH)
    assert subscription.webmail_ended_at == now + MONTH
    assert Event.objects.get(kind="plan.changed").facts == {"before": "demo", "after": "free"}


def test_webmail_has_been_gone_since_the_first_plan_without_it(on_plan, now):  # R12: the grace time counts from there
    account = on_plan("crm")
    assert webmail_ended_at(account.subscription, now) is None
    change_plan(account, "free", by=None, now=now)
    change_plan(account, "project", by=None, now=now + DAY)
    assert webmail_ended_at(Subscription.objects.get(), now + 2 * DAY) == now
    change_plan(account, "start", by=None, now=now + 3 * DAY)
    assert webmail_ended_at(Subscription.objects.get(), now + 4 * DAY) is None


def test_a_change_at_once_forgets_what_was_chosen_for_later(on_plan, now):
    account = on_plan("professional")
    choose_next(account, "free", at=now + DAY, by=None, now=now)
    change_plan(account, "standard", by=None, now=now)
    assert plan_of(account, now=now + 2 * DAY).key == "standard"


KEYS = ("free", "project", "start", "demo")
HOURS = st.none() | st.integers(min_value=-31 * 24, max_value=1).map(lambda hours: timedelta(hours=hours))
STANDING = st.tuples(st.sampled_from(KEYS), HOURS, st.sampled_from(("", *KEYS[:3])), HOURS)


@given(rows=st.lists(STANDING, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_query_for_all_accounts_says_the_same_as_the_function_for_each(db, commercial, rows):
    Account.objects.all().delete()
    for plan, started, next_plan, begins in rows:
        Subscription.objects.create(
            account=Account.objects.create(name="A"),
            plan=plan,
            trial_started_at=None if started is None else NOW + started,
            next_plan=next_plan,
            next_at=None if begins is None else NOW + begins,
        )
    every = list(Subscription.objects.all())
    refused = {each for each in every if not terms_of(catalogue().plan(plan_at(each, NOW))).has_integration}
    assert set(without_webmail(NOW)) == refused
    assert {each for each in every if webmail_ended_at(each, NOW)} == refused
    turns = {each: turn_of(each) for each in every}
    assert set(turned(NOW)) == {each for each, turn in turns.items() if turn and turn.at <= NOW}


def test_in_a_catalogue_of_one_plan_nobody_is_without_webmail(on_plan, settings, now):
    on_plan("free")
    settings.CATALOGUE = "self-hosted"
    assert not without_webmail(now)
