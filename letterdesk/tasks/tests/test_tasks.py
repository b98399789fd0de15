"""Tasks are made, changed, commented and ticked off."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.tests.letters import letter
from letterdesk.tasks.bin import delete
from letterdesk.tasks.change import (
    ChangedMeanwhile,
    NotAllowed,
    change,
    change_status,
    comment,
    people_in,
    version_of,
)
from letterdesk.tasks.checklist import MOST, add_item, tick
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import ChecklistItem, Status


def changed(task, by, now, **fields):
    before = {
        "title": task.title,
        "description": task.description,
        "responsible": task.responsible,
        "participants": list(task.participants.all()),
        "deadline": task.deadline,
    }
    return change(task, by=by, now=now, **before | fields)


def test_a_task_is_the_makers_own_unless_it_says_otherwise(make, ines, jonas):
    assert make().responsible == ines
    assert make(responsible=jonas).responsible == jonas


def test_numbers_count_up_in_each_account_and_never_come_twice(make, ines, stranger, now):
    from letterdesk.tasks.bin import purge

    first, second = make(), make()
    assert (first.number, second.number) == (1, 2)
    assert make(by=stranger).number == 1
    delete(second, by=ines, now=now)
    purge(second, by=ines, now=now)
    assert make().number == 3


def test_a_title_is_one_line_and_not_empty(make):
    assert make(title=" Call\n Amara  ").title == "Call Amara"
    with pytest.raises(BadTask, match="title"):
        make(title=" \n ")


def test_who_is_in_it_is_named_once(make, ines, jonas):
    task = make(responsible=jonas, participants=[ines, jonas])
    assert people_in(task) == [jonas, ines]
    assert not task.participants.exists()


def test_what_changed_is_told_and_what_did_not_is_not(make, ines, jonas, now):
    task = make()
    friday = now + timedelta(days=4)
    assert changed(task, ines, now, title="New", deadline=friday, participants=[jonas]) == [
        "title",
        "deadline",
        "participants",
    ]
    assert Event.objects.get(kind="task.changed").facts == {"changed": ["title", "deadline", "participants"]}
    assert changed(task, ines, now, participants=[jonas]) == []
    assert changed(task, ines, now, participants=[]) == ["participants"]
    task.refresh_from_db()
    assert (task.title, task.deadline) == ("New", friday)


def test_who_only_oversees_a_task_with_letters_cannot_let_themselves_in(make, inbox, administrator, ines, jonas, now):
    """Nobody reads mail by role."""
    empty = make()
    assert changed(empty, administrator, now, responsible=administrator) == ["responsible"]
    task = make(letter(inbox, received_at=now))
    for fields in ({"responsible": administrator}, {"participants": [administrator]}):
        with pytest.raises(NotAllowed):
            changed(task, administrator, now, **fields)
    with pytest.raises(NotAllowed):  # nor by way of somebody else
        changed(task, administrator, now, participants=[jonas])
    assert changed(task, administrator, now, title="Renamed") == ["title"]
    assert changed(task, ines, now, title="Renamed", participants=[jonas]) == ["participants"]
    both = [jonas, administrator]
    assert changed(task, jonas, now, title="Renamed", participants=both) == ["participants"]  # let in by one of them


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(make, ines, jonas, now):
    task = make()
    seen = version_of(task)
    assert changed(task, jonas, now, description="Call first.", participants=[jonas], seen=seen)
    with pytest.raises(ChangedMeanwhile):
        changed(task, ines, now, title="New", seen=seen)
    task.refresh_from_db()
    assert (task.description, list(task.participants.all())) == ("Call first.", [jonas])
    assert "title" in changed(task, ines, now, title="New", seen=version_of(task))


def test_it_is_done_by_somebody_at_a_time_and_opened_again(make, jonas, ines, now):
    task = make()
    assert change_status(task, Status.DONE, by=jonas, now=now)
    assert not change_status(task, Status.DONE, by=ines, now=now)
    assert (task.is_done, task.done_by, task.done_at) == (True, jonas, now)
    assert change_status(task, Status.TODO, by=ines, now=now)
    assert (task.is_done, task.done_by, task.done_at) == (False, None, None)
    with pytest.raises(BadTask):
        change_status(task, "nonsense", by=ines, now=now)


def test_a_deadline_that_has_passed_shows_until_it_is_done(make, ines, now):
    task = make(deadline=now)
    assert not task.is_overdue(now)
    later = now + timedelta(seconds=1)
    assert task.is_overdue(later)
    change_status(task, Status.DONE, by=ines, now=later)
    assert not task.is_overdue(later)


def test_comments_and_checklist(make, ines, jonas, now):
    task = make()
    comment(task, " Called her. ", by=jonas, now=now)
    assert [(each.by, each.text) for each in task.comments.all()] == [(jonas, "Called her.")]
    item = add_item(task, "Ask for the number")
    tick(item, on=True, by=ines, now=now)
    assert (item.is_done, item.done_by) == (True, ines)
    tick(item, on=False, by=ines, now=now)
    assert (item.is_done, item.done_by, item.done_at) == (False, None, None)
    for empty in (lambda: comment(task, " ", by=jonas, now=now), lambda: add_item(task, " ")):
        with pytest.raises(BadTask):
            empty()


def test_a_checklist_ends_somewhere(make):
    task = make()
    lines = [ChecklistItem(account=task.account, task=task, text="x") for _ in range(MOST - 1)]
    task.checklist.bulk_create(lines)
    add_item(task, "the last one")
    assert task.checklist.count() == MOST
    with pytest.raises(BadTask, match="200"):
        add_item(task, "one more")


def test_nothing_changes_in_the_bin(make, ines, now):
    task = make()
    delete(task, by=ines, now=now)
    for act in (
        lambda: changed(task, ines, now, title="New"),
        lambda: change_status(task, Status.DONE, by=ines, now=now),
        lambda: comment(task, "Hello", by=ines, now=now),
        lambda: add_item(task, "Hello"),
        lambda: delete(task, by=ines, now=now),
    ):
        with pytest.raises(InBin):
            act()


def test_no_event_says_what_was_written(make, ines, now):
    task = make(title="Secret offer", description="Secret text")
    comment(task, "Secret comment", by=ines, now=now)
    assert not [event for event in Event.objects.all() if "Secret" in f"{event.facts} {event.subject}"]
