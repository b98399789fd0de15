"""A letter at a secret address is not lost, whatever dies, fails or does not answer (R30)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.crm.linking import asked
from letterdesk.crm.models import Activity
from letterdesk.crm.tests.test_sendsave import address, arrive, house, letter  # noqa: F401  fixtures
from letterdesk.intake import jobs
from letterdesk.intake.jobs import take
from letterdesk.intake.models import Arrived, State
from letterdesk.lib import blobs, crashpoint
from letterdesk.mail.authentic import Proof


@pytest.mark.parametrize("point", ["blobs.written", "intake.before_commit", "intake.kept", "sendsave.before_commit"])
def test_a_crash_loses_nothing_and_makes_nothing_twice(ines, amara, address, arrive, now, point):  # noqa: F811
    """The sender of a letter without a 250 sends it again; what was acknowledged is done by the sweep."""
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        arrive(letter(ines))
    crashpoint.disarm()
    if point != "sendsave.before_commit":
        arrive(letter(ines), look=False)
    assert Arrived.objects.count() == 1
    Arrived.objects.update(due_at=now - timedelta(minutes=5))
    jobs.take_waiting.now()
    assert (Activity.objects.count(), Arrived.objects.get().state) == (1, State.DONE)
    jobs.take_waiting.now()
    assert Activity.objects.count() == 1


def test_what_cannot_be_read_or_fails_every_time_is_kept_and_shown(ines, amara, address, arrive, now, monkeypatch):  # noqa: F811
    empty = arrive(b"")
    for _ in range(jobs.MOST_READS):
        Arrived.objects.filter(pk=empty.pk).update(due_at=now)
        take.now(empty.pk)
    empty.refresh_from_db()
    assert (empty.state, empty.why) == (State.UNREADABLE, "unreadable")
    row = arrive(letter(ines), look=False)
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "door_named", lambda _name: (_ for _ in ()).throw(RuntimeError("a fault of ours")))
        for _ in range(20):
            Arrived.objects.filter(pk=row.pk).update(due_at=now)
            with pytest.raises(RuntimeError):
                take.now(row.pk)
    row.refresh_from_db()
    assert timezone.now() < row.due_at < timezone.now() + timedelta(days=1)  # it goes on without an end
    assert (row.state, asked.why(row)) == (State.WAITING, str(asked.WHY["failed"]))
    assert set(asked.asked_of(ines)) == {empty, row}
    assert asked.try_again(row, now=now)
    take.now(row.pk)
    assert set(asked.asked_of(ines)) == {empty}
    assert asked.try_again(empty, now=now)
    assert not asked.try_again(empty, now=now)
    assert blobs.get(row.account_id, row.blob)


def test_without_an_answer_of_dns_it_is_looked_at_again(ines, amara, arrive, house, now):  # noqa: F811
    house["proof"] = Proof.UNKNOWN
    row = arrive(letter(ines), at=timezone.now())
    assert (row.state, row.tries) == (State.WAITING, 0)
    Arrived.objects.update(arrived_at=now - timedelta(days=3650), due_at=now - timedelta(days=3650))
    take.now(row.pk)
    assert Activity.objects.get().is_unverified
