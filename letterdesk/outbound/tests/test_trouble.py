"""Who has to hear of a letter: marked when it fails, until somebody knows; and a waiting one can be stopped."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.events.models import Event
from letterdesk.outbound import again, pacing, trouble
from letterdesk.outbound.deliver import deliver, recover
from letterdesk.outbound.models import DailyLimit, Delivery, Draft, SentOnDay, State
from letterdesk.outbound.send import TooLate, give_up_rest, send, stop
from letterdesk.outbound.tests.sending import SOON, TO, after, states, verified
from letterdesk.outbound.tests.test_send import used
from letterdesk.outbound.tests.test_verified_senders import written
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]


@pytest.mark.parametrize(
    ("modes", "state", "is_marked"),
    [
        ([], State.SENT, False),
        (["rcpt:450 later"], State.DEFERRED, False),
        (["rcpt:cy@client.example:550 no"], State.SENT, True),
        (["rcpt:550 no"], State.FAILED, True),
        (["dot:take+cut"], State.UNKNOWN, True),
        (["rcpt:cy@client.example:550 no", "rcpt:di@client.example:450 later"], State.DEFERRED, True),
    ],
)
def test_a_letter_that_did_not_reach_everybody_is_marked_at_once(queued, now, modes, state, is_marked):
    with Sink(modes) as sink:
        delivery = after(queued(sink), now)
    assert delivery.state == state
    assert (delivery.trouble_at is not None) is is_marked


def test_a_mark_ends_when_somebody_knows_or_acts(queued, now, ines):
    with Sink("rcpt:550 no") as sink:
        delivery = after(queued(sink), now)
        assert trouble.dismiss(delivery, by=ines) and not trouble.dismiss(delivery, by=ines)
        assert Event.objects.get(kind="letter.dismissed").by == ines
        again.send_again(delivery, by=ines, now=now)
        assert after(delivery, now).trouble_at is not None  # it has failed anew
        again.edit_again(delivery, by=ines, now=now)
    assert not Delivery.objects.in_trouble().exists()


def test_a_letter_that_is_put_off_can_be_stopped(queued, now, ines, account):
    with Sink("rcpt:450 later") as sink:
        delivery = after(queued(sink), now)
        assert used(account) == 1
        draft = stop(delivery, by=ines, now=now)
        assert draft is not None and draft.sent_at is None and used(account) == 0
        deliver(now=now + timedelta(days=1), patience=1)
    assert not sink.taken and not Delivery.objects.in_trouble().exists()


@pytest.mark.case("E06")
def test_the_rest_of_a_letter_can_be_given_up(queued, now, ines, account):
    """E06: who has it keeps it, and so does the quota; nobody else is asked again."""
    with Sink(["rcpt:cy@client.example:450 later", "rcpt:di@client.example:450 later"]) as sink:
        delivery = after(queued(sink), now)
        with pytest.raises(TooLate):
            stop(delivery, by=ines, now=now)
        give_up_rest(delivery, by=ines, now=now)
        deliver(now=now + timedelta(days=1), patience=1)
    delivery.refresh_from_db()
    assert delivery.state == State.SENT and states(delivery) == ["accepted", "refused", "refused"]
    assert [taken.recipients for taken in sink.taken] == [(TO[0][1],)]
    assert used(account) == 1 and not Draft.objects.exists()
    with pytest.raises(TooLate):
        give_up_rest(delivery, by=ines, now=now)


# The daily limit


def test_what_exceeds_the_day_waits_for_tomorrow_in_the_accounts_time_zone(queued, mailbox, now, ines, account):
    account.time_zone = "Europe/Berlin"
    account.save(update_fields=["time_zone"])
    pacing.set_daily_limit(mailbox, 2, by=ines)
    with Sink() as sink:
        letters = [queued(sink) for _ in range(3)]
        deliver(now=now + SOON, patience=1)
        for each in letters:
            each.refresh_from_db()
        assert [each.state for each in letters] == [State.SENT, State.SENT, State.DEFERRED]
        waiting = letters[2]
        assert waiting.error_code == "daily_limit" and "2 letters a day" in waiting.error
        assert waiting.next_at > now and waiting.next_at.astimezone(pacing.ZoneInfo("Europe/Berlin")).hour == 0
        deliver(now=waiting.next_at - timedelta(seconds=1), patience=1)
        assert len(sink.taken) == 2
        deliver(now=waiting.next_at, patience=1)
    waiting.refresh_from_db()
    assert waiting.state == State.SENT and len(sink.taken) == 3


def test_at_midnight_only_those_that_fit_are_taken_up_and_nobody_is_told_again(account, ines, now):
    """Of a verified sender, too: each waiting letter was tried, and told of, anew each night."""
    with Sink() as sink:
        sender = verified(sink, account, now, daily_most=2)
        letters = [send(written(sender, ines, now), by=ines, seen=1, now=now) for _ in range(5)]
        tried, told, at = [], [], now + SOON
        while len(sink.taken) < 5:
            deliver(now=at, patience=1)
            tried.append(sum(Delivery.objects.values_list("attempts", flat=True)))
            told.append(Event.objects.filter(kind="letter.deferred").count())
            at = max(Delivery.objects.values_list("next_at", flat=True))
    assert tried == [5, 7, 8] and told == [3, 3, 3]
    assert [each.count for each in SentOnDay.objects.order_by("day")] == [2, 2, 1]
    assert [each.header("Message-ID").strip("<>") for each in sink.taken] == [each.message_id for each in letters]


def test_what_exceeds_the_day_is_put_off_once_not_once_a_letter(account, ines, now):
    """Each of them put off all the others: of ten thousand letters that was a hundred million rows."""
    with Sink() as sink:
        sender = verified(sink, account, now, daily_most=1)
        for _ in range(6):
            send(written(sender, ines, now), by=ines, seen=1, now=now)
        with CaptureQueriesContext(connection) as asked:
            deliver(now=now + SOON, patience=1)
    assert Delivery.objects.filter(state=State.DEFERRED, error_code="daily_limit").count() == 5
    put_off = 'UPDATE "outbound_delivery" SET "next_at"'
    assert sum(each["sql"].startswith(put_off) for each in asked.captured_queries) == 1


def test_days_of_waiting_for_a_place_are_none_of_asking_a_server_in_vain(queued, now):
    """R23: five days from the first attempt; that it began a week late is our doing, not the server's."""
    with Sink("mail:451 later#1") as sink:
        waiting = queued(sink)
        Delivery.objects.filter(pk=waiting.pk).update(
            state=State.DEFERRED, error_code="daily_limit", due_at=now - timedelta(days=8)
        )
        assert after(waiting, now).state == State.DEFERRED
        assert after(waiting, now).state == State.SENT
        recovered = queued(sink)
        Delivery.objects.filter(pk=recovered.pk).update(
            state=State.SENDING, phase="connect", leased_until=now, due_at=now - timedelta(days=8)
        )
        recover(now)
        recovered.refresh_from_db()
    assert recovered.state == State.DEFERRED


