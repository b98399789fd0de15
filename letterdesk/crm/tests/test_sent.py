"""A letter that is sent from here is saved like one that came, from our side (R5, R6)."""

from datetime import timedelta

import pytest

from letterdesk.crm.linking.exclusions import exclude
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Direction, Kind, Reason, Record, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.mail.compose import Outgoing
from letterdesk.mail.letters import Address
from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.direct import compose_to, queue
from letterdesk.outbound.identities import identities_of
from letterdesk.outbound.send import send
from letterdesk.plans.models import Channel
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


@pytest.mark.parametrize("is_excluded", [True, False])
def test_a_letter_to_a_guest_of_a_task_is_not_written_in_crm(mailbox, make, administrator, ines, now, is_excluded):
    """R28: what an exclusion, or the mailbox's setting, keeps out of CRM is kept out, whatever the letter is about."""
    make(addresses=("bo@client.example",))
    if is_excluded:
        exclude("bo@client.example", by=administrator, now=now)
    else:
        change_saving(mailbox, by=ines, known=False, unknown_incoming=Unknown.NOTHING, unknown_outgoing=Unknown.NOTHING)
    head = Outgoing(sender=Address("", ines.email), date=now, message_id="", subject="[#1] Roof", text="Hello")
    with Sink() as sink:
        sink.reach(mailbox)
        letter = compose_to(Address("Bo", "bo@client.example"), head, identity=identities_of(ines)[0], by=ines, now=now)
        queue(letter, by=ines, channel=Channel.TASK, about="somebody:abc", now=now)
        deliver(now=now, patience=1)
    mailbox.refresh_from_db()
    assert mailbox.messages.filter(message_id=letter.message_id).exists()
    link_new(mailbox, now=now)
    assert not Activity.objects.exists()
