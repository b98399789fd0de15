from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from letterdesk.accounts.join import AddressTaken, NotAnAddress
from letterdesk.accounts.models import Account, Employee
from letterdesk.events.models import Event
from letterdesk.plans.catalogue import UnknownPlan
from letterdesk.plans.change import change_plan
from letterdesk.plans.limits import NotInPlan, require, terms
from letterdesk.plans.open import UnknownTimeZone, open_account
from letterdesk.plans.timeline import trial_ends_at

PASSWORD = "a long enough password"


@pytest.fixture
def opening(commercial, now):
    return {
        "administrator_email": "Ines@Acme.Example",
        "administrator_name": "Ines",
        "password": PASSWORD,
        "time_zone": "Europe/Berlin",
        "now": now,
    }


def test_a_new_account_has_an_administrator_and_is_on_trial(db, opening, now):
    account = open_account("Acme", **opening)
    ines = Employee.objects.get(account=account)
    assert (ines.email, ines.is_administrator, ines.check_password(PASSWORD)) == ("ines@acme.example", True, True)
    assert account.subscription.plan == "demo"
    assert trial_ends_at(account.subscription) == now + timedelta(days=30)
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == ["account.created", "employee.joined"]


def test_an_account_on_a_commercial_plan_has_no_trial(db, opening):
    account = open_account("Acme", plan="crm", **opening)
    assert account.subscription.trial_started_at is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"plan": "gold"}, UnknownPlan),
        ({"time_zone": "Mars/Olympus"}, UnknownTimeZone),
        ({"administrator_email": "no address"}, NotAnAddress),
        ({"password": "short"}, ValidationError),
    ],
)
def test_what_is_wrong_opens_nothing(db, opening, change, error):
    with pytest.raises(error):
        open_account("Acme", **{**opening, **change})
    assert not Account.objects.exists()


def test_an_address_signs_in_to_one_account_only(db, opening):
    open_account("Acme", **opening)
    with pytest.raises(AddressTaken):
        open_account("Other", **{**opening, "administrator_email": "INES@acme.example"})
    assert Account.objects.count() == 1


def test_a_change_of_plan_holds_at_once_and_is_told(db, opening, now):
    account = open_account("Acme", plan="free", **opening)
    with pytest.raises(NotInPlan):
        require(account, integration=True, now=now)
    change_plan(account, "crm", by=None, now=now)
    require(account, integration=True, now=now)
    assert Event.objects.get(kind="plan.changed").facts == {"before": "free", "after": "crm"}


def test_the_trial_does_not_start_anew(db, opening, now):  # R11
    account = open_account("Acme", **opening)
    later = now + timedelta(days=40)
    change_plan(account, "crm", by=None, now=now)
    change_plan(account, "demo", by=None, now=later)
    assert terms(account, now=later).key == "free"


def test_an_unknown_plan_changes_nothing(db, opening, now):
    account = open_account("Acme", plan="crm", **opening)
    with pytest.raises(UnknownPlan):
        change_plan(account, "gold", by=None, now=now)
    assert terms(account, now=now).key == "crm"
