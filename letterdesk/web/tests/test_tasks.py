"""Tasks in the browser, with no script at all: lists, the form from a letter, the page, and who reads letters there."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.mailboxes.models import Message
from letterdesk.plans.models import Subscription
from letterdesk.tasks.create import create
from letterdesk.tasks.models import Task, TaskFile
from letterdesk.web.tests.conftest import raw_letter

YEAR = timedelta(days=365)


@pytest.fixture
def letter(deliver):
    return deliver(raw_letter("Re: Offer", text="pineapple", files=[("a.pdf", "application/pdf", b"%PDF-1", "")]))[0]


@pytest.fixture
def make(ines, now):
    def made(title="Renew contract", *letters, by=ines, **fields):
        return create(title, by=by, now=now, letters=letters, **fields)

    return made


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def titles(answer):
    return re.findall(r"</span> <bdi>([^<]*)</bdi></a>", answer.content.decode())


def wish(ines, **fields):
    return {"title": "Call Amara", "responsible": ines.public_id, "description": "", "deadline": ""} | fields


@pytest.mark.parametrize("deadline", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_deadline_that_is_none_in_every_zone_is_refused_at_its_field(browser, ines, deadline):
    answer = browser.post("/tasks/new", wish(ines, deadline=deadline))
    assert (answer.status_code, "of the years 1900 to 2999" in text_of(answer)) == (422, True)


# Lists


def test_my_tasks_are_those_that_name_me_and_all_are_those_that_i_may_see(sign_in, make, ines, jonas, people):
    make("Mine")
    make("Of both", by=jonas, participants=[ines])
    make("Of Jonas", by=jonas)
    assert set(titles(sign_in(ines).get("/tasks"))) == {"Mine", "Of both"}
    assert set(titles(sign_in(ines).get("/tasks?of=all"))) == {"Mine", "Of both"}
    assert len(titles(sign_in(people["administrator"]).get("/tasks?of=all"))) == 3


def test_they_are_grouped_by_deadline(browser, make):
    now = timezone.now()
    for title, deadline in (("Old", now - timedelta(days=3)), ("Far", now + timedelta(days=30)), ("Some day", None)):
        make(title, deadline=deadline)
    page = browser.get("/tasks")
    assert titles(page) == ["Old", "Far", "Some day"]
    assert re.findall(r'class="section-title">([^<]*)<', page.content.decode()) == ["Overdue", "Later", "No date"]


def test_words_numbers_and_status_narrow_the_list(browser, make, ines, now):
    from letterdesk.tasks.change import change_status

    make("Call Amara")
    done = make("Call Jonas")
    change_status(done, "done", by=ines, now=now)
    assert titles(browser.get("/tasks?q=call")) == ["Call Amara"]
    assert titles(browser.get("/tasks?q=call&status=any")) == ["Call Jonas", "Call Amara"]
    assert titles(browser.get("/tasks?status=done")) == ["Call Jonas"]
    assert titles(browser.get("/tasks?q=%231")) == ["Call Amara"]
    assert titles(browser.get("/tasks?q=nobody")) == []


def test_the_list_asks_the_same_however_long_it_is(browser, make, letter):
    make("First", letter)
    few = _queries(browser)
    for number in range(30):
        make(f"Task {number}", letter)
    assert _queries(browser) == few <= 6


def _queries(browser):
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/tasks").status_code == 200
    return len(asked)


def test_a_task_is_added_with_one_line(browser, ines):
    browser.post("/tasks", {"title": "Buy paper", "next": "/tasks?of=all"})
    assert (Task.objects.get().title, Task.objects.get().responsible) == ("Buy paper", ines)
    assert "needs a title" in text_of(browser.post("/tasks", {"title": " "}, follow=True))


# From a letter


def test_the_form_is_filled_from_the_letter_and_ticks_it_alone(browser, letter, deliver):
    answer = raw_letter("Re: Re: Offer", In_Reply_To=letter.message_id, Message_ID="<2@x>")
    newer = deliver(answer)[0]
    for address in (f"?letter={newer.public_id}", f"?conversation={newer.conversation.public_id}"):
        page = browser.get(f"/tasks/new{address}").content.decode()
        assert 'value="Offer"' in page
        assert re.findall(r'value="(\w+)" checked', page.split("Letters</legend>")[1]) == [newer.public_id]


def test_of_several_conversations_the_newest_letter_of_each_is_ticked(browser, deliver):
    one, two = deliver(raw_letter("One"), raw_letter("Two"))
    ids = [each.conversation.public_id for each in (one, two)]
    page = browser.get("/tasks/new", {"conversation": ids}).content.decode()
    ticked = re.findall(r'value="(\w+)" checked', page.split("Letters</legend>")[1])
    assert set(ticked) == {one.public_id, two.public_id}


def test_made_from_a_letter_it_keeps_it_and_row_and_letter_say_so(browser, ines, inbox, letter):  # R4
    answer = browser.post("/tasks/new", wish(ines, letter=letter.public_id, next=f"/mail/{inbox.public_id}"))
    assert answer["Location"] == f"/mail/{inbox.public_id}"
    task = Task.objects.get()
    assert list(task.letters.values_list("message", flat=True)) == [letter.pk]
    page = browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()
    assert "Kept: linked to task #1" in page
    assert f'href="/tasks/{task.public_id}"' in page
    assert re.search(r'class="chip accent" title="Call Amara">.*?#1</span>', page, re.S)


def test_rows_without_tasks_cost_no_query_and_many_with_tasks_cost_one(browser, inbox, deliver, make):
    letters = deliver(*(raw_letter(f"Letter {number}") for number in range(20)))
    address = f"/mail/{inbox.public_id}"

    def asked():
        with CaptureQueriesContext(connection) as queries:
            browser.get(address)
        return len(queries)

    without = asked()
    make("One", letters[0])
    assert asked() == without + 1
    for each in letters:
        make("Another", each)
    assert asked() == without + 1


def test_in_the_popover_only_the_form_comes_and_what_is_wrong_with_it(browser, ines, letter):
    quiet = {"headers": {"HX-Request": "true"}}
    part = browser.get(f"/tasks/new?letter={letter.public_id}", **quiet).content.decode()
    assert "<form" in part
    assert "<html" not in part
    refused = browser.post("/tasks/new", wish(ines, title="", letter=letter.public_id), **quiet)
    assert "<html" not in refused.content.decode()
    assert "This field is required." in refused.content.decode()
    done = browser.post("/tasks/new", wish(ines, letter=letter.public_id), **quiet)
    assert "Task #1 is made." in text_of(done)
    assert "<html" not in done.content.decode()


def test_a_letter_is_added_to_a_task_that_is_there(browser, make, letter):
    task = make("Renew contract")
    page = browser.get(f"/tasks/new?letter={letter.public_id}").content.decode()
    assert f'name="into" value="{task.public_id}"' in page
    browser.post("/tasks/new", {"into": task.public_id, "letter": letter.public_id})
    assert task.letters.count() == 1


def test_who_only_reads_the_mailbox_puts_nothing_into_a_task(sign_in, people, letter):
    lea = people["reader"]
    sign_in(lea).post("/tasks/new", wish(lea, letter=letter.public_id))
    assert not Task.objects.get().letters.exists()


# Letters in tasks


def reads(client, letter):
    file = letter.attachments.get().public_id
    parts = ("body", "letter.eml", "source", "attachments.zip")
    addresses = [f"/attachments/{file}", *(f"/messages/{letter.public_id}/{part}" for part in parts)]
    return {client.get(address).status_code for address in addresses}


def test_who_is_in_the_task_reads_its_letters_without_access_to_the_mailbox(sign_in, make, jonas, ines, letter, now):
    from letterdesk.tasks.bin import delete, restore
    from letterdesk.tasks.link import unlink

    client = sign_in(jonas)
    assert reads(client, letter) == {404}
    task = make("Both", letter, participants=[jonas])
    assert reads(client, letter) == {200}
    assert "Offer" in text_of(client.get(f"/tasks/{task.public_id}"))
    delete(task, by=ines, now=now)
    assert reads(client, letter) == {404}
    restore(task, by=ines, now=now)
    assert reads(client, letter) == {200}
    unlink(task, letter, by=ines, now=now)
    assert reads(client, letter) == {404}


def test_who_oversees_the_task_sees_that_there_is_a_letter_and_no_more(sign_in, people, make, letter):
    task = make("Both", letter)
    client = sign_in(people["administrator"])
    page = text_of(client.get(f"/tasks/{task.public_id}"))
    assert "A letter that only those in the task can read" in page
    assert "Offer" not in page
    assert reads(client, letter) == {404}


def test_the_owner_of_the_mailbox_sees_who_reads_it_and_takes_it_out(
    sign_in, make, account, jonas, ines, people, inbox, letter
):
    from letterdesk.mailboxes.models import Grant

    Grant.objects.create(account=account, mailbox=inbox.mailbox, employee=jonas)
    task = make("Of Jonas alone", letter, by=jonas)
    owner = sign_in(ines)
    page = owner.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}")
    assert "Read there by Jonas" in text_of(page)
    assert "Of Jonas alone" not in page.content.decode()
    address = f"/tasks/{task.public_id}/letters/{letter.public_id}/unlinking"
    assert "leaves Webmail on" in text_of(owner.get(address))
    owner.post(address, {"next": "/mail"})
    assert not task.letters.exists()
    assert sign_in(people["reader"]).get(address).status_code == 404


def test_the_warning_says_when_it_leaves_or_that_another_task_keeps_it(browser, make, deliver):  # R4, R9
    old = deliver(raw_letter("Old"))[0]
    task = make("One", old)
    Message.objects.update(received_at=timezone.now() - YEAR)
    address = f"/tasks/{task.public_id}/letters/{old.public_id}/unlinking"
    assert "it leaves at once" in text_of(browser.get(address))
    make("Two", old)
    assert "another task keeps it: #2 Two" in text_of(browser.get(address))


def test_past_its_period_it_is_still_shown_and_without_webmail_it_is_read_in_its_task(  # R4, R9, R18
    sign_in, browser, make, account, inbox, letter, jonas
):
    task = make("Both", letter, participants=[jonas])
    for model in (Message, letter.placements.model):
        model.objects.update(received_at=timezone.now() - YEAR)
    letter.conversation.listings.update(newest_at=timezone.now() - YEAR)
    assert "Offer" in browser.get(f"/mail/{inbox.public_id}").content.decode()
    Subscription.objects.filter(account=account).update(plan="free")
    for client in (browser, sign_in(jonas)):
        assert client.get(f"/tasks/{task.public_id}").status_code == 200
        assert reads(client, letter) == {200}


# The page


def test_everything_on_the_page_is_done_by_plain_forms(browser, make, ines, jonas):
    task = make("Renew contract")
    at = f"/tasks/{task.public_id}"
    browser.post(at, wish(ines, title="New title", participants=[jonas.public_id], deadline="2030-01-02T15:00"))
    browser.post(f"{at}/checklist", {"text": "Ask for the number"})
    browser.post(f"{at}/checklist/{task.checklist.get().pk}", {"change": "tick"})
    browser.post(f"{at}/comments", {"text": "Called her."})
    browser.post(f"{at}/status", {"status": "doing"})
    page = text_of(browser.get(at))
    for said in ("New title", "Ines , Jonas", "2 Jan 2030, 15:00", "Ask for the number", "Called her."):
        assert said in page
    task.refresh_from_db()
    assert (task.status, task.checklist.get().is_done) == ("doing", True)
    browser.post(f"{at}/checklist/{task.checklist.get().pk}", {"change": "remove"})
    assert not task.checklist.exists()


def test_what_a_colleague_wrote_meanwhile_is_shown_before_it_is_replaced(browser, make, ines, jonas):
    task = make()
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(f"/tasks/{task.public_id}").content.decode())[1]
    Task.objects.filter(pk=task.pk).update(description="Call first.")
    mine = {"title": "Mine", "responsible": ines.public_id, "seen": seen}
    answer = browser.post(f"/tasks/{task.public_id}", mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed this task" in page and "Call first." in page and 'value="Mine"' in page
    task.refresh_from_db()
    assert task.description == "Call first."
    again = re.search(r'name="seen" value="(\w+)"', page)[1]
    assert browser.post(f"/tasks/{task.public_id}", mine | {"seen": again}).status_code == 302
    task.refresh_from_db()
    assert (task.title, task.description) == ("Mine", "")


def test_what_is_wrong_with_the_form_is_said_at_it(browser, make, ines):
    task = make("Renew contract")
    answer = browser.post(f"/tasks/{task.public_id}", wish(ines, title=""))
    assert answer.status_code == 422
    assert "This field is required." in text_of(answer)


def test_a_file_is_kept_and_handed_over_to_keep_never_to_show(browser, make):  # hard rule 9
    from django.core.files.uploadedfile import SimpleUploadedFile

    task = make("Renew contract")
    page = SimpleUploadedFile("evil.html", b"<script>alert(1)</script>", content_type="text/html")
    browser.post(f"/tasks/{task.public_id}/files", {"file": page})
    answer = browser.get(f"/task-files/{TaskFile.objects.get().public_id}")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"].startswith("attachment")
    browser.post(f"/task-files/{TaskFile.objects.get().public_id}/removal")
    assert not TaskFile.objects.exists()


def test_the_page_asks_the_same_however_many_letters_it_has(browser, make, deliver):
    letters = deliver(*(raw_letter(f"Letter {number}") for number in range(12)))
    few, many = make("Few", *letters[:2]), make("Many", *letters)

    def asked(task):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/tasks/{task.public_id}").status_code == 200
        return len(queries)

    assert asked(many) == asked(few) <= 25
