from datetime import UTC, datetime

import pytest

from letterdesk.accounts.models import Account
from letterdesk.plans.models import Subscription

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def commercial(settings):
    settings.CATALOGUE = "commercial"
    return settings


@pytest.fixture
def on_plan(db, commercial):
    """Give an account on the plan of that key."""

    def make(key: str, **fields) -> Account:
        account = Account.objects.create(name=f"On {key}")
        Subscription.objects.create(account=account, plan=key, **fields)
        return account

    return make
