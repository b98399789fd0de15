"""R10, R13: a resumed mailbox is looked at anew, whoever comes first: an old pass, the next one, or the reaction."""

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes import connect
from letterdesk.mailboxes.fit import fit
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.plans.change import change_plan
from letterdesk.plans.models import Subscription
from letterdesk.sync import lease
from letterdesk.sync.connections import guard, sign_in
from letterdesk.sync.lease import LeaseLost
from letterdesk.sync.models import FolderCursor
from letterdesk.sync.passes import sync_mailbox
from tests.rig.boxes import letter
from tests.rig.crashes import Point, dies


@pytest.fixture
def resumed(server, copy, settings):
    """Two letters are here; one more came and a flag was set while the plan had suspended the mailbox. Now it has
    resumed, and no reaction has run."""
    settings.CATALOGUE = "commercial"
    Subscription.objects.filter(account=copy.mailbox.account).update(plan="standard")
    for number in (1, 2):
        server.inbox.add(letter(number), date=copy.now)
    copy.settle()
    go(copy, "free")
    server.inbox.add(letter(3), date=copy.now)
    server.inbox.flag(server.inbox.letters[0], {"\\Flagged"})
    go(copy, "standard")
    return copy


def go(copy, plan):
    change_plan(copy.mailbox.account, plan, by=None, now=copy.now)
    fit(copy.mailbox.account, now=copy.now)


def last_received():
    return Event.objects.filter(kind="message.received").order_by("-pk")[0].facts


def test_r13_what_came_during_the_suspension_is_history_though_no_reaction_has_run(resumed, copy, server):
    resumed.settle()
    assert len(resumed.messages()) == 3
    assert last_received()["initial"]
    server.inbox.add(letter(4), date=copy.now)
    resumed.settle()
    assert "initial" not in last_received()  # news again
    resumed.agrees_and_stays()


def test_r13_a_pass_of_before_stores_nothing_after_the_resuming(server, copy, settings):
    settings.CATALOGUE = "commercial"
    Subscription.objects.filter(account=copy.mailbox.account).update(plan="standard")
    server.inbox.add(letter(1), date=copy.now)
    copy.settle()
    of_before = Mailbox.objects.get(pk=copy.mailbox.pk)
    held = lease.acquire(copy.mailbox, holder="slow", seconds=60)
    with sign_in(of_before, guard(), timeout=5) as connection:
        go(copy, "free")
        server.inbox.add(letter(2), date=copy.now)
        go(copy, "standard")
        with pytest.raises(LeaseLost):
            sync_mailbox(of_before, connection, fence=held, now=copy.now)
    lease.release(copy.mailbox, held)
    assert len(copy.messages()) == 1
    copy.settle()
    assert last_received()["initial"]
    copy.agrees_and_stays()


@pytest.mark.parametrize("point", ["pull.learned", "pull.batch.committed"])
def test_flags_of_the_time_of_suspension_are_taken_though_the_first_pass_is_cut(resumed, server, point):  # rule 5
    assert dies(resumed.sync, Point(point, 1))
    assert FolderCursor.objects.get(folder=resumed.folder()).flags_checked_at is None
    resumed.settle()
    assert "\\Flagged" in resumed.flags(1)
    resumed.agrees_and_stays()


def test_r10_after_a_pause_what_came_is_news_and_what_was_left_out_is_judged_anew(server, copy):
    server.inbox.add(letter(1), date=copy.now)
    copy.settle()
    owner = copy.mailbox.owner
    connect.pause(copy.mailbox, by=owner)
    server.inbox.add(letter(2), date=copy.now)
    connect.resume(copy.mailbox, by=owner, now=copy.now)
    assert Mailbox.objects.get().history_from == 0
    copy.settle()
    assert "initial" not in last_received()
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
