"""Who sees, changes and deletes a task, and who reads the letters in it (P9)."""

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.mailboxes.tests.letters import letter
from letterdesk.tasks.bin import delete
from letterdesk.tasks.models import Task, TaskLetter

PEOPLE = ("creator", "responsible", "participant", "supervisor", "administrator", "mate", "stranger")


@pytest.fixture
def people(ines, jonas, account, supervisor, administrator, stranger):
    from letterdesk.mailboxes.tests.conftest import employ

    return {
        "creator": ines,
        "responsible": jonas,
        "participant": employ(account, "Petra"),
        "supervisor": supervisor,
        "administrator": administrator,
        "mate": employ(account, "Mate"),
        "stranger": stranger,
    }


@pytest.fixture
def task(people, inbox, make, now):
    return make(letter(inbox, received_at=now), responsible=people["responsible"], participants=[people["participant"]])


def who(people, ask):
    return {name for name in PEOPLE if ask(people[name]).exists()}


NAMED = {"creator", "responsible", "participant"}
OVERSEEING = {"supervisor", "administrator"}


def test_those_named_and_those_who_oversee_see_and_change_it(task, people):
    assert who(people, Task.objects.visible_to) == NAMED | OVERSEEING
    assert who(people, Task.objects.editable_by) == NAMED | OVERSEEING
    assert who(people, Task.objects.naming) == NAMED


def test_participants_do_not_delete(task, people):  # R29
    assert who(people, Task.objects.deletable_by) == {"creator", "responsible"} | OVERSEEING


def test_nobody_reads_its_letters_by_office(task, people):
    assert who(people, TaskLetter.objects.readable_by) == NAMED
    assert who(people, TaskLetter.objects.visible_to) == NAMED | OVERSEEING


def test_each_row_comes_once(task, people):
    assert Task.objects.visible_to(people["creator"]).count() == 1
    assert TaskLetter.objects.readable_by(people["creator"]).count() == 1


def test_in_the_bin_it_is_seen_but_neither_changed_nor_read(task, people, ines, now):
    delete(task, by=ines, now=now)
    assert who(people, Task.objects.visible_to) == NAMED | OVERSEEING
    assert who(people, Task.objects.editable_by) == set()
    assert who(people, TaskLetter.objects.readable_by) == set()


def test_a_dismissed_person_sees_nothing_from_then_on(task, people, now):
    for name in ("responsible", "supervisor"):
        dismiss(people[name], by=people["administrator"], now=now)
    dismissed = {"responsible", "supervisor"}
    assert who(people, Task.objects.visible_to) == (NAMED | OVERSEEING) - dismissed
    assert who(people, Task.objects.deletable_by) == {"creator", "administrator"}
    assert who(people, TaskLetter.objects.readable_by) == NAMED - dismissed
