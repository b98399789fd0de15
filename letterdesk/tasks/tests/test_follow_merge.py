"""Tasks follow two records of CRM that became one."""

from letterdesk.crm.records.merge import merge
from letterdesk.crm.tests.seeding import record_of
from letterdesk.events.models import Event
from letterdesk.tasks.bind import bind, tasks_of
from letterdesk.tasks.follow_merge import after_merge


def test_tasks_about_either_are_about_the_one_that_stays(make, ines, now):
    into, other = record_of(ines, "Amara Okafor"), record_of(ines, "A. Okafor")
    both, alone = make(), make()
    for task, record in ((both, into), (both, other), (alone, other)):
        bind(task, record, by=ines, now=now)
    merge(into, other, by=ines, now=now)
    for _ in range(2):
        after_merge(Event.objects.get(kind="record.merged"))
    assert set(tasks_of(into, ines).shown) == {both, alone}
    assert not tasks_of(other, ines).shown
