"""Letters that were perhaps sent: found in Sent, decided about by a person, never sent twice by themselves (P6)."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Placement
from letterdesk.mailboxes.tests.arriving import fetched, receive
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.outbound import again, resolve
from letterdesk.outbound.models import State
from letterdesk.outbound.send import stop
from letterdesk.outbound.tests.sending import SOON, TO, after, states
from letterdesk.outbound.tests.test_send import used
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]


@pytest.mark.case("E03")
def test_an_unknown_letter_is_found_in_sent_or_asks_a_person(queued, mailbox, ines, now):
    """P6, E03."""
    with Sink("dot:take+cut#1") as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == State.UNKNOWN and states(delivery) == ["unknown"] * 3
        assert resolve.look_for(now=now) == 0
        sent = folder_of(mailbox, "Sent", "sent")
        receive(sent, fetched(7, sink.taken[0].raw, at=now), now=now)
        assert resolve.look_for(now=now) == 1
        delivery.refresh_from_db()
        assert delivery.state == State.SENT and states(delivery) == ["accepted"] * 3
        with pytest.raises(resolve.NotSo):
            again.send_again(delivery, by=ines, now=now)
        assert Placement.objects.filter(folder=sent).count() == 1  # the server's, not a second one of ours
    assert len(sink.taken) == 1


@pytest.mark.case("E06")
def test_a_copy_in_sent_of_an_earlier_attempt_proves_nothing(queued, now):
    """P6, E06: two recipients have it, the answer for the third is lost; the copy in Sent is our own."""
    with Sink(["rcpt:cy@client.example:450 greylisted#1", "dot:250 ok#1", "dot:cut"]) as sink:
        delivery = after(queued(sink), now)
        delivery = after(delivery, now)
        assert delivery.state == State.UNKNOWN and states(delivery) == ["accepted", "unknown", "accepted"]
        assert resolve.look_for(now=now + timedelta(hours=1)) == 0 and len(sink.taken) == 1


@pytest.mark.case("E06")
def test_who_was_put_off_gets_the_letter_although_its_answer_was_lost(queued, now):
    """E06: "it was sent" is said of those whom the server took, and the others are asked again alone."""
    with Sink(["rcpt:cy@client.example:450 greylisted#1", "rcpt:di@client.example:550 no", "dot:take+cut#1"]) as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == State.UNKNOWN and states(delivery) == ["unknown", "deferred", "refused"]
        resolve.as_sent(delivery, by=delivery.by, now=now)
        delivery.refresh_from_db()
        assert delivery.state == State.DEFERRED and delivery.draft is not None
        assert after(delivery, now).state == State.SENT
    assert [taken.recipients for taken in sink.taken] == [(TO[0][1],), (TO[1][1],)]
    assert Event.objects.get(kind="letter.sent").facts["refused"] == 1


def test_a_person_may_send_an_unknown_letter_again(queued, ines, now):
    with Sink("dot:cut#1") as sink:
        delivery = after(queued(sink), now)
        again.send_again(delivery, by=ines, now=now + SOON)
        assert after(delivery, now).state == State.SENT
    assert len(sink.taken) == 1


def test_a_letter_that_may_have_left_is_stopped_without_its_quota(queued, mailbox, ines, now):
    """P6, R23: perhaps sent, sent again and stopped, it is perhaps sent as before."""
    with Sink("dot:take+cut") as sink:
        delivery = after(queued(sink), now)
        again.send_again(delivery, by=ines, now=now)
        assert stop(delivery, by=ines, now=now) is None
    delivery.refresh_from_db()
    assert delivery.state == State.UNKNOWN and states(delivery) == ["unknown"] * 3
    assert used(mailbox.account) == 1 and len(sink.taken) == 1
    resolve.as_sent(delivery, by=ines, now=now)
