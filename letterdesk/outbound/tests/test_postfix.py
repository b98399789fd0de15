"""Letters leave through a real Postfix, by STARTTLS and AUTH, and its answers are read right (E05, E06, D07)."""

import pytest

from letterdesk.lib import blobs
from letterdesk.outbound import drafts, files
from letterdesk.outbound.models import State
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import after, states
from tests.rig.dovecot import wait_until
from tests.rig.ports import free_port
from tests.rig.postfix import IS_HERE, LARGEST, Postfix, asked_by_postfix

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("allow_loopback", "trust_rig"),
    pytest.mark.skipif(not IS_HERE, reason="Postfix is not installed, or this is not root: apt-get install postfix"),
]
TEXT = "Grüße\n.\n..two dots\nFrom here on\n" + "long " * 400
PEOPLE = [("Bo", "bo@client.example"), ("", "nobody@client.example"), ("", "late@client.example")]


@pytest.fixture
def postfix(authority, dovecot_server):
    auth = free_port()
    dovecot_server(settings=asked_by_postfix(auth))
    with Postfix(authority, auth=auth) as running:
        yield running


@pytest.mark.case("D07", "E05", "E06")
def test_postfix_takes_the_letter_as_it_is_and_refuses_in_words(postfix, mailbox, ines, now):
    postfix.reach(mailbox)
    draft = drafts.start(mailbox, by=ines, now=now, to=PEOPLE, subject="Grüße", body_text=TEXT)
    delivery = send(draft, by=ines, seen=1, now=now)
    raw = blobs.get(delivery.account_id, delivery.blob)
    delivery = after(delivery, now)
    bo, nobody, late = delivery.recipients.order_by("pk")
    assert (delivery.state, states(delivery)) == (State.DEFERRED, ["accepted", "refused", "deferred"]), postfix.log()
    assert (bo.code, nobody.code, late.code) == (250, 550, 450)
    assert "User unknown" in nobody.text
    assert "Greylisted" in late.text
    [arrived] = wait_until(lambda: postfix.letters("bo"), timeout=20)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert arrived.partition(b"\n\n")[2].replace(b"\n", b"\r\n") == body
    assert head.replace(b"\r\n", b"\n") in arrived  # below what Postfix wrote above it

    large = drafts.start(mailbox, by=ines, now=now, to=PEOPLE[:1], subject="Large", body_text="See the file.")
    files.attach(large, bytes(LARGEST), filename="a.bin", content_type="application/pdf", by=ines, now=now)
    refused = after(send(large, by=ines, seen=1, now=now), now)
    assert (refused.state, refused.error_code) == (State.FAILED, "smtp_552")
    assert "too big" in refused.error
    assert len(postfix.letters("bo")) == 1
