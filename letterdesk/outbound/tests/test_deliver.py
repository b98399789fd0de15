"""Letters leave exactly once, whatever the server says or fails to say, and whoever dies (P6, R23)."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from letterdesk.accounts.close import close, reopen
from letterdesk.lib import blobs
from letterdesk.mailboxes.models import BlobReference, Grant, Message, PendingChange, Placement
from letterdesk.mailboxes.tests.arriving import fetched, receive
from letterdesk.outbound import again, drafts, filing, resolve
from letterdesk.outbound import deliver as deliver_module
from letterdesk.outbound.answering import reply
from letterdesk.outbound.claim import claim_next
from letterdesk.outbound.deliver import LEASE, deliver, journal_dot, recover
from letterdesk.outbound.models import Delivery, Draft, State
from letterdesk.outbound.send import TooLate, send, stop
from letterdesk.outbound.sweep import sweep
from letterdesk.outbound.tests.sending import SOON, TO, after, states
from letterdesk.outbound.tests.test_drafts import LETTER
from letterdesk.outbound.tests.test_send import used
from letterdesk.plans.models import Subscription
from tests.rig.crashes import dies, points_reached
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]


@pytest.mark.case("E07", "E16", "D07")
def test_a_letter_leaves_after_its_undo_window_and_lies_in_sent_at_once(queued, mailbox, now):
    """E07, E16, D07."""
    with Sink() as sink:
        delivery = queued(sink)
        deliver(now=now + timedelta(seconds=11), patience=1)
        assert sink.taken == []
        after(delivery, now)
        deliver(now=now + timedelta(hours=1), patience=1)
    [taken] = sink.taken
    assert taken.sender == "ines@acme.example" and taken.recipients == tuple(address for _, address in TO)
    assert taken.header("Message-ID") == f"<{delivery.message_id}>" and b"\r\n..\r\n" in taken.raw
    assert "127.0.0.1" not in taken.raw.decode()
    assert delivery.state == State.SENT and states(delivery) == ["accepted"] * 3
    assert not Draft.objects.exists() and used(mailbox.account) == 1
    [place] = Placement.objects.filter(folder__role="sent")
    [append] = PendingChange.objects.filter(kind="append")
    assert place.is_seen and place.uid == -append.pk and place.message_id == delivery.filed_id
    assert not BlobReference.objects.filter(holder=delivery.holder).exists()


@pytest.mark.case("E02", "E04", "E05")
@pytest.mark.parametrize(
    ("mode", "state", "tried"),
    [
        ("mail:451 later#1", State.DEFERRED, 1),
        ("rcpt:451 later#3", State.DEFERRED, 1),
        ("data:451 later#1", State.DEFERRED, 1),
        ("dot:451 later#1", State.DEFERRED, 1),
        ("dot:421 closing#1", State.DEFERRED, 1),
        ("greeting:421 busy#1", State.DEFERRED, 1),
        ("mail:cut#1", State.DEFERRED, 1),
        ("rcpt:cut#1", State.DEFERRED, 1),
        ("data:cut#1", State.DEFERRED, 1),
        ("auth:454 later#1", State.DEFERRED, 1),
        ("mail:550 no", State.FAILED, 1),
        ("rcpt:550 no", State.FAILED, 1),
        ("data:554 no", State.FAILED, 1),
        ("dot:554 spam", State.FAILED, 1),
        ("auth:535 wrong password", State.FAILED, 1),
        ("dot:cut", State.UNKNOWN, 1),
        ("dot:take+cut", State.UNKNOWN, 1),
        ("quit:cut", State.SENT, 1),
    ],
)
def test_every_answer_at_every_phase(queued, mailbox, now, mode, state, tried):
    """E02, E04, E05, R23: 4xx is tried again with the same bytes, 5xx is given back, no answer after the dot stops."""
    with Sink(mode) as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == state and delivery.attempts == tried, delivery.error
        assert used(mailbox.account) == (0 if state == State.FAILED else 1)
        if state == State.DEFERRED:
            assert after(delivery, now).state == State.SENT
        elif state != State.SENT:
            deliver(now=now + timedelta(days=1), patience=1)  # never by itself
            assert len(sink.taken) == (1 if "take" in mode else 0)
    if state in {State.DEFERRED, State.SENT}:
        assert len(sink.taken) == 1


@pytest.mark.case("E06")
def test_one_refused_recipient_keeps_nobody_else_from_the_letter(queued, now):
    """E06."""
    with Sink("rcpt:cy@client.example:550 unknown") as sink:
        delivery = after(queued(sink), now)
    assert delivery.state == State.SENT and states(delivery) == ["accepted", "refused", "accepted"]
    assert delivery.error_code == "recipients_refused" and sink.taken[0].recipients == (TO[0][1], TO[2][1])


@pytest.mark.parametrize("mode", ["rcpt:550 no\0such\x1b[1m", "dot:250 ok\0such\x1b[1m", "auth:535 no\0such\x1b[1m"])
def test_what_a_server_says_is_kept_without_control_characters(queued, now, mode):
    """PostgreSQL keeps no NUL: the outcome could not be written down."""
    with Sink(mode) as sink:
        delivery = after(queued(sink), now)
    said = [delivery.error, *delivery.recipients.values_list("text", flat=True)]
    assert delivery.state in {State.SENT, State.FAILED} and any(said)
    assert not any(mark in text for text in said for mark in "\0\x1b")


@pytest.mark.case("E06")
def test_who_is_put_off_is_asked_again_alone(queued, mailbox, now):
    """E06: no second copy for those who have it; one unit, one copy in Sent."""
    with Sink("rcpt:cy@client.example:450 greylisted#1") as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == State.DEFERRED and states(delivery) == ["accepted", "deferred", "accepted"]
        with pytest.raises(TooLate):
            stop(delivery, by=None, now=now)
        after(delivery, now)
    assert [taken.recipients for taken in sink.taken] == [(TO[0][1], TO[2][1]), (TO[1][1],)]
    assert len({taken.raw for taken in sink.taken}) == 1  # E07
    assert delivery.state == State.SENT and used(mailbox.account) == 1
    assert Placement.objects.filter(folder__role="sent").count() == 1


def test_after_five_days_it_fails_and_the_quota_comes_back(queued, mailbox, now):
    """R23."""
    with Sink("mail:451 later") as sink:
        delivery = after(queued(sink), now, times=3)
        waits = delivery.next_at - now
        assert delivery.state == State.DEFERRED and timedelta(minutes=20) < waits < timedelta(minutes=30)
        assert delivery.tried_since == now + SOON
        deliver(now=delivery.tried_since + timedelta(days=5), patience=1)
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED and used(mailbox.account) == 0


def test_a_failed_letter_is_tried_again_or_written_anew(queued, mailbox, ines, now):
    with Sink("auth:535 wrong password#2") as sink:
        delivery = after(queued(sink), now)
        assert delivery.error_code == "auth_failed"
        again.send_again(delivery, by=ines, now=now + SOON)
        delivery = after(delivery, now)
        assert delivery.state == State.FAILED and used(mailbox.account) == 0
        draft = again.edit_again(delivery, by=ines, now=now)
        send(draft, by=ines, seen=draft.version, now=now)
        with pytest.raises(resolve.NotSo):
            again.send_again(delivery, by=ines, now=now)
        deliver(now=now + SOON, patience=1)
    assert len(sink.taken) == 1 and used(mailbox.account) == 1


def test_who_sends_a_letter_again_is_its_writer(queued, ines, jonas, colleague, now):
    """A letter of somebody who left is not withheld again; who may not write there cannot send it."""
    with Sink("rcpt:550 no#3") as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == State.FAILED and delivery.by == ines
        type(ines).objects.filter(pk=ines.pk).update(is_active=False, dismissed_at=now)
        Grant.objects.filter(employee=colleague).update(may_reply=False)
        with pytest.raises(drafts.NotYours):
            again.send_again(delivery, by=colleague, now=now + SOON)
        Grant.objects.filter(employee=colleague).update(may_reply=True)
        again.send_again(delivery, by=colleague, now=now + SOON)
        delivery = after(delivery, now)
    assert delivery.state == State.SENT and delivery.by == colleague and len(sink.taken) == 1


def test_a_colleague_who_takes_a_failed_letter_up_again_becomes_its_author(queued, ines, colleague, now):
    with Sink("rcpt:550 no") as sink:
        delivery, other = after(queued(sink), now), after(queued(sink), now)
    again.edit_again(delivery, by=colleague, now=now)
    assert Draft.objects.editable_by(colleague).open().count() == 1
    Draft.objects.filter(pk=other.draft_id).delete()
    with pytest.raises(resolve.NotSo):
        again.edit_again(other, by=colleague, now=now)
    other.refresh_from_db()
    assert other.state == State.FAILED


@pytest.mark.case("E01", "E02", "E03", "E08")
def test_dead_at_any_point_it_leaves_once_or_asks(queued, mailbox, now):
    """P6, E01, E02, E03, E08: killed at every step of handing over, then resumed."""
    reached = []
    with Sink() as sink:
        queued(sink)
        points = points_reached(lambda: deliver(now=now + SOON, patience=1))
    assert {"deliver.claimed", "deliver.before_journal", "deliver.journalled", "filing.before_commit"} <= {
        point.name for point in points
    }
    for point in points:
        Delivery.objects.all().delete()
        with Sink() as sink:
            delivery = queued(sink)
            assert dies(lambda: deliver(now=now + SOON, patience=1), point)
            deliver(now=now + SOON + LEASE + timedelta(minutes=1), patience=1)
            delivery.refresh_from_db()
            copies = Message.objects.filter(message_id=delivery.message_id).count()
            if delivery.state == State.UNKNOWN:
                assert len(sink.taken) <= 1 and copies == 0
                assert point.name in {"deliver.journalled", "deliver.attempted", "deliver.before_commit"}
            else:
                assert delivery.state == State.SENT and len(sink.taken) == 1 and copies == 1, point
            reached.append(delivery.state)
    assert set(reached) == {State.SENT, State.UNKNOWN}


@pytest.mark.case("E09")
def test_an_overtaken_worker_sends_no_dot(queued, now):
    """E09: its lease lapsed before the dot, another took the letter."""
    with Sink() as sink:
        delivery = queued(sink)
        Delivery.objects.filter(pk=delivery.pk).update(state=State.SENDING, fence=1, leased_until=now, phase="data")
        row = Delivery.objects.get(pk=delivery.pk)
        deliver(now=now + SOON, patience=1)  # recovers it, and sends
        assert not journal_dot(row, now=now)
    assert len(sink.taken) == 1


@pytest.mark.case("E09")
def test_each_letter_has_its_lease_from_when_it_is_taken(queued, now, monkeypatch):
    """E09: the first takes twenty minutes; the lease of the second has not begun before."""
    at, left = [now + SOON], []
    judged = deliver_module.hold_back

    def slow(row, *, now):
        left.append(row.leased_until - at[0])
        at[0] += timedelta(minutes=20)
        return judged(row, now=now)

    monkeypatch.setattr(deliver_module, "hold_back", slow)
    with Sink() as sink:
        queued(sink)
        queued(sink)
        deliver(now=at[0], clock=lambda: at[0], patience=1)
    assert left == [LEASE, LEASE]
    assert Delivery.objects.latest("pk").sent_at == now + SOON + timedelta(minutes=40)


def test_a_letter_whose_workers_are_lost_is_given_up_after_five_days(queued, mailbox, now):
    """R23."""
    with Sink() as sink:
        delivery = queued(sink)
        lost = Delivery.objects.filter(pk=delivery.pk)
        late = now + timedelta(days=5)
        lost.update(state=State.SENDING, fence=1, leased_until=now, phase="connect", tried_since=now)
        assert recover(late - timedelta(minutes=1)) == 1 and lost.get().state == State.DEFERRED
        lost.update(state=State.SENDING, leased_until=now)
        held = lost.get()
        assert recover(late) == 1 and not journal_dot(held, now=late)
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED and used(mailbox.account) == 0 and sink.taken == []


def test_nothing_leaves_once_webmail_has_ended_or_the_mailbox_is_suspended(queued, mailbox, now):
    """R11, R13."""
    with Sink() as sink:
        delivery = queued(sink)
        Subscription.objects.filter(account=mailbox.account).update(plan="free")
        assert after(delivery, now).error_code == "withheld"
        Subscription.objects.filter(account=mailbox.account).update(plan="standard")
        type(mailbox).objects.filter(pk=mailbox.pk).update(state="suspended")
        assert after(delivery, now).error_code == "withheld" and sink.taken == []


def test_who_has_lost_the_right_sends_nothing_any_more(mailbox, colleague, now):
    """P9: it was to leave later; until then the grant was taken."""
    with Sink() as sink:
        sink.reach(mailbox)
        draft = drafts.start(mailbox, by=colleague, now=now, to=TO, subject="Hi", body_text="Hello")
        delivery = send(draft, by=colleague, seen=1, now=now)
        grant = Grant.objects.get(employee=colleague)
        grant.delete()
        delivery = after(delivery, now)
        assert delivery.state == State.DEFERRED and delivery.error_code == "withheld" and sink.taken == []
        assert "may not write" in delivery.error
        grant.save(force_insert=True)
        type(colleague).objects.filter(pk=colleague.pk).update(is_active=False, dismissed_at=now)
        assert after(delivery, now).error_code == "withheld" and sink.taken == []
        type(colleague).objects.filter(pk=colleague.pk).update(is_active=True, dismissed_at=None)
        assert after(delivery, now).state == State.SENT


def test_letters_of_a_closed_account_wait_until_its_deletion_is_taken_back(queued, account, now):
    """F17: however long that takes; none is given up as a letter is that a server refuses for five days."""
    late = now + timedelta(days=20)
    with Sink() as sink:
        delivery = queued(sink)
        close(account, typed=account.name, by=None, now=now)
        assert after(delivery, late).state == State.QUEUED and claim_next(late) is None
        reopen(account, by=None)
        assert after(delivery, late).state == State.SENT and len(sink.taken) == 1


def test_what_was_answered_says_so_and_the_answer_stands_in_the_conversation(mailbox, inbox, ines, now):
    [letter] = receive(inbox, fetched(1, LETTER, at=now), now=now).stored
    with Sink() as sink:
        sink.reach(mailbox)
        draft = reply(letter, by=ines, now=now)
        delivery = after(send(draft, by=ines, seen=1, now=now), now)
    assert Placement.objects.get(message=letter).is_answered
    filed = Message.objects.get(pk=delivery.filed_id)
    assert filed.conversation_id == letter.conversation_id and filed.received_at == now + SOON  # R19
    assert sink.taken[0].header("In-Reply-To") == "<two@client.example>"


@pytest.mark.case("E08")
def test_a_letter_that_cannot_be_filed_keeps_no_other_waiting(queued, now, caplog):
    """E08: its bytes are gone; the next one leaves and is filed."""
    with Sink() as sink:
        lost, other = queued(sink), queued(sink, to=[("Ed", "ed@client.example")])
        Delivery.objects.filter(pk=lost.pk).update(state=State.SENT, sent_at=now)
        blobs.remove(lost.account_id, lost.blob)
        other = after(other, now)
    lost.refresh_from_db()
    assert other.state == State.SENT and other.is_filed and not lost.is_filed
    assert "cannot be filed" in caplog.text


def test_the_providers_copy_takes_the_place_of_ours(queued, mailbox, now):
    with Sink() as sink:
        delivery = after(queued(sink), now)
    sent = mailbox.folders.get(role="sent")
    theirs = b"Received: by provider\r\n" + sink.taken[0].raw
    receive(sent, fetched(9, theirs, at=now), now=now, uidvalidity=5)
    assert Message.objects.filter(message_id=delivery.message_id).count() == 2
    filing.file_rest(now=now)
    [message] = Message.objects.filter(message_id=delivery.message_id)
    assert message.size == len(theirs) and not PendingChange.objects.filter(kind="append").exists()


def test_what_is_done_with_goes_after_thirty_days_and_what_waits_stays(queued, mailbox, ines, now):
    with Sink("mail:550 no#1") as sink:
        failed, sent = after(queued(sink), now), after(queued(sink), now)
    assert [failed.state, sent.state] == [State.FAILED, State.SENT]
    month = now + timedelta(days=31)
    assert sweep(now=now + timedelta(days=29)) == 0
    assert sweep(now=month) == 1 and sweep(now=month) == 0
    assert list(Delivery.objects.all()) == [failed] and used(mailbox.account) == 1
    type(mailbox).objects.update(forgotten_at=now)
    assert sweep(now=month) == 1 and not Draft.objects.exists()


@pytest.mark.case("E10")
def test_a_worker_and_an_undo_at_once_have_one_winner(queued, mailbox, ines, now):
    """E10."""
    for _ in range(3):
        with Sink() as sink:
            delivery, gate, stopped = queued(sink), threading.Barrier(2), []

            def undo(delivery=delivery, gate=gate, stopped=stopped):
                gate.wait(10)
                try:
                    stop(delivery, by=ines, now=now)
                    stopped.append(1)
                except TooLate:
                    stopped.append(0)
                finally:
                    connections.close_all()

            other = threading.Thread(target=undo)
            other.start()
            gate.wait(10)
            deliver(now=now + SOON, patience=1)
            other.join(30)
            delivery.refresh_from_db()
            assert len(sink.taken) + stopped[0] == 1
            assert delivery.state == (State.CANCELLED if stopped[0] else State.SENT)
