"""Reports about letters of verified senders come back by SMTP to an address of the letter's own (R24)."""

from datetime import timedelta
from email.policy import SMTP

import pytest

from letterdesk.crm.writing import write
from letterdesk.events.models import Event
from letterdesk.intake import jobs
from letterdesk.intake.doors import place_of
from letterdesk.intake.models import Arrived
from letterdesk.intake.models import State as ArrivedState
from letterdesk.intake.serve import server_of
from letterdesk.mail.authentic import Evidence, Proof
from letterdesk.mail.inbound import Inbound
from letterdesk.mailboxes.models import BlobReference
from letterdesk.outbound import drafts
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, State, Suppressed, VerifiedSender
from letterdesk.outbound.return_path import delivery_at, return_path
from letterdesk.outbound.send import send
from letterdesk.outbound.sweep import sweep
from letterdesk.outbound.tests.sending import SOON, states, verified
from letterdesk.outbound.tests.test_bounces import HARD, SOFT, bounces, report
from tests.rig.sink import Sink
from tests.rig.wire import hand_over

from .test_sendsave import letter as letter_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]

SENDER, BO = "sales@acme.example", "amara@okafor.example"


@pytest.fixture(autouse=True)
def house(settings, monkeypatch):
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    settings.JOBS_URL = "memory://"
    monkeypatch.setattr(jobs, "evidence_of", lambda _raw, **_: Evidence(Proof.NONE, "", ""))


@pytest.fixture
def inbound(settings):
    """The inbound server, listening."""
    server = server_of(settings.INBOUND)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wrote(account, amara, ines, now):
    """A letter of Ines that leaves through a sink of these modes; `again`: so many tries."""

    def written(*modes, tries=1, **fields):
        with Sink(modes) as sink:
            VerifiedSender.objects.all().delete()
            verified(sink, account, now, **{"returns_here": True, **fields})
            draft = write.begin(amara, by=ines, now=now)
            saved = drafts.save(draft, by=ines, seen=1, now=now, body_text="Hello", cc=[("", ines.email)])
            made = send(saved, by=ines, seen=saved.version, now=now)
            for number in range(tries):
                deliver(now=now + SOON + number * timedelta(hours=5), patience=1)
            made = Delivery.objects.select_related("verified_sender").get(pk=made.pk)
        return made, sink

    return written


def test_a_report_comes_back_by_smtp_to_the_letter_and_puts_the_address_on_the_list(wrote, inbound, amara, ines, now):
    made, sink = wrote()
    [taken] = sink.taken
    assert taken.sender == return_path(made) != SENDER and taken.sender.endswith("@in.acme.example")
    assert SENDER in taken.header("From") and made.sender == SENDER
    told = report("whatever@mx.example", (BO, HARD), ("stranger@elsewhere.example", HARD))
    assert hand_over(inbound.port, "", taken.sender, told.replace(b"\n", b"\r\n"))[0] == 250
    assert bounces(made) == ["hard", ""] and Suppressed.objects.get().address == BO
    assert Event.objects.get(kind="letter.bounced").topic == ines.topic
    made.refresh_from_db()
    assert made.trouble_at is not None and made.state == State.SENT
    with pytest.raises(CannotSend):
        draft = write.begin(amara, by=ines, now=now)
        send(draft, by=ines, seen=draft.version, now=now)
    row = Arrived.objects.get()
    assert (row.state, row.why) == (ArrivedState.DONE, "report")
    assert not BlobReference.objects.filter(holder=row.holder).exists()


def test_what_is_no_report_is_dropped_and_answered_by_nobody(wrote, inbound, ines):
    made, sink = wrote()
    away = letter_of(ines, subject="Out of office", sender=BO, **{"Auto-Submitted": "auto-replied"})
    for content in (away, letter_of(ines, subject="Hello robot", sender=BO)):
        assert hand_over(inbound.port, BO, return_path(made), content.as_bytes(policy=SMTP))[0] == 250
    assert set(Arrived.objects.values_list("state", "why")) == {(ArrivedState.DONE, "no_report")}
    assert bounces(made) == ["", ""] and Delivery.objects.count() == 1 and len(sink.taken) == 1


