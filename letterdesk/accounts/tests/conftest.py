from datetime import UTC, datetime

import pytest

from letterdesk.accounts import history
from letterdesk.accounts.models import Account, Employee, Role

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PASSWORD = "a long enough password"


@pytest.fixture
def told():
    """What is told to the floor above: (kind, facts) each."""
    before, heard = list(history._tellers), []
    history.told_by(lambda kind, **facts: heard.append((kind, facts)))
    yield heard
    history._tellers[:] = before


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def account(db) -> Account:
    return Account.objects.create(name="Acme")


@pytest.fixture
def administrator(account) -> Employee:
    return Employee.objects.create_user(
        "ines@acme.example", PASSWORD, account=account, name="Ines", role=Role.ADMINISTRATOR
    )


@pytest.fixture
def colleague(account) -> Employee:
    return Employee.objects.create_user("jonas@acme.example", PASSWORD, account=account, name="Jonas")


@pytest.fixture
def stranger(db) -> Employee:
    other = Account.objects.create(name="Other")
    return Employee.objects.create_user(
        "eve@other.example", PASSWORD, account=other, name="Eve", role=Role.ADMINISTRATOR
    )
