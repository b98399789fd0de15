"""Guests on the page of a task: invited, written to, their letters that wait taken or not; who sees what."""

import errno
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.intake.jobs import take
from letterdesk.intake.keep import keep
from letterdesk.intake.models import Arrived, State
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes.models import Mailbox
from letterdesk.notifications.models import Kind, Notification
from letterdesk.outbound.models import Delivery
from letterdesk.tasks import guests
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import create
from letterdesk.tasks.models import Comment, Guest
from letterdesk.web.tests.test_records import text_of


@pytest.fixture(autouse=True)
def house(settings):
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)


@pytest.fixture
def task(ines, mailbox):
    Mailbox.objects.filter(pk=mailbox.pk).update(smtp_host="smtp.acme.example")
    return create("Renew contract", by=ines, now=timezone.now())


@pytest.fixture
def form(mailbox):
    return {"address": "bo@client.example", "name": "Bo", "words": "Look at page 3", "from": mailbox.public_id}


def answer(guest, text="Page 3 is fine.", name="one", more=""):
    """As it comes by SMTP; nothing proves it, for DNS knows no client.example."""
    address = guests.reply_address(guest)
    head = f"From: Bo <bo@client.example>\r\nTo: {address}\r\nSubject: Re: x\r\n{more}"
    head += f"Message-ID: <{name}@client.example>\r\n"
    keep([Handed("bo@client.example", (address,), f"{head}\r\n{text}\r\n".encode(), "192.0.2.1")], now=timezone.now())
    row = Arrived.objects.latest("pk")
    take.now(row.pk)
    return row


def test_what_was_left_out_is_told_on_the_page(browser, task, form, sign_in, stranger, monkeypatch):
    monkeypatch.setattr("letterdesk.tasks.guest_letters.MOST_WAITING", 1)
    browser.post(f"/tasks/{task.public_id}/guests", form)
    guest = Guest.objects.get()
    for number in range(3):
        answer(guest, f"Fine {number}", name=str(number))
    away = answer(guest, "I am away", name="away", more="Auto-Submitted: auto-replied\r\n")
    page = text_of(browser.get(f"/tasks/{task.public_id}"))
    assert "2 more letters came in the last 30 days and were not kept: of each guest 1 wait at the most." in page
    assert "1 automatic answer was left out" in page and "Fine 0" in page and "Fine 1" not in page
    address = f"/task-guests/letters/{away.public_id}/letter.eml"
    assert b"I am away" in b"".join(browser.get(address)) and sign_in(stranger).get(address).status_code == 404
    assert browser.post(f"/task-guests/letters/{away.public_id}", {"change": "accept"}).status_code == 404


def test_one_invites_writes_and_takes_what_waits(browser, task, form, ines, blobs_folder):
    page = f"/tasks/{task.public_id}"
    browser.post(f"{page}/guests", form)
    guest = Guest.objects.get()
    assert "Bo is invited." in text_of(browser.get(page))
    browser.post(f"{page}/comments", {"text": "Only for us"})
    browser.post(f"{page}/comments", {"text": "For you, too", "for_guests": "yes"})
    assert list(Comment.objects.order_by("pk").values_list("for_guests", flat=True)) == [False, True]
    assert Delivery.objects.count() == 2
    row = answer(guest)
    shown = text_of(browser.get(page))
    assert "unverified" in shown
    assert "Page 3 is fine." in shown
    letter = f"/task-guests/letters/{row.public_id}"
    assert b"Page 3 is fine." in b"".join(browser.get(f"{letter}/letter.eml"))
    browser.post(letter, {"change": "accept"})
    shown = text_of(browser.get(page))
    assert "guest, by e-mail" in shown
    assert "Unverified; taken by Ines" in shown
    assert browser.get(f"{letter}/letter.eml").status_code == 404  # it waits no more
    kept = f"{page}/comments/{Comment.objects.get(guest=guest).pk}/letter.eml"
    assert b"Page 3 is fine." in b"".join(browser.get(kept))
    assert kept in browser.get(page).content.decode()
    [copy] = blobs_folder.rglob(f"{row.blob}*")
    copy.unlink()
    assert browser.get(kept).status_code == 404
    other = answer(guest, name="two")
    browser.post(f"/task-guests/letters/{other.public_id}", {"change": "drop"})
    browser.post(f"/task-guests/{guest.public_id}/removal")
    assert Comment.objects.filter(guest=guest).count() == 1
    assert "Invited by" not in text_of(browser.get(page))


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"x")], ids=["missing", "damaged"])
def test_a_letter_whose_copy_is_gone_says_so_and_waits(browser, task, form, blobs_folder, harm):
    browser.post(f"/tasks/{task.public_id}/guests", form)
    row = answer(Guest.objects.get())
    [copy] = blobs_folder.rglob(f"{row.blob}*")
    harm(copy)
    letter = f"/task-guests/letters/{row.public_id}"
    assert browser.get(f"{letter}/letter.eml").status_code == 404
    told = text_of(browser.post(letter, {"change": "accept"}, follow=True))
    assert "This letter cannot be read now" in told
    assert not Comment.objects.exists()
    browser.post(letter, {"change": "drop"})
    row.refresh_from_db()
    assert row.state == State.LEFT_OUT


