"""Reminders and notices: told once to whom they are for, however many schedulers look, and moving with the deadline."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections, transaction

from letterdesk.accounts.close import close, reopen
from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Employee
from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.tasks.bin import delete, restore
from letterdesk.tasks.change import change_status, put_on
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.jobs import tell_reminders
from letterdesk.tasks.link import lock
from letterdesk.tasks.models import Notice, Reminder
from letterdesk.tasks.notices import SHOWN, forget_notices, tell_due, tell_overdue
from letterdesk.tasks.reminders import MOST, remind_at, remind_before
from tests.rig.together import at_once

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=ZoneInfo("UTC"))


def told(person):
    return [(each.kind, each.task and each.task.title) for each in Notice.objects.visible_to(person).order_by("pk")]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_telling_does_not_wait_for_who_changes_the_task(make, ines, now):
    """Else each would wait for the other: the deadline's change for the reminder, its notice for the task."""
    task = make(deadline=now + 3 * HOUR)
    remind_before(task, 60, by=ines, now=now)

    def tell():
        connection.cursor().execute("SET lock_timeout = 2000")
        return tell_due(now=now + 2 * HOUR)

    with transaction.atomic():
        lock(task)
        assert at_once([tell]) == [1]


def test_it_is_told_when_it_is_due_and_once(make, ines, jonas, now):
    task = make(participants=[jonas], deadline=now + 3 * HOUR)
    remind_before(task, 60, by=ines, now=now)
    remind_at(task, now + HOUR, by=jonas, now=now)
    assert tell_due(now=now + HOUR - timedelta(seconds=1)) == 0
    assert (tell_due(now=now + HOUR), tell_due(now=now + HOUR)) == (1, 0)
    assert (told(jonas), told(ines)) == ([("reminder", "Renew contract")], [])
    assert (tell_due(now=now + 2 * HOUR), tell_due(now=now + 9 * HOUR)) == (1, 0)
    assert told(ines) == [("reminder", "Renew contract")]
    assert [event.topic for event in Event.objects.filter(kind="task.reminded").order_by("pk")] == [
        jonas.topic,
        ines.topic,
    ]


def test_it_moves_with_the_deadline_and_is_told_of_the_new_one(make, ines, now):
    task = make(deadline=now + 2 * HOUR)
    remind_before(task, 60, by=ines, now=now)
    fixed = remind_at(task, now + 5 * HOUR, by=ines, now=now)
    put_on(task, None, by=ines, now=now)
    assert tell_due(now=now + 2 * HOUR) == 0
    put_on(task, now + 4 * HOUR, by=ines, now=now)
    assert tell_due(now=now + 3 * HOUR) == 1
    put_on(task, now + 8 * HOUR, by=ines, now=now + 3 * HOUR)
    fixed.refresh_from_db()
    assert fixed.due_at == now + 5 * HOUR
    assert tell_due(now=now + 7 * HOUR) == 2
    assert len(told(ines)) == 3


def test_what_is_done_or_not_ones_own_any_more_is_told_to_nobody(make, ines, jonas, administrator, now):
    done, left, away = make(), make(participants=[jonas]), make(responsible=jonas)
    for task, person in ((done, ines), (left, jonas), (away, jonas)):
        remind_at(task, now + HOUR, by=person, now=now)
    change_status(done, "done", by=ines, now=now)
    left.taking_part.all().delete()
    dismiss(jonas, by=administrator, now=now)
    assert tell_due(now=now + HOUR) == 3
    assert not Notice.objects.exists()


def test_in_the_bin_it_waits_for_its_task(make, ines, now):
    task = make()
    remind_at(task, now + HOUR, by=ines, now=now)
    delete(task, by=ines, now=now)
    assert tell_due(now=now + 2 * HOUR) == 0
    restore(task, by=ines, now=now + 3 * HOUR)
    assert tell_due(now=now + 3 * HOUR) == 1
    delete(task, by=ines, now=now + 3 * HOUR)
    assert told(ines) == []


def test_a_closed_account_is_told_nothing_until_its_deletion_is_taken_back(make, account, ines, now):
    """F17."""
    task = make(deadline=now + HOUR)
    remind_at(task, now + HOUR, by=ines, now=now)
    close(account, typed=account.name, by=None, now=now)
    late = now + timedelta(days=2)
    assert (tell_due(now=late), tell_overdue(now=late)) == (0, 0) and told(ines) == []
    reopen(account, by=None)
    assert (tell_due(now=late), tell_overdue(now=late)) == (1, 1) and len(told(ines)) == 2


