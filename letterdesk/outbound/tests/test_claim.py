"""Of workers that ask at once each gets a letter of its own, and what one has heard it writes down (P6, E09)."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from letterdesk.mailboxes.folder_for import folder_for
from letterdesk.outbound.claim import LEASE, claim_next
from letterdesk.outbound.deliver import deliver, recover
from letterdesk.outbound.models import Delivery, State
from letterdesk.outbound.tests.sending import SOON, after
from tests.rig.sink import Sink
from tests.rig.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]


@pytest.mark.case("E09")
def test_of_many_workers_at_once_each_gets_a_letter_of_its_own(queued, now):
    """E09: and none of them goes away empty while there is one for it."""
    for _ in range(6):
        queued(Sink())
    taken = at_once([lambda: claim_next(now + SOON)] * 6)
    assert sorted(each.pk for each in taken) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert {(each.state, each.fence, each.attempts) for each in taken} == {(State.SENDING, 1, 1)}
    assert claim_next(now + SOON) is None
    assert recover(now + SOON + LEASE) == 6  # their workers died
    assert claim_next(now + SOON + LEASE).fence == 3


def test_the_letter_that_has_waited_longest_goes_first(queued, now):
    first, second, third = (queued(Sink()) for _ in range(3))
    Delivery.objects.filter(pk=third.pk).update(next_at=now)
    assert [claim_next(now + SOON) for _ in range(4)] == [third, first, second, None]
    assert claim_next(now + timedelta(seconds=11)) is None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other")
def test_a_worker_does_not_wait_for_the_letter_that_another_is_just_taking(queued, now):
    first, second = queued(Sink()), queued(Sink())
    with transaction.atomic():
        Delivery.objects.filter(pk=first.pk).update(fence=7)
        assert at_once([lambda: claim_next(now + SOON)]) == [second]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other")
def test_an_outcome_is_written_down_while_somebody_stores_letters_in_the_mailbox(queued, mailbox, now):
    """Who keeps others out of a mailbox keeps nobody from naming it: on PostgreSQL two workers stood in each other's
    way there, and letters whose answer was known became unknown."""
    with Sink() as sink:
        delivery = queued(sink)
        with transaction.atomic():
            folder_for(mailbox, "sent")
            worker = threading.Thread(target=lambda: (deliver(now=now + SOON, patience=1), connections.close_all()))
            worker.start()
            end = time.monotonic() + 20
            while (state := Delivery.objects.get(pk=delivery.pk).state) != State.SENT:
                assert time.monotonic() < end, state
                time.sleep(0.01)
        worker.join(20)
    delivery.refresh_from_db()
    assert delivery.is_filed


@pytest.mark.case("E02")
@pytest.mark.parametrize(("failures", "state"), [(2, State.SENT), (3, State.UNKNOWN)])
def test_what_the_server_said_is_written_down_although_the_database_stumbles(queued, now, failures, state):
    """P6: a deadlock, or a lock that was waited for too long, makes no letter of which nobody knows. Only a database
    that does not come back does."""
    left = [failures]

    def stumble(execute, sql, params, many, context):
        if sql.startswith('UPDATE "outbound_deliveryrecipient"') and left[0]:
            left[0] -= 1
            raise OperationalError("deadlock detected")
        return execute(sql, params, many, context)

    with Sink() as sink:
        delivery = queued(sink)
        with connection.execute_wrapper(stumble):
            try:
                deliver(now=now + SOON, patience=1)
            except OperationalError:
                assert failures == 3
        Delivery.objects.filter(pk=delivery.pk, state=State.SENDING).update(leased_until=now)
        assert after(delivery, now).state == state and len(sink.taken) == 1
