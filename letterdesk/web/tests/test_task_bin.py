"""The bin of tasks in the browser (R29): what goes along is said before, by whom it may be done, and it comes back."""

# ruff: noqa: F811  fixtures come by import

from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import Grant, Message
from letterdesk.tasks.bin import delete
from letterdesk.tasks.models import Task
from letterdesk.web.tests.test_tasks import letter, make, text_of, titles  # noqa: F401  fixtures


@pytest.fixture
def task(make, letter, jonas):
    return make("Renew contract", letter, responsible=jonas)


def listed(client, inbox):
    return client.get(f"/mail/{inbox.public_id}").content.decode().count('<li class="row')


def test_the_warning_says_what_goes_along_and_who_learns_of_it(sign_in, people, jonas, make, letter, task):
    page = text_of(sign_in(jonas).get(f"/tasks/{task.public_id}/deletion"))
    assert "1 letter goes into the bin with its attachments" in page
    assert "Whose mailbox it is learns of it: Ines" in page
    assert "Nothing is deleted on the mail server" in page
    assert "Offer" in page
    assert "Offer" not in text_of(sign_in(people["administrator"]).get(f"/tasks/{task.public_id}/deletion"))
    make("Another", letter)
    page = text_of(sign_in(jonas).get(f"/tasks/{task.public_id}/deletion"))
    assert "No letter." in page
    assert "1 letter stays, because another task keeps it." in page


def test_looking_at_the_warning_changes_nothing(browser, task):
    browser.get(f"/tasks/{task.public_id}/deletion")
    task.refresh_from_db()
    assert task.deleted_at is None


def test_both_go_into_the_bin_and_come_back(browser, inbox, letter, task):
    browser.post(f"/tasks/{task.public_id}/deletion")
    assert listed(browser, inbox) == 0
    assert browser.get(f"/messages/{letter.public_id}/body").status_code == 404
    assert titles(browser.get("/tasks")) == []
    assert titles(browser.get("/tasks?view=bin")) == ["Renew contract"]
    page = text_of(browser.get(f"/tasks/{task.public_id}"))
    assert "In the bin, put there by Ines." in page
    assert "Offer" not in page
    browser.post(f"/tasks/{task.public_id}/restoration")
    assert listed(browser, inbox) == 1
    assert titles(browser.get("/tasks")) == ["Renew contract"]


def test_delete_now_says_so_first_and_leaves_nothing(browser, inbox, task):
    browser.post(f"/tasks/{task.public_id}/deletion")
    assert "1 letter is deleted here" in text_of(browser.get(f"/tasks/{task.public_id}/purging"))
    assert Task.objects.exists()
    answer = browser.post(f"/tasks/{task.public_id}/purging")
    assert answer["Location"] == "/tasks?view=bin"
    assert not Task.objects.exists()
    assert not Message.objects.exists()
    assert listed(browser, inbox) == 0


@pytest.mark.parametrize("act", ["restoration", "purging"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 302), ("mate", 302), ("administrator", 302), ("reader", 404), ("participant", 404), ("stranger", 404)],
)
def test_only_who_may_delete_it_restores_or_purges_it(sign_in, people, make, now, who, status, act):
    """Creator, responsible person, administrator; not a participant."""
    task = make("Of some", responsible=people["mate"], participants=[people["reader"]])
    delete(task, by=people["owner"], now=now)
    actor = people["reader" if who == "participant" else who]
    assert sign_in(actor).post(f"/tasks/{task.public_id}/{act}").status_code == status


def test_where_is_my_mail_says_that_it_is_in_the_bin_and_not_what_it_says(browser, mailbox, letter, task):
    assert "In the bin since" not in text_of(browser.get(f"/mailboxes/{mailbox.public_id}/where?q=offer"))
    browser.post(f"/tasks/{task.public_id}/deletion")
    page = text_of(browser.get(f"/mailboxes/{mailbox.public_id}/where?q=offer"))
    assert "In the bin since" in page
    assert "Re: Offer" not in page


def test_the_owner_of_the_mailbox_sees_what_went_along_with_tasks_of_others(  # R29
    sign_in,
    account,
    ines,
    jonas,
    people,
    inbox,
    make,
    letter,
):
    Grant.objects.create(account=account, mailbox=inbox.mailbox, employee=jonas)
    task = make("Of Jonas alone", letter, by=jonas)
    make("Not in the bin", letter, by=people["administrator"])
    owner = sign_in(ines)
    sign_in(jonas).post(f"/tasks/{task.public_id}/deletion")
    assert "Letters of your mailboxes" not in text_of(owner.get("/tasks?view=bin"))  # another task keeps it
    other = Task.objects.get(title="Not in the bin")
    sign_in(people["administrator"]).post(f"/tasks/{other.public_id}/deletion")
    page = text_of(owner.get("/tasks?view=bin"))
    assert "#1 · Ines · 1 letter Jonas" in page
    assert "Of Jonas alone" not in page
    assert "Letters of your mailboxes" not in text_of(sign_in(people["mate"]).get("/tasks?view=bin"))


def test_after_30_days_the_bin_shows_it_no_more_even_if_no_job_has_run(browser, task):
    browser.post(f"/tasks/{task.public_id}/deletion")
    Task.objects.update(deleted_at=Task.objects.get().deleted_at - timedelta(days=30))
    assert titles(browser.get("/tasks?view=bin")) == []
    assert browser.get(f"/tasks/{task.public_id}").status_code == 404
    assert browser.post(f"/tasks/{task.public_id}/restoration").status_code == 404
