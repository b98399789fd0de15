"""A letter that is sent from here is saved like one that came, from our side (R5, R6)."""

from datetime import timedelta

import pytest

from letterdesk.crm.link import link_new
from letterdesk.crm.models import Activity, Direction, Kind, Reason, Record, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.send import send
from tests.rig.sink import Sink

from .conftest import standing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]
TO = [("Bo", "bo@client.example"), ("New One", "new@one.example")]


@pytest.fixture
def sent(mailbox, ines, now):
    """Ines writes, the letter leaves and lies in Sent."""

    def made(*to):
        with Sink() as sink:
            sink.reach(mailbox)
            draft = drafts.start(mailbox, by=ines, now=now, to=list(to), subject="Hi", body_text="Hello")
            send(draft, by=ines, seen=1, now=now)
            deliver(now=now + timedelta(seconds=12), patience=1)
        mailbox.refresh_from_db()
        link_new(mailbox, now=now)

    return made


def test_to_a_client_it_stands_at_the_client_and_the_deal(sent, make):
    bo = make(addresses=("bo@client.example",))
    roof = make(Kind.DEAL, "Roof", contact=bo)
    sent(TO[0])
    activity = Activity.objects.get()
    assert activity.direction == Direction.OUTGOING
    assert standing(activity) == {(bo.pk, Reason.ADDRESS), (roof.pk, Reason.DEAL)}


def test_to_somebody_unknown_it_makes_a_lead_if_the_mailbox_is_set_so(sent, mailbox, ines):  # R28
    sent(TO[1])
    assert not Record.objects.exists()
    change_saving(mailbox, by=ines, known=True, unknown_incoming=Unknown.NOTHING, unknown_outgoing=Unknown.LEAD)
    sent(TO[1])
    assert Record.objects.get().name == "New One"