def test_a_crash_before_the_commit_neither_loses_nor_doubles_it(make, ines, now):
    remind_at(make(), now + HOUR, by=ines, now=now)
    crashpoint.interrupt("tell_due.before_commit")
    with pytest.raises(crashpoint.Crashed):
        tell_due(now=now + HOUR)
    crashpoint.disarm()
    assert not Notice.objects.exists()
    assert tell_due(now=now + HOUR) == 1
    assert Notice.objects.count() == Event.objects.filter(kind="task.reminded").count() == 1


@pytest.mark.parametrize("minutes", [-1, 60 * 24 * 61, 240])
def test_what_cannot_be_is_refused(make, ines, now, minutes):
    task = make(deadline=now + 2 * HOUR)
    with pytest.raises(BadTask):
        remind_before(task, minutes, by=ines, now=now)
    with pytest.raises(BadTask):
        remind_at(task, now, by=ines, now=now)


def test_twice_the_same_is_once_and_there_are_not_too_many(make, ines, now):
    task = make()
    for number in (1, 1, *range(2, MOST + 1)):
        remind_at(task, now + number * HOUR, by=ines, now=now)
    assert Reminder.objects.count() == MOST
    with pytest.raises(BadTask, match="the most"):
        remind_at(task, now + 99 * HOUR, by=ines, now=now)


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_tell_each_once(make, ines, now):  # F21
    for number in range(10):
        remind_at(make(deadline=now), now + HOUR + timedelta(minutes=number), by=ines, now=now)
    later = (now + timedelta(days=1)).replace(hour=12)
    barrier, errors = threading.Barrier(2), []

    def run():
        try:
            barrier.wait()
            tell_due(now=later)
            tell_overdue(now=later)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(kind for kind, _title in told(ines)) == ["overdue"] + ["reminder"] * 10
    assert Event.objects.filter(topic=ines.topic).count() == 11


# Overdue


@pytest.fixture
def in_berlin(account):
    account.time_zone = "Europe/Berlin"
    account.save(update_fields=["time_zone"])


def test_what_is_overdue_is_told_once_a_day_from_the_persons_morning_on(make, ines, jonas, in_berlin):
    for title in ("One", "Two"):
        make(title=title, deadline=NOON, by=jonas, responsible=ines)
    assert tell_overdue(now=NOON) == 0
    assert [tell_overdue(now=NOON + HOUR * hours) for hours in (1, 2, 18, 19, 20)] == [1, 0, 0, 1, 0]  # 8:00 in Berlin
    assert list(Notice.objects.order_by("pk").values_list("employee", "count")) == [(ines.pk, 2)] * 2
    assert Notice.objects.filter(seen_at=None).count() == 1  # the day before is not counted any more
    assert Event.objects.filter(kind="task.overdue", topic=ines.topic).count() == 2


def test_done_binned_and_those_of_people_who_left_are_not_overdue(make, ines, jonas, administrator):
    done, binned, left = make(deadline=NOON), make(deadline=NOON), make(deadline=NOON, responsible=jonas)
    change_status(done, "done", by=ines, now=NOON)
    delete(binned, by=ines, now=NOON)
    dismiss(jonas, by=administrator, now=NOON)
    assert left.is_overdue(NOON + HOUR)
    assert tell_overdue(now=NOON + 2 * HOUR) == 0


def test_it_asks_the_same_however_many_are_overdue(make, ines, django_assert_num_queries):
    for _number in range(5):
        make(deadline=NOON)
    tell_overdue(now=NOON + HOUR)
    with django_assert_num_queries(3):
        assert tell_overdue(now=NOON + HOUR) == 0


def test_the_job_tells_both_and_old_notices_go(make, ines, now, monkeypatch):
    from letterdesk.tasks import jobs

    remind_at(make(), now + HOUR, by=ines, now=now)
    make(deadline=now + HOUR)
    morning = (now + timedelta(days=1)).replace(hour=12)
    monkeypatch.setattr(jobs.timezone, "now", lambda: morning)
    tell_reminders.now()
    assert {kind for kind, _title in told(ines)} == {"reminder", "overdue"}
    assert forget_notices(now=morning + SHOWN) == 0
    assert forget_notices(now=morning + SHOWN + HOUR) == 3
    assert not Reminder.objects.exists()


def test_each_sees_their_own_alone(make, ines, jonas, administrator, stranger, now):
    remind_at(make(participants=[jonas]), now + HOUR, by=ines, now=now)
    tell_due(now=now + HOUR)
    for model in (Reminder, Notice):
        seen = [person for person in Employee.objects.all() if model.objects.visible_to(person).exists()]
        assert seen == [ines]
