"""Workers that send, as processes of their own, killed at random moments; and what must be true afterwards (P6).

with Workers(4, environment()) as workers:
    workers.kill(200, sink, letters=10_000)
    workers.wait()
outcome = judge(sink)

A nursery sets Django up once and forks the workers, so that one that was killed is followed by another within some
milliseconds. Each does what the job `outbound.deliver_due` does, again and again, by a clock that runs `faster`: the
fifteen minutes for which nobody touches a dead worker's letter are fifteen seconds if it is sixty times as fast.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes.folder_for import folder_for
from letterdesk.mailboxes.models import FolderRole, Message, Placement
from letterdesk.mailboxes.receive import prepare, store
from letterdesk.outbound.again import send_again
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, RecipientState, State
from letterdesk.outbound.resolve import look_for
from letterdesk.plans.models import Usage
from letterdesk.plans.usage import recount

from .sink import Sink

ROOT = Path(__file__).resolve().parent.parent.parent
IDLE = 0.05  # seconds that a worker without letters sleeps
ON_ITS_WAY = Q(state__in=[State.QUEUED, State.SENDING, State.DEFERRED])
UNFILED = Q(state=State.SENT, is_filed=False)
NURSERY = "import sys, django; django.setup(); from tests.rig.workers import nurse; nurse(*map(float, sys.argv[1:]))"


class Workers:
    """So many of them; a context manager that kills those that are left."""

    def __init__(self, count: int, environment: Mapping[str, str], *, faster: float = 60, seed: int = 7) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        words = [sys.executable, "-W", "ignore", "-c", NURSERY, str(time.time()), str(faster)]
        self._nursery = subprocess.Popen(
            words, env={**environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._chance = random.Random(seed)
        self._workers = [self._fork() for _ in range(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            os.kill(worker, signal.SIGKILL)
        self._nursery.kill()
        self._nursery.communicate()
        self._log.close()

    def kill(self, times: int, sink: Sink, *, letters: int) -> int:
        """SIGKILL one of them at random moments, spread over the time in which the sink takes so many letters; another
        takes its place. Returns how often: less if nothing was on its way any more."""
        moments = sorted(self._chance.choices(range(letters * 19 // 20), k=times))
        for done, moment in enumerate(moments):
            while len(sink.taken) < moment and Delivery.objects.filter(ON_ITS_WAY).exists():
                time.sleep(0.05)
            time.sleep(self._chance.uniform(0, 0.3))
            if not Delivery.objects.filter(ON_ITS_WAY).exists():
                return done
            place = self._chance.randrange(len(self._workers))
            os.kill(self._workers[place], signal.SIGKILL)
            self._workers[place] = self._fork()
        return times

    def wait(self, seconds: float) -> None:
        """Until no letter is on its way any more, nor its copy on the way to Sent."""
        end = time.monotonic() + seconds
        while Delivery.objects.filter(ON_ITS_WAY | UNFILED).exists():
            assert time.monotonic() < end, f"letters are still on their way after {seconds} s: {self.said()}"
            time.sleep(0.1)

    def said(self) -> str:
        """The errors of the workers."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _fork(self) -> int:
        stdin, stdout = self._nursery.stdin, self._nursery.stdout
        assert stdin is not None and stdout is not None
        stdin.write("another\n")
        return int(stdout.readline() or self._failed())

    def _failed(self) -> NoReturn:
        raise AssertionError(self.said())


def nurse(began: float, faster: float) -> None:
    """In the nursery: for each line that comes fork a worker and tell its process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for _line in sys.stdin:
        child = os.fork()
        if not child:
            _work(_clock(began, faster))
        print(child, flush=True)


def _work(clock: Callable[[], datetime]) -> NoReturn:
    random.seed()
    os.dup2(2, 1)
    while True:
        try:
            done = deliver(now=clock(), clock=clock)
            look_for(now=clock())
        except Exception:
            traceback.print_exc()
            connections.close_all()
            done = 0
        if not done:
            time.sleep(IDLE)


def _clock(began: float, faster: float) -> Callable[[], datetime]:
    return lambda: datetime.fromtimestamp(began + (time.time() - began) * faster, UTC)


@dataclass(frozen=True)
class Outcome:
    """What became of the letters: `unknown` of them are perhaps sent, of which `unknown_taken` lie at the server."""

    letters: int
    sent: int
    unknown: int
    unknown_taken: int


def judge(sink: Sink) -> Outcome:
    """Ask the server that took them, letter by letter. Fails unless each was taken once and is sent, or is unknown
    and was taken at most once; where each sent one, and none else, lies in Sent once, and the quota is what was sent.
    """
    copies = Counter(taken.header("Message-ID").strip("<>") for taken in sink.taken)
    assert max(copies.values(), default=1) == 1, f"sent twice: {[one for one, count in copies.items() if count > 1]}"
    filed = Counter(Message.objects.filter(placements__folder__role="sent").values_list("message_id", flat=True))
    known = dict(Delivery.objects.values_list("message_id", "state"))
    assert set(copies) <= set(known), "a letter that nobody sent"
    for message_id, state in known.items():
        assert state in {State.SENT, State.UNKNOWN}, (message_id, state)
        assert state == State.UNKNOWN or copies[message_id] == 1, f"not sent, although it says so: {message_id}"
        assert filed[message_id] == (state == State.SENT), f"{filed[message_id]} copies in Sent: {message_id}, {state}"
    unknown = {message_id for message_id, state in known.items() if state == State.UNKNOWN}
    _check_recipients()
    [usage] = Usage.objects.all()
    assert usage.used == len(known) and recount(usage) == 0, (usage.used, len(known))  # P7: the unknown count (R23)
    return Outcome(len(known), len(known) - len(unknown), len(unknown), sum(copies[each] for each in unknown))


def _check_recipients() -> None:
    for state, recipient in ((State.SENT, RecipientState.ACCEPTED), (State.UNKNOWN, RecipientState.UNKNOWN)):
        others = Delivery.objects.filter(state=state).exclude(recipients__state=recipient)
        assert not others.exists(), f"{others.count()} {state} letters with other recipients"


def decide(sink: Sink, *, by: Employee) -> None:
    """What the unknown letters' people do: who asked the recipient, and heard that it has not come, sends it again.

    Those that came are found in Sent, as a provider files them.
    """
    at_server = {taken.header("Message-ID").strip("<>"): taken.raw for taken in sink.taken}
    now = timezone.now()
    for row in Delivery.objects.filter(state=State.UNKNOWN).select_related("mailbox"):
        if row.message_id not in at_server:
            send_again(row, by=by, now=now)
            continue
        with transaction.atomic():
            sent = folder_for(row.mailbox, FolderRole.SENT)
        uid = max([0, *Placement.objects.filter(folder=sent).values_list("uid", flat=True)]) + 1
        prepared = prepare(sent, [Fetched(uid, at_server[row.message_id], now, frozenset())], now=now)
        with transaction.atomic():
            store(sent, prepared, uidvalidity=sent.uidvalidity or 0, now=now)
    look_for(now=now)
