"""A sender wants to be reminded if nobody answers: counted from when its letter left, never for one that did not."""

from datetime import timedelta

import pytest

from letterdesk.lib import crashpoint
from letterdesk.mailboxes.models import Mark
from letterdesk.outbound import drafts, filing
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, Draft, State
from letterdesk.outbound.send import Remind, send, stop
from letterdesk.outbound.tests.sending import SOON
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]
DAY = timedelta(days=1)


@pytest.fixture
def sending(mailbox, draft, ines, now):
    def queued(sink, **fields):
        sink.reach(mailbox)
        return send(draft, by=ines, seen=1, now=now, **{"remind": Remind(days=3), **fields})

    return queued


def test_it_counts_from_when_the_letter_has_left_and_is_set_once(sending, ines, now):
    later = now + DAY
    with Sink() as sink:
        delivery = sending(sink, at=later)
        crashpoint.interrupt("filing.before_commit")
        with pytest.raises(crashpoint.Crashed):
            deliver(now=later, patience=1)
        crashpoint.disarm()
        assert not Mark.objects.exists()  # its worker died between sending and filing
        filing.file_rest(now=later + SOON)
        filing.file_rest(now=later + SOON)
    delivery.refresh_from_db()
    mark = Mark.objects.get()
    assert (mark.awaited_since, mark.remind_at, mark.remind_by) == (later, later + 3 * DAY, ines)
    assert mark.conversation == delivery.filed.conversation


def test_what_is_stopped_or_fails_reminds_of_nothing_and_keeps_the_wish_in_its_draft(sending, draft, ines, now):
    drafts.save(draft, by=ines, seen=1, now=now, remind="3")
    with Sink("mail:550 no") as sink:
        sink.reach(draft.mailbox)
        stopped = send(draft, by=ines, seen=2, now=now, remind=Remind(days=3))
        stop(stopped, by=ines, now=now)
        assert Draft.objects.get().remind == "3"
        draft.refresh_from_db()
        failed = send(draft, by=ines, seen=draft.version, now=now, remind=Remind(days=3))
        deliver(now=now + SOON, patience=1)
    failed.refresh_from_db()
    assert (failed.state, Mark.objects.count()) == (State.FAILED, 0)


def test_a_reminder_before_the_letter_leaves_is_refused(draft, ines, now):
    with pytest.raises(CannotSend, match="before the letter leaves"):
        send(draft, by=ines, seen=1, now=now, at=now + DAY, remind=Remind(at=now + DAY))
    assert not Delivery.objects.exists()
