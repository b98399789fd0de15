"""R11 against a real server: from the second in which the plan ends nothing is stored, sent, or kept open."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Mailbox, MailboxState, Message, PendingChange
from letterdesk.plans.limits import NotInPlan
from letterdesk.plans.models import Subscription
from letterdesk.sync import fence, lease
from letterdesk.sync.connections import guard, login_of
from letterdesk.sync.models import Lease
from letterdesk.sync.passes import sync_mailbox
from tests.rig.acting import throw_away
from tests.rig.boxes import letter
from tests.rig.dovecot import wait_until
from tests.rig.oracle import destroyed
from tests.rig.world import make_account

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
    with Connection.open(login_of(copy.mailbox), guard(), timeout=5) as connection:
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
    with Connection.open(login_of(copy.mailbox), guard(), timeout=5) as connection:
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
