"""The page on which somebody leaves, is handed over, and comes back."""

import pytest
from django.utils import timezone

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Employee
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.mailboxes import left
from letterdesk.mailboxes.models import Mailbox


@pytest.fixture
def admin(sign_in, people):
    return sign_in(people["administrator"])


def test_one_page_dismisses_and_hands_over_and_its_queries_do_not_grow(
    admin, things, people, mailbox, django_assert_max_num_queries
):
    owner, mate = people["owner"], people["mate"]
    address = f"/people/{owner.public_id}/leaving"
    with django_assert_max_num_queries(15):
        page = admin.get(address).content.decode()
    assert mailbox.address in page and "They answer for 1 task." in page
    record = create("contact", Fields("Amara", owner), by=owner, now=timezone.now())
    assert "They are responsible for" in admin.get(address).content.decode()
    heirs = {f"mailbox-{mailbox.public_id}": mate.public_id, "tasks": mate.public_id, "records": mate.public_id}
    answer = admin.post(address, heirs)
    assert answer["Location"] == "/people"
    record.refresh_from_db()
    assert record.responsible == mate
    assert not Employee.objects.get(pk=owner.pk).is_active
    assert Mailbox.objects.get(pk=mailbox.pk).owner == mate
    things.task.refresh_from_db()
    assert things.task.responsible == mate


def test_what_waits_is_listed_and_handed_over_later(admin, things, people, mailbox):
    owner, mate = people["owner"], people["mate"]
    answer = admin.post(f"/people/{owner.public_id}/leaving")
    assert answer["Location"] == f"/people/{owner.public_id}/leaving"  # something waits
    assert "1 mailbox until" in admin.get("/people").content.decode()
    assert "What Ines left behind" in admin.get(answer["Location"]).content.decode()
    admin.post(answer["Location"], {f"mailbox-{mailbox.public_id}": mate.public_id, "records": mate.public_id})
    assert "1 task</span>" in admin.get("/people").content.decode()


def test_a_stranger_is_no_heir(admin, things, people, mailbox):
    form = {f"mailbox-{mailbox.public_id}": people["stranger"].public_id}
    assert admin.post(f"/people/{people['owner'].public_id}/leaving", form).status_code == 404
    assert Mailbox.objects.get(pk=mailbox.pk).owner == people["owner"]
    assert Employee.objects.get(pk=people["owner"].pk).is_active  # nothing was done


def test_the_last_administrator_stays(admin, people):
    boss = people["administrator"]
    answer = admin.post(f"/people/{boss.public_id}/leaving")
    assert answer.status_code == 409 and "last administrator" in answer.content.decode()


def test_administrators_are_warned_on_every_page_and_others_are_not(admin, sign_in, things, people, now):
    dismiss(people["mate"], by=people["administrator"], now=now)
    dismiss(people["owner"], by=people["administrator"], now=now)
    left.warn(now=now + left.KEPT)
    said = "Mailboxes of somebody who left are removed here"
    assert said in admin.get("/plans").content.decode()
    assert said not in sign_in(people["reader"]).get("/plans").content.decode()


def test_who_comes_back_is_told_how(admin, things, people):
    owner = people["owner"]
    admin.post(f"/people/{owner.public_id}/leaving")
    admin.post(f"/people/{owner.public_id}/reinstatement")
    assert Employee.objects.get(pk=owner.pk).is_active
    assert "choose a new password" in admin.get("/people").content.decode()
