"""Workers killed at random moments, as power cuts and the kernel do it (P6, P7, E01–E03, E09)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.outbound import drafts
from letterdesk.outbound.send import send
from tests.rig.processes import environment
from tests.rig.sink import Sink
from tests.rig.workers import Workers, decide, judge

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]
LETTERS, KILLS = 40, 6


@pytest.mark.case("E01", "E02", "E03", "E09")
def test_workers_killed_at_random_moments_send_each_letter_once_or_ask(mailbox, ines):
    """P6, P7; `make bench PART=outbound` does it with 10,000 letters and 200 kills."""
    before = timezone.now() - timedelta(minutes=1)
    with Sink() as sink:
        sink.reach(mailbox)
        for number in range(LETTERS):
            people = [("", f"{who}{number}@client.example") for who in "abc"[: 1 + number % 3]]
            draft = drafts.start(mailbox, by=ines, now=before, to=people, subject="Hi", body_text=f"Letter {number}")
            send(draft, by=ines, seen=1, now=before)
        with Workers(2, environment(), faster=300) as workers:
            killed = workers.kill(KILLS, sink, letters=LETTERS)
            workers.wait(60)
            outcome = judge(sink)
            assert (killed, outcome.letters) == (KILLS, LETTERS)
            decide(sink, by=ines)
            workers.wait(60)
            assert judge(sink).sent == len(sink.taken) == LETTERS, workers.said()
            assert not workers.said()
