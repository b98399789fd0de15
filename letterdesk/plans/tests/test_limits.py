from datetime import timedelta
from functools import partial

import pytest

from letterdesk.accounts.models import Account, Department
from letterdesk.plans.limits import LimitReached, NotInPlan, PlanError, cutoff, locked, require, terms
from letterdesk.plans.models import Subscription
from tests.rig.together import at_once, refused

from .table import FIELDS, INTEGRATION, KEYS, NAMES, ROWS

WITH = [name for name in NAMES if ROWS[INTEGRATION][name] == "yes"]
WITHOUT = [name for name in NAMES if name not in WITH]


def limit(label: str, name: str) -> int | None:
    text = ROWS[label][name]
    return None if text == "unlimited" else int(text)


@pytest.mark.parametrize("name", WITH)
def test_integration_is_available(on_plan, name):  # R1
    require(on_plan(KEYS[name]), integration=True)


@pytest.mark.parametrize("name", WITHOUT)
@pytest.mark.parametrize("wish", [{"integration": True}, {"mailboxes": 1}, {"shared_mailboxes": 1}, {"fetch_days": 1}])
def test_where_there_is_no_integration_every_entrance_is_refused_with_the_way_out(on_plan, name, wish):  # R2 R3
    with pytest.raises(NotInPlan) as refused:
        require(on_plan(KEYS[name]), **wish)
    assert name in refused.value.text
    assert refused.value.way_out == "Start+, CRM+, Standard and Professional allow it: compare the plans."
    assert refused.value.upgrade_url == "/plans"


WISHES = {
    "Connected mailboxes per employee": "mailboxes",  # R14
    "Shared mailboxes per account": "shared_mailboxes",  # R15
    "Days of mail fetched when a mailbox is connected, at most": "fetch_days",  # R21
}


@pytest.mark.parametrize("name", WITH)
@pytest.mark.parametrize("label", WISHES)
def test_the_limit_is_reachable_to_the_last_and_not_beyond(on_plan, label, name):  # R14 R15 R21
    account, most, wish = on_plan(KEYS[name]), limit(label, name), WISHES[label]
    if most is None:
        require(account, **{wish: 1_000_000_000})
        return
    require(account, **{wish: most})
    with pytest.raises(LimitReached) as refused:
        require(account, **{wish: most + 1})
    assert refused.value.limit == most
    assert refused.value.wanted == most + 1
    assert str(most) in refused.value.text
    assert name in refused.value.text
    assert refused.value.upgrade_url == "/plans"


@pytest.mark.parametrize("name", WITH)
def test_everything_is_more_than_any_number_of_days(on_plan, name):  # R21
    with pytest.raises(LimitReached, match="all mail"):
        require(on_plan(KEYS[name]), fetch_days="all")


def test_without_limits_everything_is_allowed(db, settings):
    settings.CATALOGUE = "self-hosted"
    account = Account.objects.create(name="Own")
    require(account, integration=True, mailboxes=10_000, shared_mailboxes=10_000, fetch_days="all")


def test_the_way_out_names_the_plans_that_allow_it(on_plan):
    with pytest.raises(LimitReached) as refused:
        require(on_plan("start"), mailboxes=6)
    assert refused.value.text == "Your plan Start+ allows 1 connected mailbox per person; this would be number 6."
    assert refused.value.way_out == "Disconnect one first. Professional allows it: compare the plans."
    with pytest.raises(PlanError) as refused:
        require(on_plan("professional"), mailboxes=11)
    assert refused.value.way_out == "Disconnect one first. No plan allows more."


@pytest.mark.parametrize("name", WITH)
def test_a_letter_leaves_when_its_days_are_over_to_the_second(on_plan, now, name):  # R18 R19 R20
    days = limit("Days a message stays in Webmail", name)
    received_at = now - timedelta(days=days)
    account = on_plan(KEYS[name])
    assert received_at <= cutoff(account, now)
    assert received_at > cutoff(account, now - timedelta(seconds=1))


@pytest.mark.parametrize("name", WITHOUT)
def test_where_there_is_no_webmail_nothing_is_shown(on_plan, now, name):  # R2
    assert cutoff(on_plan(KEYS[name]), now) == now


def test_without_limits_nothing_ever_leaves(db, settings, now):
    settings.CATALOGUE = "self-hosted"
    assert cutoff(Account.objects.create(name="Own"), now) is None


def test_the_trial_ends_after_30_times_24_hours_to_the_second_though_no_job_ran(on_plan, now):  # R11
    account = on_plan("demo", trial_started_at=now)
    end = now + timedelta(hours=30 * 24)
    require(account, integration=True, now=end - timedelta(seconds=1))
    with pytest.raises(NotInPlan, match="Free"):
        require(account, integration=True, now=end)
    assert terms(account, now=end).key == "free"
    assert cutoff(account, end) == end
    assert Subscription.objects.get(account=account).plan == "demo"  # no row was touched


def test_a_plan_chosen_before_the_end_of_the_trial_holds_after_it(on_plan, now):  # R11
    account = on_plan("crm", trial_started_at=now)
    assert terms(account, now=now + timedelta(days=31)).key == "crm"


@pytest.mark.case("F01")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_fifty_at_once_take_exactly_the_places_that_there_are(commercial, round_):  # R14 R16
    """Departments stand for the mailboxes of an employee, which a higher room counts."""
    account = Account.objects.create(name="Acme")
    Subscription.objects.create(account=account, plan="professional")

    def connect(number: int) -> None:
        with locked(account):
            require(account, mailboxes=Department.objects.filter(account=account).count() + 1)
            Department.objects.create(account=account, name=f"Mailbox {number}")

    outcomes = at_once([partial(connect, number) for number in range(50)], refusal=LimitReached)
    assert (len(outcomes), refused(outcomes)) == (50, 40)
    assert Department.objects.filter(account=account).count() == 10


def test_the_lock_serves_an_account_without_a_subscription_too(db, settings):
    settings.CATALOGUE = "self-hosted"
    account = Account.objects.create(name="Own")
    with locked(account) as subscription:
        assert subscription.plan == "self-hosted"


def test_asking_costs_one_query(on_plan, now, django_assert_num_queries):
    account = on_plan("crm")
    with django_assert_num_queries(1):
        cutoff(account, now)


def test_all_labels_of_the_table_are_proved():
    assert set(WISHES) < set(FIELDS)
