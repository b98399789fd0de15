"""What else people are told of: each the right person, once, and not of what they did themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.mail.reports import Fate, Report, Told
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.models import Grant, MailboxState
from letterdesk.mailboxes.share import ask_for_access, grant
from letterdesk.notifications import happenings
from letterdesk.notifications.lines import lines_of
from letterdesk.notifications.models import Kind, Level, Notification
from letterdesk.notifications.wishes import choose_levels
from letterdesk.outbound import trouble
from letterdesk.outbound.answering import reply
from letterdesk.outbound.bounces import believe
from letterdesk.outbound.deliver import deliver as send_due
from letterdesk.outbound.drafts import discard
from letterdesk.outbound.models import Delivery, Draft
from letterdesk.outbound.moved_on import changes
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import after
from letterdesk.tasks.bin import delete
from letterdesk.tasks.change import change, comment
from letterdesk.tasks.create import create
from letterdesk.team.verbs import assigning
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.sink import Sink


@pytest.fixture
def kinds(told):
    return lambda employee: sorted(kind for kind, *_ in told(employee))


def test_a_letter_that_did_not_leave_is_told_to_who_sent_it(told, kinds, things, ines, jonas):
    letter = Delivery.objects.get()
    for kind in ("letter.failed", "letter.unknown"):
        record(
            kind, account=letter.account, topic=letter.topic, subject=f"delivery:{letter.public_id}", channel="webmail"
        )
    assert {"not_sent", "perhaps_sent"} <= set(kinds(ines))
    assert any(detail == letter.subject for kind, _, detail in told(ines) if kind == "not_sent")
    assert "not_sent" not in kinds(jonas)
    record("letter.sent", account=letter.account, topic=letter.topic, subject=f"delivery:{letter.public_id}")
    dispatch(timezone.now())
    assert not Notification.objects.filter(kind__in=[Kind.NOT_SENT, Kind.PERHAPS_SENT], seen_at=None).exists()


def test_a_letter_whose_writer_lost_the_mailbox_is_told_to_its_owner(told, kinds, things, mailbox, ines, jonas, now):
    """The writer could not look at it: the line would say nothing to anybody."""
    letter = Delivery.objects.get()
    Delivery.objects.update(by=jonas)
    record("letter.failed", account=letter.account, topic=letter.topic, subject=f"delivery:{letter.public_id}",
           channel="webmail")  # fmt: skip
    assert ("not_sent" in kinds(ines), "not_sent" in kinds(jonas)) == (True, False)
    Notification.objects.all().delete()
    grant(mailbox, to=jonas, by=ines, now=now)
    record("letter.unknown", account=letter.account, topic=letter.topic, subject=f"delivery:{letter.public_id}")
    assert ("perhaps_sent" in kinds(ines), "perhaps_sent" in kinds(jonas)) == (False, True)


def test_what_was_told_of_a_conversation_follows_it_into_another(told, kinds, deliver, mailbox, ines, jonas, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    first, second = deliver(raw_letter("Offer", Message_ID="<1@okafor.example>"),
                            raw_letter("Price", Message_ID="<2@okafor.example>"))  # fmt: skip
    act([Chosen(second.conversation_id, None)], assigning(jonas, Wish("assign", ines, now)))
    assert "assigned" in kinds(jonas)
    deliver(raw_letter("Re: both", References="<1@okafor.example> <2@okafor.example>"))
    second.refresh_from_db()
    assert second.conversation_id == first.conversation_id
    assert "assigned" in kinds(jonas)
    line = Notification.objects.get(kind=Kind.ASSIGNED)
    assert (line.conversation_id, line.seen_at) == (first.conversation_id, None)
    act([Chosen(first.conversation_id, None)], assigning(None, Wish("assign", ines, now)))
    told(jonas)
    assert not Notification.objects.filter(kind=Kind.ASSIGNED, seen_at=None).exists()  # it is not theirs any more


def test_who_wants_nothing_of_a_mailbox_is_told_of_no_assignment(kinds, deliver, mailbox, ines, jonas, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    choose_levels(jonas, {mailbox: Level.NONE})
    letter = deliver(raw_letter("Offer"))[0]
    act([Chosen(letter.conversation_id, None)], assigning(jonas, Wish("assign", ines, now)))
    assert kinds(jonas) == ["access_given"]


def test_a_task_is_told_to_who_answers_for_it_and_not_to_who_made_it(kinds, ines, jonas, now):
    task = create("Call", by=ines, now=now)
    assert kinds(ines) == []
    change(task, by=ines, now=now, title="Call", description="", responsible=jonas, participants=[], deadline=None)
    comment(task, "Today", by=ines, now=now)
    assert kinds(jonas) == ["task", "task_comment"]
    assert kinds(ines) == []
    delete(task, by=ines, now=now)
    assert kinds(jonas) == []  # it lies in the bin


def test_a_mailbox_that_needs_a_person_is_told_to_its_owner_until_it_does_not(kinds, mailbox, ines, jonas):
    record("mailbox.failing", account=mailbox.account, topic=mailbox.topic, code="timeout")
    assert kinds(ines) == []  # tried again by itself
    mailbox.state = MailboxState.FAILING
    mailbox.save(update_fields=["state"])
    record("mailbox.failing", account=mailbox.account, topic=mailbox.topic, code="auth")
    assert kinds(ines) == ["sign_in"]
    record("mailbox.recovered", account=mailbox.account, topic=mailbox.topic)
    dispatch(timezone.now())
    assert not Notification.objects.filter(seen_at=None).exists()


def test_who_may_give_access_is_asked_and_who_gets_it_is_told(kinds, mailbox, ines, jonas, stranger, now):
    ask_for_access(mailbox, by=jonas)
    assert (kinds(ines), kinds(jonas)) == (["access_asked"], [])
    grant(mailbox, to=jonas, by=ines, now=now)
    assert kinds(jonas) == ["access_given"]
    assert not Notification.objects.filter(kind=Kind.ACCESS_ASKED, seen_at=None).exists()
    assert kinds(stranger) == []


def test_administrators_are_told_that_the_plan_ends(told, people, ines):
    record("plan.ending", account=ines.account, days=7, before="standard", after="free", at="2026-12-06")
    assert [title for _, title, _ in told(people["administrator"])] == ["Your plan ends in 7 days"]
    assert told(ines) == []


def test_an_assigned_conversation_is_told_to_whom_it_was_given(told, kinds, deliver, mailbox, ines, jonas, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    letter = deliver(raw_letter("Offer", Message_ID="<1@okafor.example>"))[0]
    act([Chosen(letter.conversation_id, None)], assigning(jonas, Wish("assign", ines, now)))
    assert ("assigned", "Ines assigned you a conversation in Ines", "Amara: Offer") in told(jonas)
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>"))
    assert "answer" in kinds(jonas)  # it is theirs from now on
    act([Chosen(letter.conversation_id, None)], assigning(None, Wish("assign", ines, now)))
    told(jonas)
    assert not Notification.objects.filter(kind=Kind.ASSIGNED, seen_at=None).exists()


@pytest.fixture
def queued(deliver, mailbox, ines, now):
    """An answer of Ines to a letter, to leave through this server; `at`: then."""

    def made(sink, **when):
        sink.reach(mailbox)
        letter = deliver(raw_letter("Offer", Message_ID="<1@okafor.example>"))[0]
        draft = reply(letter, by=ines, now=now)
        people = [["", "bo@client.example"], ["", "cy@client.example"]]
        Draft.objects.filter(pk=draft.pk).update(to=people, cc=[])
        draft.refresh_from_db()
        return send(draft, by=ines, seen=draft.version, now=now, **when)

    return made


@pytest.mark.usefixtures("allow_loopback")
def test_recipients_whom_the_server_refused_are_told_to_who_sent_it_until_they_know(
    told, kinds, queued, mailbox, ines, jonas, now
):
    grant(mailbox, to=jonas, by=ines, now=now)
    with Sink("rcpt:cy@client.example:550 no") as sink:
        delivery = after(queued(sink), now)
    assert delivery.state == "sent"
    lines = [line for line in told(ines) if line[0] == "not_reached"]
    assert lines == [("not_reached", "A letter from Ines did not reach everybody", delivery.subject)]
    assert "not_reached" not in kinds(jonas)
    for event in mailbox.account.events.filter(kind="letter.sent"):
        happenings.after_sent(event)
    assert Notification.objects.get(kind=Kind.NOT_REACHED).count == 1
    trouble.dismiss(delivery, by=ines)
    dispatch(timezone.now())
    assert not Notification.objects.filter(kind=Kind.NOT_REACHED, seen_at=None).exists()


@pytest.mark.usefixtures("allow_loopback")
def test_a_letter_that_came_back_is_told_to_who_sent_it_while_they_may_read_there(
    kinds, queued, mailbox, ines, jonas, now
):
    grant(mailbox, to=jonas, by=ines, now=now)
    with Sink() as sink:
        delivery = after(queued(sink), now)
    Delivery.objects.filter(pk=delivery.pk).update(by=jonas)
    assert "not_reached" not in kinds(jonas)
    gone = Told("cy@client.example", Fate.HARD)
    assert believe(mailbox, Report((delivery.message_id,), (gone,)), now=now) == 1
    assert "not_reached" in kinds(jonas) and "not_reached" not in kinds(ines)
    Grant.objects.all().delete()
    assert kinds(jonas) == []


@pytest.mark.usefixtures("allow_loopback")
def test_a_letter_that_was_held_back_is_told_to_its_writer_until_it_goes(told, kinds, queued, deliver, ines, now):
    due = now + timedelta(hours=1)
    with Sink() as sink:
        delivery = queued(sink, at=due)
        deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>"))
        send_due(now=due, patience=1)
        title = "A letter from Ines was held back: its conversation has moved on"
        assert ("held_back", title, delivery.subject) in told(ines)
        happenings.after_held_back(Event.objects.get(kind="letter.held_back"))
        assert Notification.objects.get(kind=Kind.HELD_BACK).count == 1
        draft = Draft.objects.get()
        [line] = [each for each in lines_of(ines, timezone.now()) if each.kind == "held_back"]
        assert line.address == f"/drafts/{draft.public_id}"
        known = [change.key for change in changes(draft)]
        send(draft, by=ines, seen=draft.version, now=due, known=known)
    dispatch(timezone.now())
    assert not Notification.objects.filter(kind=Kind.HELD_BACK, seen_at=None).exists()


@pytest.mark.usefixtures("allow_loopback")
def test_a_letter_that_was_held_back_and_thrown_away_is_told_no_more(kinds, queued, deliver, ines, now):
    due = now + timedelta(hours=1)
    with Sink() as sink:
        queued(sink, at=due)
        deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>"))
        send_due(now=due, patience=1)
    assert "held_back" in kinds(ines)
    discard(Draft.objects.get(), by=ines, now=due)
    dispatch(timezone.now())
    assert not Notification.objects.filter(kind=Kind.HELD_BACK, seen_at=None).exists()
