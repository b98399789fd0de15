"""A process that looks at a polled mailbox is killed, again and again: every letter is in CRM once (R30)."""

import random
import time
from collections import Counter

import pytest

from letterdesk.crm.models import Activity, Kind, PolledLetter, PolledMailbox, Record, Unknown
from letterdesk.crm.polled import connect as polled
from letterdesk.intake import jobs
from letterdesk.intake.models import Arrived, State
from tests.rig.boxes import letter
from tests.rig.polled import Polled
from tests.rig.processes import POLL, Process
from tests.rig.sampling import sampled
from tests.rig.world import make_account

POINTS = ["collect.announced", "blobs.written", "polled.fetched", "polled.before_commit", "polled.kept"]
POINTS += ["polled.before_taken"]
MOMENTS = [*(f"{point}:{nth}" for point in POINTS for nth in (1, 2)), *(["at random"] * 28)]
IN_A_ROUND = 55  # more than one transaction takes
SEED = 20240506


class Killed(Polled):
    """Its letters, each of a person of its own, and a process that looks and is killed."""

    count = 0

    def come(self):
        """A round's letters; one of them lies here twice."""
        first, self.count = self.count + 1, self.count + IN_A_ROUND
        with self.server.client(self.user) as client:
            for number in [*range(first, self.count + 1), first]:
                raw = letter(number, "x" * 3_000, From=f"Client {number} <client{number}@c{number}.example>")
                client.store_letter("INBOX", raw)

    def die(self, moment, chance):
        """Look in a process of its own, which SIGKILL ends then; nobody looks until its lease would be over."""
        self._is_due()
        named = {} if moment == "at random" else {"CRASH_AT": moment}
        with Process(POLL, JOBS_URL="memory://", **named) as process:
            if named:
                assert process.wait() == -9, process.output
            else:
                self._wait_for_look(process)
                time.sleep(chance.uniform(0, 1.5))
        self._is_due()

    def settle(self):
        """Look until there is nothing more, and take what waits."""
        while not self.look().is_whole or self.mailbox.error_code:
            assert not self.mailbox.error_code, self.mailbox.error_text
        for _ in range(20):
            Arrived.objects.filter(state=State.WAITING).update(due_at=self.now - 2 * jobs.MISSED_AFTER)
            jobs.take_waiting.now()

    def _is_due(self):
        PolledMailbox.objects.update(due_at=self.now, leased_until=None)

    def _wait_for_look(self, process):
        until = time.monotonic() + 60
        while not PolledMailbox.objects.filter(leased_until__isnull=False).exists():
            assert process.is_running and time.monotonic() < until, "nobody looks"
            time.sleep(0.01)


@pytest.mark.dovecot
@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.usefixtures("quiet")
def test_killed_at_any_moment_again_and_again_every_letter_is_in_crm_once(dovecot):
    chance = random.Random(SEED)
    house = Killed(dovecot, dovecot.add_user(), make_account(plan="standard"))
    house.connect(becomes=polled.Becomes(incoming=Unknown.LEAD))
    for moment in sampled(MOMENTS, 4):
        house.come()
        house.die(moment, chance)
    house.settle()
    numbers = range(1, house.count + 1)
    once = Counter(f"Letter {number}" for number in numbers)
    assert Counter(Activity.objects.values_list("subject", flat=True)) == once
    leads = Record.objects.filter(kind=Kind.LEAD).values_list("name", flat=True)
    assert Counter(leads) == Counter(f"Client {number}" for number in numbers)
    assert Arrived.objects.count() == house.count and not Arrived.objects.exclude(state=State.DONE).exists()
    assert not PolledLetter.objects.exclude(trouble="").exists()
    assert house.look().letters == 0
