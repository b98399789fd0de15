"""A task is about records of CRM: a link, and no right follows from it."""

import pytest

from letterdesk.crm.records import bin as crm_bin
from letterdesk.crm.tests.seeding import record_of
from letterdesk.events.models import Event
from letterdesk.tasks.bin import delete
from letterdesk.tasks.bind import bind, records_of, release, tasks_of
from letterdesk.tasks.change import change_status
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import Task, TaskRecord


@pytest.fixture
def amara(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


def test_it_is_shown_at_both_once_and_taken_away(make, ines, amara, now):
    task = make()
    assert (bind(task, amara, by=ines, now=now), bind(task, amara, by=ines, now=now)) == (True, False)
    assert (records_of(task, ines).shown, tasks_of(amara, ines).shown) == ([amara], [task])
    assert (release(task, amara, by=ines), release(task, amara, by=ines)) == (True, False)
    assert (records_of(task, ines).shown, tasks_of(amara, ines).shown) == ([], [])
    assert [event.facts for event in Event.objects.filter(kind="task.changed")] == [{"changed": ["records"]}] * 2


def test_nobody_sees_more_by_it_and_is_told_how_much_they_do_not_see(make, ines, jonas, amara, now):
    task, own = make(participants=[jonas]), make(by=ines)
    for each in (task, own):
        bind(each, amara, by=ines, now=now)
    of_jonas = records_of(task, jonas)
    assert (of_jonas.shown, of_jonas.hidden) == ([], 1)
    seen = tasks_of(amara, jonas)
    assert (seen.shown, seen.hidden) == ([task], 1)


def test_open_ones_come_first_and_what_lies_in_a_bin_is_not_shown(make, ines, amara, now):
    done, late, soon, binned = make(), make(), make(deadline=now), make()
    for task in (done, late, soon, binned):
        bind(task, amara, by=ines, now=now)
    change_status(done, "done", by=ines, now=now)
    delete(binned, by=ines, now=now)
    seen = tasks_of(amara, ines)
    assert (seen.shown, seen.hidden) == ([soon, late, done], 0)
    with pytest.raises(InBin):
        release(binned, amara, by=ines)
    crm_bin.delete(amara, by=ines, now=now)
    assert (records_of(soon, ines).shown, records_of(soon, ines).hidden) == ([], 0)
    crm_bin.purge(amara, by=ines, now=now)
    assert not TaskRecord.objects.exists()
    assert Task.objects.count() == 4


def test_a_record_of_another_account_is_refused(make, stranger, ines, amara, now):  # F10
    with pytest.raises(ValueError, match="another account"):
        bind(make(by=stranger), amara, by=stranger, now=now)
