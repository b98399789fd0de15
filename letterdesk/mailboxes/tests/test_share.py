"""R15, R16: when a mailbox becomes shared, and how many may."""

import pytest

from letterdesk.accounts.models import Department, Employee
from letterdesk.events.models import Event
from letterdesk.mailboxes.connect import Server, connect, disconnect, transfer
from letterdesk.mailboxes.models import Grant, Mailbox
from letterdesk.mailboxes.share import NotShareable, grant, revoke, shared_mailboxes
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.models import Subscription
from tests.rig.together import at_once, refused

from .conftest import employ

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(account, now):
    """An account on its trial, where three mailboxes may be shared."""
    Subscription.objects.update(plan="demo", trial_started_at=now)
    return account


@pytest.fixture
def four(demo, ines, now):
    return [
        connect(
            ines,
            address=f"{number}@acme.example",
            server=Server("imap.acme.example"),
            secret={},
            fetch_days=30,
            by=ines,
            now=now,
        )
        for number in range(4)
    ]


def test_demo_shares_three_mailboxes_and_refuses_the_fourth(four, ines, jonas, demo, now):
    for mailbox in four[:3]:
        grant(mailbox, to=jonas, by=ines, now=now)
    assert shared_mailboxes(demo) == 3
    for to in (jonas, None, Department.objects.create(account=demo, name="Sales")):
        with pytest.raises(LimitReached, match="3 shared mailboxes"):
            grant(four[3], to=to, by=ines, now=now)
    assert not four[3].grants.exists()


def test_more_people_for_a_shared_mailbox_take_no_place(four, ines, jonas, demo, now):
    for mailbox in four[:3]:
        grant(mailbox, to=jonas, by=ines, now=now)
    grant(four[0], to=employ(demo, "Otto"), by=ines, now=now)
    grant(four[0], to=None, by=ines, now=now)
    grant(four[0], to=jonas, by=ines, now=now, may_manage=True)
    assert shared_mailboxes(demo) == 3
    assert Grant.objects.get(mailbox=four[0], employee=jonas).may_manage


def test_the_last_grant_taken_away_frees_the_place(four, ines, jonas, demo, now):
    given = [grant(mailbox, to=jonas, by=ines, now=now) for mailbox in four[:3]]
    second = grant(four[0], to=None, by=ines, now=now)
    revoke(given[0], by=ines)
    with pytest.raises(LimitReached):
        grant(four[3], to=jonas, by=ines, now=now)
    revoke(second, by=ines)
    assert grant(four[3], to=jonas, by=ines, now=now)
    revoke(second, by=ines)  # twice is once
    assert Event.objects.filter(kind="mailbox.unshared").count() == 2


@pytest.mark.parametrize("way", ["transfer", "disconnect"])
def test_a_mailbox_that_nobody_else_uses_any_more_frees_its_place_too(four, ines, jonas, demo, now, way):
    for mailbox in four[:3]:
        grant(mailbox, to=jonas, by=ines, now=now)
    if way == "transfer":
        transfer(four[0], jonas, by=ines, now=now)
    else:
        disconnect(four[0], by=ines)
    assert shared_mailboxes(demo) == 2
    assert grant(four[3], to=jonas, by=ines, now=now)


def test_the_other_plans_share_without_end(account, four, ines, jonas, now):
    Subscription.objects.update(plan="start")
    for mailbox in four:
        grant(mailbox, to=jonas, by=ines, now=now)


def test_sharing_of_another_account_does_not_count(four, ines, jonas, stranger, now):
    other = Mailbox.objects.create(account=stranger.account, owner=stranger, address="x@y.example", name="X")
    grant(other, to=None, by=stranger, now=now)
    assert shared_mailboxes(ines.account) == 0


def test_only_active_people_and_departments_of_the_company_are_given_access(mailbox, ines, jonas, stranger, now):
    foreign = Department.objects.create(account=stranger.account, name="Sales")
    Employee.objects.filter(pk=jonas.pk).update(dismissed_at=now, is_active=False)
    for to in (stranger, foreign, ines, jonas):
        with pytest.raises(NotShareable):
            grant(mailbox, to=to, by=ines, now=now)
    assert not Grant.objects.exists()


def test_without_webmail_in_the_plan_nothing_is_shared(mailbox, ines, jonas, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    Subscription.objects.update(plan="free")
    with pytest.raises(NotInPlan):
        grant(mailbox, to=None, by=ines, now=now)


def test_a_disconnected_mailbox_is_not_shared_anew(mailbox, ines, jonas, now):
    stale = Mailbox.objects.get(pk=mailbox.pk)
    disconnect(mailbox, by=ines)
    with pytest.raises(NotShareable):
        grant(stale, to=jonas, by=ines, now=now)


def test_granting_and_revoking_are_told_with_whom_and_what(mailbox, ines, jonas, now):
    revoke(grant(mailbox, to=jonas, by=ines, now=now, may_reply=False), by=ines)
    shared, unshared = Event.objects.order_by("pk")
    assert (shared.kind, shared.subject) == ("mailbox.shared", f"employee:{jonas.public_id}")
    assert shared.facts == {"may_reply": False, "may_manage": False, "may_delete_on_server": False}
    assert (unshared.kind, unshared.by) == ("mailbox.unshared", ines)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_grants_at_once_just_one_takes_the_last_place(four, ines, jonas, demo, now):  # R16
    for mailbox in four[:2]:
        grant(mailbox, to=jonas, by=ines, now=now)
    free = four[2:]
    acts = [lambda each=each: grant(each, to=jonas, by=ines, now=now) for each in free]
    assert refused(at_once(acts, refusal=LimitReached)) == 1
    assert shared_mailboxes(demo) == 3
