"""Operators see all accounts in numbers; for all others there is no such page."""

from datetime import UTC, datetime, timedelta

import pytest

from letterdesk.accounts.close import close
from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Account
from letterdesk.accounts.operators import appoint
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Receipt
from letterdesk.mailboxes.retention import receipts
from letterdesk.plans.limits import plan_of
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import letters_go_at
from letterdesk.tenancy import accounts as accounts_page
from letterdesk.tenancy import operate
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


def acts(other):
    """What operators did to the account, as its record has it."""
    return [each.facts["act"] for each in Event.objects.filter(kind="operator.acted", account=other).order_by("pk")]


def test_the_page_of_an_account_shows_plan_and_receipts_and_no_letter(
    operator, things, account, mailbox, now, django_assert_max_num_queries
):
    receipts.write(mailbox, ["a" * 64], rule="R9", now=now)
    with django_assert_max_num_queries(28):
        page = operator.get(f"/operator/accounts/{account.public_id}?to=free").content.decode()
    assert "the chain is whole" in page and mailbox.address in page and "Change to" in page
    assert things.letter.subject not in page and "okafor" not in page and things.task.title not in page
    Receipt.objects.update(count=5)
    assert "the chain is broken" in operator.get(f"/operator/accounts/{account.public_id}").content.decode()


def test_an_operator_changes_the_plan_and_ends_a_trial_on_record(operator, people, now):  # R11
    other = Account.objects.get(name="Other")
    Subscription.objects.update_or_create(account=other, defaults={"plan": "demo", "trial_started_at": now})
    address = f"/operator/accounts/{other.public_id}/acts"
    operator.post(address, {"act": "follow", "to": "start"})
    assert plan_of(other, now=now + timedelta(days=31)).key == "start"
    assert (
        "From the end of the trial on" in operator.get(f"/operator/accounts/{other.public_id}?to=crm").content.decode()
    )
    operator.post(address, {"act": "end_trial"})
    assert plan_of(other, now=now).key == "start"
    operator.post(address, {"act": "end_trial"})  # refused: nothing is done, and nothing is on record
    operator.post(address, {"act": "plan", "to": "no-such-plan"})
    operator.post(address, {"act": "plan", "to": "crm"})
    assert plan_of(other, now=now).key == "crm" and acts(other) == ["follow", "end_trial", "plan"]
    told = Event.objects.filter(kind="operator.acted").values_list("facts__operator", "by").distinct()
    assert list(told) == [(people["mate"].email, None)]


def test_an_operator_gives_more_time_on_record(operator, now):  # R11, R12
    other = Account.objects.get(name="Other")
    Subscription.objects.update_or_create(account=other, defaults={"plan": "demo", "trial_started_at": now})
    page = f"/operator/accounts/{other.public_id}"
    assert "The trial lasts to the end of" in operator.get(page).content.decode()
    for until in ("", "2001-01-01", "2099-13-01", "9999-12-31"):
        operator.post(f"{page}/acts", {"act": "extend_trial", "until": until})
    operator.post(f"{page}/acts", {"act": "extend_grace", "until": "2099-06-30"})  # it has Webmail
    assert acts(other) == [] and plan_of(other, now=now + timedelta(days=31)).key == "free"
    operator.post(f"{page}/acts", {"act": "extend_trial", "until": "2099-06-30"})
    assert plan_of(other, now=now + timedelta(days=400)).key == "demo"
    operator.post(f"{page}/acts", {"act": "plan", "to": "free"})
    assert "Letters are kept to the end of" in operator.get(page).content.decode()
    operator.post(f"{page}/acts", {"act": "extend_grace", "until": "2099-06-30"})
    go_at = letters_go_at(Subscription.objects.get(account=other), now)
    assert go_at == datetime(2099, 7, 1, tzinfo=UTC)
    assert acts(other) == ["extend_trial", "plan", "extend_grace"]


def test_more_time_is_shown_before_it_is_given(operator, account, now):
    Subscription.objects.update_or_create(account=account, defaults={"plan": "demo", "trial_started_at": now})
    page = f"/operator/accounts/{account.public_id}"
    told = operator.get(f"{page}?until=2099-06-30").content.decode()
    assert "Extend the trial" in told and "Jul 2099" in told and "instead of" in told
    assert "Extend the trial" not in operator.get(page).content.decode()
    for refused in ("2001-01-01", "no-day"):
        told = operator.get(f"{page}?until={refused}").content.decode()
        assert 'id="until-error"' in told and "Extend the trial" not in told
    Subscription.objects.filter(account=account).update(plan="standard", trial_started_at=None)
    assert 'id="more-time"' not in operator.get(f"{page}?until=2099-06-30").content.decode()
    assert acts(account) == [] and Subscription.objects.get(account=account).trial_extended_to is None


def test_an_operator_closes_an_account_and_takes_that_back(operator, people):
    other = Account.objects.get(name="Other")
    address = f"/operator/accounts/{other.public_id}/acts"
    assert operator.post(address, {"act": "close", "name": "Acme"}).status_code == 422
    operator.post(address, {"act": "close", "name": "other"})
    other.refresh_from_db()
    assert other.is_closed and "Take the deletion back" in operator.get(address.removesuffix("/acts")).content.decode()
    operator.post(address, {"act": "reopen"})
    other.refresh_from_db()
    assert not other.is_closed and acts(other) == ["close", "reopen"]
    assert operator.post(address, {"act": "else"}).status_code == 404
    with pytest.raises(operate.NotForYou):
        operate.reopen(other, by=people["administrator"])


def test_an_operator_switches_off_where_links_lead_also_after_the_purge(operator, account, now):
    page = f"/operator/accounts/{account.public_id}"
    assert "Switch the links off" in operator.get(page).content.decode()
    assert operator.post(f"{page}/acts", {"act": "links_off"}).status_code == 302
    Account.objects.filter(pk=account.pk).update(purged_at=now)
    assert "Let them lead where they led" in operator.get(page).content.decode()
    operator.post(f"{page}/acts", {"act": "links_on"})
    account.refresh_from_db()
    assert account.links_off_at is None
    acts = Event.objects.filter(kind="operator.acted").order_by("pk")
    assert [each.facts["act"] for each in acts] == ["links_off", "links_on"]