def test_an_invented_or_old_address_is_refused(wrote, inbound, now):
    made, _sink = wrote()
    good = return_path(made)
    local, _at, domain = good.partition("@")
    locals_ = (local[:-1] + ("a" if local[-1] != "a" else "b"), "bounces+", local.replace(made.public_id, "a" * 16))
    tampered = [*(f"{each}@{domain}" for each in locals_), f"{local}@other.example", f"bounces@{domain}"]
    for address in tampered:
        assert hand_over(inbound.port, "", address, report("x", (BO, HARD)))[0] == 550
    assert place_of(good.upper(), now) is not None  # folded on its way
    made.account.closed_at = now
    made.account.save(update_fields=["closed_at"])
    assert place_of(good, now) is None


def test_an_address_ends_with_its_letter(wrote, now):
    made, _sink = wrote()
    Delivery.objects.update(is_kept=True)
    while sweep(now=now + timedelta(days=40)):
        pass
    assert delivery_at(return_path(made).partition("@")[0]) is None


def test_a_report_proves_that_a_letter_left_of_which_nobody_knew(wrote, inbound):
    """E02"""
    made, _sink = wrote("dot:cut")
    assert made.state == State.UNKNOWN
    told = report(made.message_id, (BO, SOFT)).replace(b"\n", b"\r\n")
    assert hand_over(inbound.port, "", return_path(made), told)[0] == 250
    made.refresh_from_db()
    assert made.state == State.SENT and bounces(made)[0] == "soft"


@pytest.mark.parametrize("how", ["no inbound domain", "not chosen"])
def test_nothing_changes_where_reports_do_not_come_here(how, wrote, settings):
    settings.INBOUND = Inbound() if how == "no inbound domain" else settings.INBOUND
    _made, sink = wrote(returns_here=how != "not chosen")
    assert sink.taken[0].sender == SENDER


def test_each_attempt_names_the_same_address(wrote):
    """P6"""
    made, sink = wrote("dot:451 4.3.0 later#1", tries=2)
    assert made.attempts == 2 and made.state == State.SENT
    assert {line for line in sink.lines if line.startswith("MAIL")} == {
        f"MAIL FROM:<{return_path(made)}> SIZE={made.size}"
    }


@pytest.mark.parametrize(
    "mode",
    [
        "mail:553 5.7.1 not owned by user#1", "mail:550 no#1", "rcpt:553 5.7.1 Sender address rejected#2",
        "rcpt:554 5.7.1 Relay access denied#2", "data:554 5.7.1 sender#1", "dot:550 5.7.60 SendAsDenied#1",
    ],
)  # fmt: skip
def test_a_server_that_refuses_the_address_gets_the_letter_as_before_and_once(mode, wrote):
    """P6: what it has refused has not left; from then on it is not asked so again."""
    made, sink = wrote(mode)
    assert [taken.sender for taken in sink.taken] == [SENDER] and made.state == State.SENT and made.attempts == 1
    assert set(states(made)) == {"accepted"} and not VerifiedSender.objects.get().returns_here
    assert Event.objects.get(kind="sender.changed").facts == {"what": "reports refused"}
    assert return_path(made.__class__.objects.select_related("verified_sender").get(pk=made.pk)) == SENDER


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("rcpt:550 5.1.1 no such user", "failed"), ("dot:554 5.7.1 spam", "failed"), ("dot:cut", "unknown"),
        ("mail:552 5.3.4 too large", "failed"), ("rcpt:451 4.2.1 later", "deferred"), ("mail:421 busy", "deferred"),
        ("greeting:421 busy", "deferred"),
    ],
)  # fmt: skip
def test_what_is_refused_for_another_reason_is_not_tried_a_second_time(mode, state, wrote):
    made, sink = wrote(mode)
    assert made.state == state and sum(line.startswith("EHLO") for line in sink.lines) <= 1
    assert VerifiedSender.objects.get().returns_here


def test_who_was_reached_at_first_is_not_written_to_twice(wrote, ines):
    """P6: one of two was taken, so the address was."""
    made, sink = wrote(f"rcpt:{BO}:550 5.7.1 Sender rejected")
    assert [taken.recipients for taken in sink.taken] == [(ines.email,)]
    assert states(made) == ["refused", "accepted"] and VerifiedSender.objects.get().returns_here


def test_a_refusal_for_now_does_not_end_it(wrote):
    made, sink = wrote("mail:450 4.1.8 Sender address rejected: Domain not found#1")
    assert sink.taken[0].sender == SENDER and made.state == State.SENT
    assert VerifiedSender.objects.get().returns_here
