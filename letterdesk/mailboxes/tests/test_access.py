"""P9: owner, team-mate with each kind of grant, team-mate without, administrator, dismissed, stranger: every model."""

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Department, Employee, Role
from letterdesk.mailboxes.models import (
    Attachment,
    Conversation,
    Folder,
    Grant,
    Listing,
    Mailbox,
    Message,
    PendingChange,
    Placement,
    Quarantined,
)

from .conftest import employ
from .letters import letter

pytestmark = [pytest.mark.django_db, pytest.mark.case("C18")]

MODELS = [
    Mailbox, Folder, Conversation, Message, Attachment, Placement, Listing, Quarantined, PendingChange
]  # fmt: skip
RIGHTS = ["visible_to", "editable_by", "manageable_by"]


@pytest.fixture(autouse=True)
def filled(inbox, mailbox, now):
    """One row of every model."""
    placement = letter(inbox, received_at=now, files=["a.pdf"]).placements.get()
    Quarantined.objects.create(account=mailbox.account, folder=inbox, uidvalidity=1, uid=9, reason="no sense")
    PendingChange.objects.create(
        account=mailbox.account, mailbox=mailbox, folder=inbox, placement=placement, kind="flags"
    )


def rights_of(employee, model):
    return [right for right in RIGHTS if getattr(model.objects.all(), right)(employee).exists()]


def grant(mailbox, **to):
    return Grant.objects.create(account=mailbox.account, mailbox=mailbox, **to)


@pytest.mark.parametrize("model", MODELS)
def test_the_owner_has_every_right(ines, model):
    assert rights_of(ines, model) == RIGHTS


@pytest.mark.parametrize("model", MODELS)
def test_a_team_mate_without_a_grant_has_none(jonas, model):
    assert rights_of(jonas, model) == []


@pytest.mark.parametrize("model", MODELS)
def test_an_administrator_without_a_grant_reads_nothing(account, model):
    assert rights_of(employ(account, "Maria", Role.ADMINISTRATOR), model) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_has_no_right_whatever_is_granted_to_everyone(mailbox, stranger, model):
    grant(mailbox, may_manage=True)
    assert rights_of(stranger, model) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_grant_to_a_person_gives_just_its_rights(mailbox, jonas, model):
    given = grant(mailbox, employee=jonas)
    assert rights_of(jonas, model) == ["visible_to", "editable_by"]
    Grant.objects.filter(pk=given.pk).update(may_reply=False)
    assert rights_of(jonas, model) == ["visible_to"]
    Grant.objects.filter(pk=given.pk).update(may_reply=True, may_manage=True)
    assert rights_of(jonas, model) == RIGHTS
    given.delete()
    assert rights_of(jonas, model) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_grant_to_a_department_is_for_its_people_alone(account, mailbox, jonas, model):
    sales, support = (Department.objects.create(account=account, name=name) for name in ("Sales", "Support"))
    Employee.objects.filter(pk=jonas.pk).update(department=sales)
    other = employ(account, "Otto", department=support)
    grant(mailbox, department=sales)
    assert rights_of(jonas, model) == ["visible_to", "editable_by"]  # jonas as loaded before the change
    assert rights_of(other, model) == rights_of(employ(account, "Nadia"), model) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_grant_to_everyone_is_for_everyone_of_the_account(account, mailbox, jonas, model):
    grant(mailbox)
    assert rights_of(jonas, model) == ["visible_to", "editable_by"]


@pytest.mark.parametrize("model", MODELS)
def test_rights_do_not_add_up_over_grants_of_other_people(account, mailbox, jonas, model):
    grant(mailbox, employee=employ(account, "Otto"), may_manage=True)
    grant(mailbox, may_reply=False)
    assert rights_of(jonas, model) == ["visible_to"]


@pytest.mark.parametrize("model", MODELS)
def test_who_was_dismissed_sees_nothing_even_with_an_object_loaded_before(mailbox, ines, jonas, model):
    grant(mailbox)
    grant(mailbox, employee=jonas)
    Employee.objects.update(dismissed_at=timezone.now())
    assert rights_of(ines, model) == rights_of(jonas, model) == []
    Employee.objects.update(dismissed_at=None, is_active=False)
    assert rights_of(ines, model) == rights_of(jonas, model) == []


@pytest.mark.parametrize("model", MODELS)
def test_several_grants_to_one_person_give_each_row_once_in_one_query(
    account, mailbox, jonas, *, model, django_assert_num_queries
):
    sales = Department.objects.create(account=account, name="Sales")
    Employee.objects.filter(pk=jonas.pk).update(department=sales)
    for to in ({"employee": jonas}, {"department": sales}, {}):
        grant(mailbox, **to)
    with django_assert_num_queries(1):
        assert len(model.objects.visible_to(jonas)) == 1


@pytest.mark.parametrize("state", ["paused", "suspended", "disconnected", "failing"])
def test_a_mailbox_that_is_not_synced_stays_readable(mailbox, ines, state):
    Mailbox.objects.filter(pk=mailbox.pk).update(state=state)
    assert Message.objects.visible_to(ines).exists()


def test_an_administrator_manages_the_mailbox_of_another_without_reading_it(account, mailbox, jonas, stranger):
    maria = employ(account, "Maria", Role.ADMINISTRATOR)
    assert mailbox in Mailbox.objects.administered_by(maria)
    assert mailbox in Mailbox.objects.overseen_by(maria)
    for other in (jonas, stranger):
        assert mailbox not in Mailbox.objects.administered_by(other)
        assert mailbox not in Mailbox.objects.overseen_by(other)


def test_a_supervisor_oversees_the_department_and_administers_nothing(account, mailbox, ines):
    sales = Department.objects.create(account=account, name="Sales")
    boss = employ(account, "Boss", Role.SUPERVISOR, department=sales)
    lost = employ(account, "Lost", Role.SUPERVISOR)
    assert mailbox not in Mailbox.objects.overseen_by(boss)
    Employee.objects.filter(pk=ines.pk).update(department=sales)
    assert mailbox in Mailbox.objects.overseen_by(boss)
    assert mailbox not in Mailbox.objects.administered_by(boss)
    assert mailbox not in Mailbox.objects.overseen_by(lost)


def test_the_right_to_delete_on_the_server_is_the_owner_s_and_must_be_given_to_others(mailbox, ines, jonas):
    given = grant(mailbox, employee=jonas)
    assert mailbox in Mailbox.objects.deleting_on_server_by(ines)
    assert mailbox not in Mailbox.objects.deleting_on_server_by(jonas)
    Grant.objects.filter(pk=given.pk).update(may_delete_on_server=True)
    assert mailbox in Mailbox.objects.deleting_on_server_by(jonas)
