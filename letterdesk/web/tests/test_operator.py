"""Operators see all accounts in numbers; for all others there is no such page."""

import pytest

from letterdesk.accounts.close import close
from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Account
from letterdesk.accounts.operators import appoint
from letterdesk.events.models import Event
from letterdesk.tenancy import accounts as accounts_page
from letterdesk.tenancy.accounts import accounts_for, page_of


@pytest.fixture
def operator(people, sign_in):
    """The team-mate runs the installation, too."""
    appoint(people["mate"], is_operator=True)
    return sign_in(people["mate"])


def test_an_operator_sees_every_account_in_numbers_and_no_letter(
    operator, things, people, account, now, django_assert_max_num_queries
):
    close(Account.objects.get(name="Other"), typed="other", by=None, now=now)
    with django_assert_max_num_queries(14):
        page = operator.get("/operator/accounts").content.decode()
    assert "Acme" in page and "Other" in page and "deleted on" in page
    assert things.letter.subject not in page and "okafor" not in page
    assert "Other" not in operator.get("/operator/accounts?q=acm").content.decode()


def test_the_right_ends_with_the_flag_and_with_the_job(operator, people, now):
    mate = people["mate"]
    assert accounts_for(mate).count() == 2
    appoint(mate, is_operator=False)
    assert operator.get("/operator/accounts").status_code == 404 and not accounts_for(mate).exists()
    appoint(mate, is_operator=True)
    dismiss(mate, by=people["administrator"], now=now)
    assert not accounts_for(mate).exists()
    kinds = Event.objects.filter(kind__startswith="operator.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["operator.granted", "operator.revoked", "operator.granted"]


def test_pages_follow_each_other_by_key(people, monkeypatch):
    monkeypatch.setattr(accounts_page, "PER_PAGE", 1)
    appoint(people["mate"], is_operator=True)
    seen, after = [], ""
    while True:
        shown, after = page_of(accounts_for(people["mate"]), after=after)
        seen += [account.name for account in shown]
        if not after:
            break
    assert sorted(seen) == ["Acme", "Other"] and len(seen) == 2
