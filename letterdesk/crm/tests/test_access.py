"""Who sees records, activities and what belongs to them (P9, R8)."""

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Role
from letterdesk.crm.models import Activity, Binding, EmailAddress, Record, Scope, Sight
from letterdesk.crm.records.bin import delete, purge
from letterdesk.mailboxes.tests.conftest import employ

from .conftest import activity_at

PEOPLE = ("owner", "colleague", "mate", "supervisor", "administrator", "stranger")


@pytest.fixture
def people(ines, account, supervisor, administrator, stranger, jonas):
    return {
        "owner": ines,
        "colleague": jonas,  # of no department
        "mate": employ(account, "Mate", department=ines.department),
        "supervisor": supervisor,
        "administrator": administrator,
        "stranger": stranger,
    }


@pytest.fixture
def record(people, make):
    return make(addresses=("amara@okafor.example",))


def who(people, ask):
    return {name for name in PEOPLE if ask(people[name]).exists()}


def test_by_default_the_owner_their_supervisor_and_administrators_see_a_record(record, people):
    seeing = {"owner", "supervisor", "administrator"}
    assert who(people, Record.objects.visible_to) == seeing
    assert who(people, Record.objects.editable_by) == seeing
    assert who(people, EmailAddress.objects.visible_to) == seeing


@pytest.mark.parametrize(
    ("scope", "seeing"),
    [
        (Scope.OWN, {"owner"}),
        (Scope.DEPARTMENT, {"owner", "mate"}),
        (Scope.ALL, {"owner", "mate", "colleague"}),
    ],
)
def test_an_account_says_who_sees_what(record, people, account, scope, seeing):
    Sight.objects.create(account=account, role=Role.EMPLOYEE, scope=scope)
    assert who(people, Record.objects.visible_to) == seeing | {"supervisor", "administrator"}


def test_an_administrator_can_be_confined_too(record, people, account):
    Sight.objects.create(account=account, role=Role.ADMINISTRATOR, scope=Scope.OWN)
    assert who(people, Record.objects.visible_to) == {"owner", "supervisor"}


def test_an_activity_is_seen_by_who_sees_one_of_its_records(record, people, make, jonas, now):
    activity = activity_at(record, make(name="Other", by=jonas), at=now)
    assert who(people, Activity.objects.visible_to) == {"owner", "colleague", "supervisor", "administrator"}
    assert who(people, Binding.objects.visible_to) == {"owner", "colleague", "supervisor", "administrator"}
    assert Activity.objects.visible_to(people["administrator"]).get() == activity  # once


def test_a_dismissed_person_sees_nothing_and_their_records_are_still_seen(record, people, now):
    activity_at(record, at=now)
    for name in ("owner", "supervisor"):
        dismiss(people[name], by=people["administrator"], now=now)
    assert who(people, Record.objects.visible_to) == {"administrator"}
    assert who(people, Activity.objects.visible_to) == {"administrator"}


def test_what_is_left_of_a_purged_record_is_seen_by_who_deleted_it_and_who_sees_all(record, people, ines, now):  # R8
    activity_at(record, at=now)
    delete(record, by=ines, now=now)
    purge(record, by=ines, now=now)
    assert who(people, Activity.objects.visible_to) == {"owner", "administrator"}