def test_a_letter_that_is_tried_again_takes_one_place(queued, mailbox, now, ines):
    pacing.set_daily_limit(mailbox, 1, by=ines)
    with Sink("rcpt:450 later#3") as sink:
        delivery = after(after(queued(sink), now), now)
    assert delivery.state == State.SENT and len(sink.taken) == 1
    assert [each.count for each in SentOnDay.objects.all()] == [1]


def test_a_higher_limit_lets_the_waiting_go(queued, mailbox, now, ines):
    pacing.set_daily_limit(mailbox, 1, by=ines)
    with Sink() as sink:
        for _ in range(2):
            queued(sink)
        deliver(now=now + SOON, patience=1)
        pacing.set_daily_limit(mailbox, None, by=ines)
        deliver(now=now + SOON, patience=1)
    assert len(sink.taken) == 2 and not DailyLimit.objects.exists()


@pytest.mark.parametrize("most", [0, -1, 1_000_001])
def test_a_limit_that_is_none_is_refused(mailbox, ines, most):
    with pytest.raises(pacing.BadLimit):
        pacing.set_daily_limit(mailbox, most, by=ines)


def test_a_letter_that_waits_for_tomorrow_can_be_stopped(queued, mailbox, now, ines, account):
    pacing.set_daily_limit(mailbox, 1, by=ines)
    with Sink() as sink:
        first, second = queued(sink), queued(sink)
        deliver(now=now + SOON, patience=1)
        waiting = Delivery.objects.get(state=State.DEFERRED)
        assert stop(waiting, by=ines, now=now) is not None and used(account) == 1
    assert {first.pk, second.pk} - {waiting.pk} == {Delivery.objects.get(state=State.SENT).pk}