def test_what_is_refused_keeps_what_was_typed(browser, task, form, settings):
    page = f"/tasks/{task.public_id}"
    refused = browser.post(f"{page}/guests", {**form, "address": "ines@acme.example"})
    assert refused.status_code == 422
    assert "put colleagues into the task" in text_of(refused)
    assert "Look at page 3" in refused.content.decode()
    refused = browser.post(f"{page}/comments", {"text": "A long thought", "for_guests": "yes"})
    assert (refused.status_code, Comment.objects.count()) == (422, 0)
    assert "A long thought" in refused.content.decode()
    settings.INBOUND = Inbound()
    assert "LETTERDESK_INBOUND_DOMAIN" in text_of(browser.get(page))


def test_a_full_disk_is_told_and_nobody_is_written_to(browser, task, form, monkeypatch):
    def put(*_given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("letterdesk.outbound.direct.blobs.put", put)
    refused = browser.post(f"/tasks/{task.public_id}/guests", form)
    assert (refused.status_code, Guest.objects.count()) == (422, 0)
    assert "nothing was sent. Try again in a minute." in text_of(refused)
    assert "Look at page 3" in refused.content.decode()


def test_who_writes_from_elsewhere_than_the_guest_was_invited_is_told(browser, sign_in, task, form, jonas):
    browser.post(f"/tasks/{task.public_id}/guests", form)
    task.taking_part.create(account=task.account, employee=jonas)
    theirs = sign_in(jonas)
    Mailbox.objects.create(
        account=task.account, owner=jonas, address="j@acme.example", name="J", smtp_host="smtp.acme.example"
    )
    said = theirs.post(f"/tasks/{task.public_id}/comments", {"text": "Hello", "for_guests": "yes"}, follow=True)
    assert "Bo gets it from j@acme.example: you may not write" in text_of(said)


def test_who_sees_the_task_sees_its_guests_and_nobody_else_does(browser, sign_in, task, form, jonas, stranger):
    page = f"/tasks/{task.public_id}"
    browser.post(f"{page}/guests", form)
    row = answer(Guest.objects.get())
    letter = f"/task-guests/letters/{row.public_id}"
    for person in (jonas, stranger):
        other = sign_in(person)
        assert [other.get(page).status_code, other.get(f"{letter}/letter.eml").status_code] == [404, 404]
        assert other.post(letter, {"change": "accept"}).status_code == 404
    task.taking_part.create(account=task.account, employee=jonas)
    assert "Bo" in text_of(sign_in(jonas).get(page))
    assert sign_in(jonas).post(letter, {"change": "accept"}).status_code == 302


def test_a_letter_that_waits_is_told_until_somebody_decides(browser, task, form, ines):
    browser.post(f"/tasks/{task.public_id}/guests", form)
    row = answer(Guest.objects.get())
    dispatch(timezone.now())
    line = Notification.objects.get(kind=Kind.ASKED)
    assert (line.employee, line.task, line.seen_at) == (ines, task, None)
    assert "A letter waits for your word" in text_of(browser.get("/notifications"))
    browser.post(f"/task-guests/letters/{row.public_id}", {"change": "accept"})
    dispatch(timezone.now())
    line.refresh_from_db()
    assert line.seen_at is not None
    assert "A guest wrote in a task" in text_of(browser.get("/notifications"))


def test_the_page_asks_no_more_with_more_guests(browser, task, ines):
    page, now, asked = f"/tasks/{task.public_id}", timezone.now(), []
    for number in range(8):
        address = f"g{number}@b.example"
        guest = Guest.objects.create(account=task.account, task=task, address=address, key=address, invited_by=ines)
        Comment.objects.create(account=task.account, task=task, guest=guest, text="Hello", at=now)
        comment(task, "Hello", by=ines, now=now)
        answer(guest, name=str(number))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page).status_code == 200
        asked.append(len(queries))
    assert asked[1] == asked[-1]


def test_a_letter_without_a_draft_is_stopped_in_the_outbox_and_nobody_is_told_of_a_draft(browser, task, form):
    browser.post(f"/tasks/{task.public_id}/guests", form)
    letter = Delivery.objects.get()
    shown = browser.post(f"/outbox/{letter.public_id}/stopping", follow=True)
    assert "Not sent." in text_of(shown)
    assert "draft again" not in text_of(shown)
    Delivery.objects.update(state="failed", trouble_at=timezone.now())
    shown = text_of(browser.get("/outbox"))
    assert "Try again" in shown
    assert "Edit again" not in shown
