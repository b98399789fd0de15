"""A letter to a guest that has not left does not leave once they are removed, nor against the plan (R11, R23, R24)."""

from datetime import timedelta

import pytest

from letterdesk.outbound.again import send_again
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, RecipientState, State
from letterdesk.outbound.wanted import NotWanted
from letterdesk.plans.models import Reservation, Subscription
from letterdesk.tasks import bin as tasks_bin
from letterdesk.tasks import guests

from .test_guests import guest, house, identity, sink, task  # noqa: F401  fixtures

LATER = timedelta(hours=1)


@pytest.mark.parametrize("gone", ["removed", "binned", "purged"])
def test_a_letter_that_is_tried_again_is_let_go_with_its_guest(guest, sink, ines, now, gone):  # noqa: F811
    Delivery.objects.update(state=State.SENDING)
    if gone == "removed":
        guests.remove(guest, by=ines, now=now)
    else:
        tasks_bin.delete(guest.task, by=ines, now=now)
    if gone == "purged":
        tasks_bin.purge(guest.task, by=ines, now=now)
    Delivery.objects.update(state=State.DEFERRED)  # a server said 451 at that moment
    deliver(now=now + LATER, patience=1)
    assert (sink.taken, Delivery.objects.get().state) == ([], State.CANCELLED)
    assert not Reservation.objects.filter(refunded_at=None).exists()


def test_what_perhaps_left_stays_so_and_what_failed_is_not_sent_again(guest, sink, ines, now):  # noqa: F811
    letter = Delivery.objects.get()
    Delivery.objects.update(may_have_left=True)
    type(guest).objects.update(removed_at=now)
    deliver(now=now + LATER, patience=1)
    assert (sink.taken, Delivery.objects.get().state) == ([], State.UNKNOWN)
    assert letter.recipients.get().state == RecipientState.UNKNOWN
    assert Reservation.objects.filter(refunded_at=None).exists()
    for state in (State.UNKNOWN, State.FAILED):
        Delivery.objects.update(state=state)
        with pytest.raises(NotWanted):
            send_again(letter, by=ines, now=now + LATER)


def test_no_letter_to_a_guest_leaves_once_the_plan_lets_none_out(account, guest, sink, now):  # noqa: F811
    Subscription.objects.filter(account=account).update(plan="free")
    deliver(now=now, patience=1)
    assert (sink.taken, Delivery.objects.get().error_code) == ([], "withheld")
    Subscription.objects.filter(account=account).update(plan="standard")
    deliver(now=now + LATER * 24, patience=1)
    assert len(sink.taken) == 1
