"""R11 against a real server: from the second in which the plan ends nothing is stored, sent, or kept open."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.mailboxes.fit import fit
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Mailbox, MailboxState, Message, PendingChange, Tombstone
from letterdesk.mailboxes.retention import holds
from letterdesk.plans.change import change_plan
from letterdesk.plans.limits import NotInPlan
from letterdesk.plans.models import Subscription
from letterdesk.sync import fence, lease
from letterdesk.sync.connections import guard, sign_in
from letterdesk.sync.models import Lease
from letterdesk.sync.once import NotSyncable
from letterdesk.sync.passes import sync_mailbox
from tests.rig.acting import throw_away
from tests.rig.boxes import letter
from tests.rig.dovecot import wait_until
from tests.rig.oracle import destroyed
from tests.rig.world import make_account, make_mailbox

from .test_watching import QUICK, arrives, watching

DAY = timedelta(hours=24)


@pytest.fixture
def copy(connected, dovecot, settings):
    """A mailbox of an account on trial, with three letters."""
    settings.CATALOGUE = "commercial"
    copy = connected(dovecot, account=make_account(plan="demo"))
    trial_ends_in(copy, 10 * DAY)
    copy.deliver([letter(number) for number in range(3)])
    return copy


def trial_ends_in(copy, left):
    """Move the end of the trial to that time from now."""
    began = timezone.now() + left - 30 * DAY
    Subscription.objects.filter(account=copy.mailbox.account).update(trial_started_at=began)


@pytest.mark.dovecot
def test_from_that_second_nothing_is_stored_though_no_job_has_run(copy):  # R11
    copy.settle()
    copy.deliver([letter(7)])
    held = lease.acquire(copy.mailbox, holder="slow", seconds=3600 * 24 * 40)
    with sign_in(copy.mailbox, guard(), timeout=5) as connection:
        with time_machine.travel(timezone.now() + 11 * DAY, tick=True), pytest.raises(NotInPlan):
            sync_mailbox(copy.mailbox, connection, fence=held, now=timezone.now())
        assert Message.objects.count() == 3
        sync_mailbox(copy.mailbox, connection, fence=held, now=timezone.now())
    assert Message.objects.count() == 4  # the same pass, a moment before


@pytest.mark.dovecot
def test_a_transaction_in_which_the_trial_ends_is_not_committed(copy):  # R11: fenced at the commit, too
    held = lease.acquire(copy.mailbox, holder="slow", seconds=60)

    def store_while_the_trial_ends():
        with time_machine.travel(timezone.now(), tick=False) as clock, fence.guarded(copy.mailbox, held):
            Mailbox.objects.filter(pk=copy.mailbox.pk).update(name="stored")
            clock.shift(11 * DAY)

    with pytest.raises(NotInPlan):
        store_while_the_trial_ends()
    assert Mailbox.objects.get().name != "stored"


@pytest.mark.dovecot
def test_what_people_wanted_is_not_sent_any_more(copy, dovecot):  # R11, P4
    copy.settle()
    throw_away(copy, 1)
    held = lease.acquire(copy.mailbox, holder="slow", seconds=3600 * 24 * 40)
    before = copy.truth()
    with sign_in(copy.mailbox, guard(), timeout=5) as connection:
        trial_ends_in(copy, -timedelta(seconds=1))
        with pytest.raises(NotInPlan):
            sync_mailbox(copy.mailbox, connection, fence=held, now=timezone.now() + DAY)
    assert PendingChange.objects.exists()
    assert copy.truth() == before
    assert destroyed(dovecot.commands(copy.user)) == {}


def sessions(copy):
    """How many connections of this user the server has open, without the rig's own that delivers."""
    return copy.server.doveadm("who", "-1", copy.user.name).count(copy.user.name) - 1


@pytest.mark.dovecot
@pytest.mark.parametrize("poll", [0.5, 3600.0])
def test_connections_are_closed_by_the_clock_alone(copy, poll):  # R11: within 60 s
    with watching(replace(QUICK, poll=poll)):
        arrives(copy, 3)
        wait_until(lambda: sessions(copy) > 0, timeout=10)
        trial_ends_in(copy, timedelta(seconds=1))
        wait_until(lambda: sessions(copy) == 0, timeout=10)
        copy.deliver([letter(8)])
        wait_until(lambda: Lease.objects.get().holder == "", timeout=5)
    assert Message.objects.count() == 3
    assert Mailbox.objects.get().state == MailboxState.CONNECTED  # no job has run


def go(copy, plan):
    """The operator puts the account on a plan, and what follows is done."""
    change_plan(copy.mailbox.account, plan, by=None, now=copy.now)
    dispatch(copy.now)
    follow(now=copy.now)
    dispatch(copy.now)


def received(copy):
    """Facts of the events that say which letters came, in their order."""
    return list(Event.objects.filter(kind="message.received").order_by("pk").values_list("facts", flat=True))


@pytest.mark.dovecot
def test_a_month_without_webmail_leaves_the_server_alone_and_an_upgrade_brings_all_back(copy, dovecot):  # R10 R12 R13
    copy.settle()
    before = copy.truth()
    held = copy.placements()[0].message
    holds.add(held, reason="task", reference="task:1", now=copy.now)
    go(copy, "free")
    assert [message.pk for message in copy.messages()] == [held.pk]
    assert copy.truth() == before
    assert destroyed(dovecot.commands(copy.user)) == {}  # P4, R26
    copy.deliver([letter(50)])  # while nobody looks
    told = len(received(copy))
    go(copy, "start")
    assert copy.settle().agrees
    copy.agrees_and_stays()
    assert len(copy.messages()) == 4
    assert not Tombstone.objects.exists()
    assert all(facts.get("initial") for facts in received(copy)[told:])  # history: it acts on nothing
    copy.deliver([letter(51)])
    copy.settle()
    assert "initial" not in received(copy)[-1]  # news again
    assert destroyed(dovecot.commands(copy.user)) == {}


@pytest.mark.dovecot
def test_suspended_for_number_it_stays_as_it_is_until_it_is_resumed(copy, dovecot):  # R13
    make_mailbox(dovecot, dovecot.add_user(), account=copy.mailbox.account, connected_at=timezone.now() - DAY)
    copy.settle()
    throw_away(copy, 1)
    go(copy, "start")
    assert Mailbox.objects.get(pk=copy.mailbox.pk).state == MailboxState.SUSPENDED
    copy.deliver([letter(50)])
    with pytest.raises(NotSyncable):
        copy.sync()
    with dovecot.client(copy.user) as other:
        other.enter()
        other.ask("UID", "STORE", "2", "+FLAGS", "(\\Flagged)")
    assert len(copy.messages()) == 3  # readable as before
    assert destroyed(dovecot.commands(copy.user)) == {}
    go(copy, "standard")
    copy.settle()
    assert copy.uids() == [2, 3, 4]  # what its owner threw away before is carried out now
    assert "\\Flagged" in copy.flags(2)
    copy.agrees()


@pytest.mark.dovecot
def test_a_watched_mailbox_is_let_go_when_it_is_suspended(copy):  # R11, R13
    with watching():
        arrives(copy, 3)
        wait_until(lambda: sessions(copy) > 0, timeout=10)
        change_plan(copy.mailbox.account, "free", by=None, now=copy.now)
        fit(copy.mailbox.account, now=copy.now)
        wait_until(lambda: sessions(copy) == 0, timeout=10)
