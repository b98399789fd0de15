"""R13: which mailboxes a plan lets run, whom it suspends first, and what comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.mailboxes import connect, fit, share
from letterdesk.mailboxes.models import Folder, Mailbox, MailboxState, Message, Placement, Tombstone
from letterdesk.mailboxes.retention import tombstones
from letterdesk.plans.change import change_plan
from letterdesk.plans.limits import LimitReached
from letterdesk.plans.models import Subscription

from .conftest import NOW, employ
from .letters import letter

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Box:
    pk: int
    connected_at: datetime
    gives_way: bool


BOXES = st.lists(
    st.builds(
        Box,
        pk=st.integers(min_value=1, max_value=10_000),
        connected_at=st.integers(min_value=0, max_value=5).map(lambda hours: NOW + hours * HOUR),
        gives_way=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda box: box.pk,
)
LIMITS = st.none() | st.integers(min_value=0, max_value=12)


@given(boxes=BOXES, limit=LIMITS)
def test_no_more_are_suspended_than_must_be(boxes, limit):
    running = fit.kept(boxes, limit)
    assert len(running) == (len(boxes) if limit is None else min(limit, len(boxes)))
    assert running <= {box.pk for box in boxes}


@given(boxes=BOXES, limit=LIMITS)
def test_chosen_ones_give_way_first_then_those_connected_last(boxes, limit):
    running = fit.kept(boxes, limit)
    for stays in (box for box in boxes if box.pk in running):
        for goes in (box for box in boxes if box.pk not in running):
            assert not stays.gives_way or goes.gives_way
            if stays.gives_way == goes.gives_way:
                assert stays.connected_at <= goes.connected_at


@given(boxes=BOXES, smaller=st.integers(min_value=0, max_value=12), more=st.integers(min_value=0, max_value=12))
def test_a_larger_plan_runs_all_that_a_smaller_one_runs(boxes, smaller, more):
    assert fit.kept(boxes, smaller) <= fit.kept(boxes, smaller + more) <= fit.kept(boxes, None)


@given(boxes=BOXES, limit=LIMITS, order=st.randoms())
def test_the_order_in_which_they_are_read_changes_nothing(boxes, limit, order):
    shuffled = list(boxes)
    order.shuffle(shuffled)
    assert fit.kept(shuffled, limit) == fit.kept(boxes, limit)


@pytest.fixture
def five(ines):
    """Five mailboxes of Ines, connected an hour after each other."""
    return [own(ines, number) for number in range(5)]


def own(owner, number, **fields):
    return Mailbox.objects.create(
        account=owner.account, owner=owner, address=f"{number}@acme.example", name=str(number),
        imap_host="imap.acme.example", imap_user=f"{owner.pk}-{number}", connected_at=NOW + number * HOUR, **fields,
    )  # fmt: skip


def states(mailboxes):
    return [Mailbox.objects.get(pk=mailbox.pk).state for mailbox in mailboxes]


def on(account, plan, now):
    change_plan(account, plan, by=None, now=now)
    return fit.fit(account, now=now)


S, C, P, F = MailboxState.SUSPENDED, MailboxState.CONNECTED, MailboxState.PAUSED, MailboxState.FAILING


def test_the_most_recently_connected_are_suspended_first_and_an_upgrade_resumes_them(account, five, now):
    done = on(account, "start", now)
    assert states(five) == [C, S, S, S, S]
    assert [mailbox.pk for mailbox in done.suspended] == [mailbox.pk for mailbox in five[1:]]
    assert on(account, "standard", now).resumed
    assert states(five) == [C] * 5


def test_the_earliest_connected_come_back_first(account, ines, five, now):  # R13
    on(account, "free", now)
    assert states(five) == [S] * 5
    on(account, "start", now)
    assert states(five) == [C, S, S, S, S]


def test_the_owners_choice_comes_before_the_date(account, ines, five, now):  # R13
    fit.choose(ines, [five[0].public_id, five[2].public_id], by=ines, now=now)
    assert states(five) == [C] * 5  # nothing must go yet
    on(account, "start", now)
    assert states(five) == [S, C, S, S, S]


def test_the_owner_may_still_choose_when_it_has_happened(account, ines, five, now):
    on(account, "start", now)
    fit.choose(ines, [five[0].public_id], by=ines, now=now)
    assert states(five) == [S, C, S, S, S]


def test_each_owner_has_a_limit_of_their_own(account, ines, jonas, five, now):  # R14
    his = own(jonas, 9)
    on(account, "start", now)
    assert states([his]) == [C]


def test_fitting_twice_changes_and_tells_nothing(account, five, now):
    on(account, "start", now)
    told = Event.objects.count()
    again = fit.fit(account, now=now)
    assert (again.suspended, again.resumed) == ([], [])
    assert Event.objects.count() == told
    assert Subscription.objects.get(account=account).followed == "start"


def test_the_owners_are_told(account, ines, five, now):  # R13
    on(account, "start", now)
    told = Event.objects.filter(kind="mailbox.suspended").order_by("pk")
    assert [event.topic for event in told] == [mailbox.topic for mailbox in five[1:]]
    assert told[0].facts == {"owner": ines.public_id, "plan": "start", "reason": "number"}


def test_paused_ones_come_back_paused_failing_ones_try_again(account, ines, now):
    boxes = [own(ines, 0, state=P), own(ines, 1, state=F, error_code="auth_failed")]
    on(account, "free", now)
    assert states(boxes) == [S, S]
    on(account, "crm", now)
    assert states(boxes) == [P, C]


def test_imported_and_disconnected_ones_are_left_alone(account, ines, now):
    boxes = [own(ines, 0, state=MailboxState.DISCONNECTED), connect.make_imported(ines, address="a@b.example", now=now)]
    on(account, "free", now)
    assert states(boxes) == [MailboxState.DISCONNECTED, C]


def test_settings_folders_and_grants_are_kept(account, ines, jonas, mailbox, inbox, now):  # R13
    share.grant(mailbox, to=jonas, by=ines, now=now)
    on(account, "free", now)
    mailbox.refresh_from_db()
    assert mailbox.secret == {"password": "correct horse"}
    assert mailbox.grants.count() == 1
    assert Folder.objects.get() == inbox


def test_resuming_ends_the_tombstones_of_retention_and_says_where_from(account, mailbox, inbox, now):
    on(account, "free", now)
    tombstones.bury(mailbox, ["a"], rule="R12", now=now)
    tombstones.bury(mailbox, ["b"], rule="R29", now=now)
    on(account, "crm", now)
    assert Tombstone.objects.get().blob == "b"
    assert Event.objects.get(kind="mailbox.resumed").facts == {"was": "suspended"}


def test_in_a_suspended_mailbox_one_reads_and_nobody_acts(account, ines, jonas, mailbox, inbox, now):  # R13
    share.grant(mailbox, to=jonas, by=ines, now=now, may_delete_on_server=True)
    letter(inbox, received_at=now)
    for person in (ines, jonas):
        assert Placement.objects.editable_by(person).exists()
        assert Mailbox.objects.deleting_on_server_by(person).exists()
    Mailbox.objects.update(state=S)
    for person in (ines, jonas):
        assert Message.objects.visible_to(person).exists()
        assert not Placement.objects.editable_by(person).exists()
        assert not Mailbox.objects.editable_by(person).exists()
        assert not Mailbox.objects.deleting_on_server_by(person).exists()
    assert Mailbox.objects.manageable_by(ines).exists()


def test_by_hand_one_is_resumed_when_there_is_a_place(account, ines, five, now):  # R14
    on(account, "start", now)
    with pytest.raises(LimitReached):
        connect.resume(five[1], by=ines, now=now)
    connect.disconnect(five[0], by=ines, now=now)
    connect.resume(five[1], by=ines, now=now)
    assert states(five[1:]) == [C, S, S, S]


def test_other_accounts_are_not_touched(account, five, stranger, now):
    theirs = own(stranger, 7)
    assert employ(stranger.account, "Other").account == stranger.account
    on(account, "free", now)
    assert states([theirs]) == [C]
