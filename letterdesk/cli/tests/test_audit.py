"""`letterdesk audit`: what happened, by account, kind and time."""

from datetime import UTC, datetime

import pytest

from letterdesk.accounts.models import Account
from letterdesk.events.models import Event

from .test_commands import ADA, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_tells_by_account_kind_and_time(monkeypatch):
    monkeypatch.setenv("LETTERDESK_PASSWORD", "a-long-enough-password")
    for name, address in (("Acme", ADA), ("Other", "bob@other.example")):
        run("account", "create", name, "--administrator", address)
    told = run("audit", "--account", "Acme")
    assert {row["kind"] for row in told} >= {"account.created", "employee.joined"}
    assert len(run("audit")) == Event.objects.count() > len(told) == Account.objects.get(name="Acme").events.count()
    assert [row["kind"] for row in run("audit", "--account", "Acme", "--kind", "account.created")] == [
        "account.created"
    ]
    Event.objects.filter(kind="employee.joined").update(at=datetime(2020, 1, 1, tzinfo=UTC))
    recent = run("audit", "--since", "2021-01-01")
    assert "employee.joined" not in {row["kind"] for row in recent} and recent
    assert run("audit", "--kind", "no.such", fails=True)["error"] == "no_such_kind"
