"""“Remind me if nobody answers” by plain forms: chosen while writing, set afterwards, seen, taken back, and told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.mailboxes.models import Folder, Grant, Mark
from letterdesk.mailboxes.reminders import await_answer, remind_due
from letterdesk.mailboxes.retention.periods import Own
from letterdesk.mailboxes.tests.test_own_times import rule
from letterdesk.notifications.lines import lines_of
from letterdesk.outbound.models import Delivery, Draft
from letterdesk.web.mail.awaiting import remind_of
from letterdesk.web.mail.snoozing import BadMoment
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_inbox import subjects
from letterdesk.web.tests.test_writing import alert, begin, form, sends  # noqa: F401  fixtures

DAY = timedelta(days=1)


@pytest.fixture
def asked(deliver, mailbox, ines, now):
    """A letter that lies in Sent alone and awaits an answer."""
    sent = Folder.objects.create(
        account=mailbox.account, mailbox=mailbox, name="Sent", wire_name="Sent", role="sent", uidvalidity=1
    )
    [letter] = deliver(
        raw_letter("Forty desks", sender="ines@acme.example", Message_ID="<desks@acme.example>"),
        folder=sent,
        at=now - DAY,
        flags=["\\Seen"],
    )
    await_answer(letter.conversation_id, since=letter.received_at, remind_at=now + DAY, by=ines)
    type(mailbox).objects.update(last_synced_at=now + DAY)
    return letter


def test_the_choice_stays_in_the_draft_and_goes_with_the_letter(browser, begin):  # noqa: F811
    draft = begin()
    saved = form(draft, to="a@b.example", subject="Hi", remind="3", remind_at="")
    browser.post(f"/drafts/{draft.public_id}", saved)
    assert '<option value="3" selected>' in browser.get(f"/drafts/{draft.public_id}").content.decode()
    draft.refresh_from_db()
    answer = browser.post(f"/drafts/{draft.public_id}/sending", saved | {"seen": draft.version}, follow=True)
    delivery = Delivery.objects.get()
    assert (delivery.remind_days, delivery.remind_at) == (3, None)
    assert "if nobody answers." in answer.content.decode()
    browser.post(f"/outbox/{delivery.public_id}/stopping")
    assert Draft.objects.get().remind == "3"


@pytest.mark.parametrize(
    ("at", "told"),
    [("", "Choose a day and a time"), ("2020-01-01T10:00", "That is over"), ("2027-11-23T10:00", "after 30 days")],
)
def test_a_day_that_cannot_be_is_named_and_nothing_sent(browser, begin, at, told):  # noqa: F811
    draft = begin()
    fields = form(draft, to="a@b.example", subject="Hi", remind="at", remind_at=at)
    answer = browser.post(f"/drafts/{draft.public_id}/sending", fields)
    assert told in alert(answer)  # R9: what has left Webmail by then cannot come back
    assert not Delivery.objects.exists() and Draft.objects.get().remind == (at or "at")


def test_what_is_no_moment_is_refused(account, now):
    assert remind_of(Draft(account=account), now) is None
    with pytest.raises(BadMoment):
        remind_of(Draft(account=account, remind="4"), now)


def test_no_reminder_comes_after_its_letters_have_left(asked, browser, inbox, account, mailbox, now):
    """R9: by the mailbox's own times for sent letters, which are shorter than the plan's."""
    begins_at = now - DAY
    rule(account, Own(sent=5), mailbox=mailbox, begins_at=begins_at)
    assert remind_of(Draft(account=account, mailbox=mailbox, remind="3"), now).days == 3
    with pytest.raises(BadMoment, match="after 5 days"):
        remind_of(Draft(account=account, mailbox=mailbox, remind="7"), now)
    assert remind_of(Draft(account=account, remind="7"), now).days == 7  # it lies in no mailbox
    pair = f"{asked.conversation.public_id}.{inbox.public_id}"
    answer = browser.post("/acts", {"change": "remind:7", "c": pair, "next": "/mail"}, follow=True)
    assert "after 5 days" in answer.content.decode()


def test_it_waits_in_a_list_comes_back_with_a_line_and_is_done(browser, asked, inbox, ines, now):
    assert subjects(browser.get("/mail/awaited")) == ["Forty desks"]
    here = f"/mail/{inbox.public_id}/{asked.conversation.public_id}"
    assert "You are reminded" in browser.get(here).content.decode()
    remind_due(now=now + DAY)
    dispatch(timezone.now())
    assert [line.kind for line in lines_of(ines, timezone.now())] == ["unanswered"]
    for address in (f"/mail/{inbox.public_id}", "/mail"):
        page = browser.get(address)
        assert subjects(page) == ["Forty desks"] and "no answer since" in page.content.decode()
    page = browser.get(here).content.decode()
    assert "Nobody has answered since" in page and "It came back: nobody had answered" in page
    browser.post(f"/conversations/{asked.conversation.public_id}/changes", {"change": "unremind", "next": "/mail"})
    dispatch(timezone.now())
    assert subjects(browser.get("/mail")) == [] and not Mark.objects.exists()
    assert lines_of(ines, timezone.now(), seen_at=None) == []
    assert "Ines took the reminder away" in browser.get(here).content.decode()


def test_an_answer_ends_it_by_itself_and_the_history_says_so(browser, asked, deliver, inbox):
    deliver(raw_letter("Re: Forty desks", In_Reply_To="<desks@acme.example>"))
    dispatch(timezone.now())
    assert not Mark.objects.exists()
    page = browser.get(f"/mail/{inbox.public_id}/{asked.conversation.public_id}").content.decode()
    assert "Answered: the reminder is over" in page


def test_set_afterwards_for_whom_else_and_in_a_team_it_opens_again(
    browser, sign_in, deliver, inbox, mailbox, jonas, now
):
    [letter] = deliver(raw_letter("Offer"))
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    conversation = letter.conversation
    type(conversation).objects.update(status="waiting")
    pair = f"{conversation.public_id}.{inbox.public_id}"
    answer = browser.post("/acts", {"change": "remind:3", "c": pair, "next": "/mail"}, follow=True)
    assert "if nobody answers" in answer.content.decode()
    theirs = sign_in(jonas)
    assert subjects(theirs.get("/mail/awaited")) == []  # one's own
    assert "Ines is reminded" in theirs.get(f"/mail/{inbox.public_id}/{conversation.public_id}").content.decode()
    due = Mark.objects.get().remind_at
    type(mailbox).objects.update(last_synced_at=due)
    remind_due(now=due)
    dispatch(timezone.now())
    conversation.refresh_from_db()
    assert conversation.status == "open"
    assert lines_of(jonas, timezone.now(), kind="unanswered") == []
