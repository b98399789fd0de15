"""Reminders: what ends one and what brings it back, where it is listed, and what it survives (docs/decisions/0021)."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mailboxes import marks, reminders
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.lists import Wanted, list_awaiting, list_folder
from letterdesk.mailboxes.models import Conversation, Grant, Mark
from letterdesk.mailboxes.reminders import Awaited, Letter, Outcome, await_answer, look_at, outcome, remind_due
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.mailboxes.threading import merge, split
from letterdesk.mailboxes.undoing import take_back

from .letters import ago, folder_of, letter

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ME = ("Ines", "ines@acme.example")


def told(now, *letters, at=3 * DAY, reminded_at=None, is_in_step=True):
    awaited = Awaited(now, now + 3 * DAY, reminded_at)
    ours = Letter(now, {"sent"}, is_ours=True)
    return outcome(awaited, [ours, *letters], now=now + at, is_in_step=is_in_step)


def theirs(now, *roles, **facts):
    return Letter(now + DAY, frozenset(roles or {"inbox"}), **facts)


def test_who_answers_ends_it_wherever_the_answer_lies(now):
    assert told(now, theirs(now), at=DAY) == Outcome.ANSWERED
    for role in ("archive", "trash", "all", ""):
        assert told(now, theirs(now, role)) == Outcome.ANSWERED
    assert told(now, Letter(now + DAY, frozenset())) == Outcome.ANSWERED  # read, and gone since


def test_machines_ourselves_spam_and_what_came_before_are_no_answer(now):
    for no_answer in (
        theirs(now, is_automatic=True),
        theirs(now, "sent", is_ours=True),  # a colleague's from the same mailbox, or one's own
        theirs(now, "spam"),
        theirs(now, "drafts"),
        Letter(now - HOUR, {"inbox"}),
        Letter(now, {"inbox"}),
    ):
        assert told(now, no_answer) == Outcome.RETURNS


def test_it_waits_for_its_time_and_for_a_mailbox_that_would_know_of_an_answer(now):
    assert told(now, at=3 * DAY - timedelta(seconds=1)) == Outcome.WAITS
    assert told(now, is_in_step=False) == Outcome.WAITS
    assert told(now, theirs(now), is_in_step=False) == Outcome.ANSWERED


def test_what_lies_in_trash_alone_does_not_come_back(now):
    aside = outcome(Awaited(now, now), [Letter(now, {"trash"}, is_ours=True)], now=now, is_in_step=True)
    assert (aside, outcome(Awaited(now, now), [], now=now, is_in_step=True)) == (Outcome.GONE, Outcome.GONE)


def test_once_back_it_ends_with_the_next_letter_of_either_side(now):
    back = now + 3 * DAY
    assert told(now, at=4 * DAY, reminded_at=back) == Outcome.WAITS
    again = Letter(back + HOUR, {"sent"}, is_ours=True)
    assert told(now, again, at=4 * DAY, reminded_at=back) == Outcome.FOLLOWED
    assert told(now, theirs(now), at=4 * DAY, reminded_at=back) == Outcome.ANSWERED


# In the store

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(mailbox, now):
    mailbox.last_synced_at = now + 3 * DAY
    mailbox.save(update_fields=["last_synced_at"])
    return folder_of(mailbox, "Sent", "sent")


@pytest.fixture
def asked(sent, ines, now):
    """A letter that lies in Sent alone; Ines wants to be reminded in three days."""
    made = letter(sent, received_at=now, subject="Forty desks", sender=ME, is_seen=True)
    await_answer(made.conversation_id, since=now, remind_at=now + 3 * DAY, by=ines)
    return made


def names(folder, who, at):
    page = list_folder(folder, employee=who, now=at)
    assert page.total == len(page.rows)
    return [row.conversation.subject for row in page.rows]


def ended(conversation):
    events = Event.objects.filter(kind="conversation.reminder_ended", subject=f"conversation:{conversation.public_id}")
    return [event.facts["why"] for event in events]


def test_nobody_answers_and_it_comes_back_to_the_top_of_the_inbox(asked, inbox, ines, jonas, now):
    letter(inbox, received_at=now + HOUR, subject="Other", is_seen=True)
    due = now + 3 * DAY
    waiting = Wanted(ines, now, Period(30))
    assert [row.remind_at for row in list_awaiting(waiting).rows] == [due]
    assert list_awaiting(Wanted(jonas, now, Period(30))).rows == []
    remind_due(now=due - timedelta(seconds=1))
    assert names(inbox, ines, due) == ["Other"]
    remind_due(now=due)
    remind_due(now=due)
    page = list_folder(inbox, employee=ines, now=due)
    first = page.rows[0]
    assert ([row.conversation.subject for row in page.rows], page.total) == (["Forty desks", "Other"], 2)
    assert (first.folder_id, first.unanswered_since, first.is_back) == (inbox.pk, now, True)
    assert list_awaiting(waiting).rows == []
    [event] = Event.objects.filter(kind="conversation.reminded")
    assert event.facts["to"] == f"employee:{ines.public_id}"


def test_an_answer_ends_it_at_once_and_says_so(asked, inbox, now):
    letter(inbox, received_at=now + HOUR, conversation=asked.conversation)
    assert look_at(inbox.mailbox_id, now=now + HOUR) == 1
    assert not Mark.objects.exists()
    assert ended(asked.conversation) == ["answered"]
    assert (look_at(inbox.mailbox_id, now=now), remind_due(now=now + 3 * DAY)) == (0, 0)


def test_a_report_of_a_mail_system_is_no_answer(asked, inbox, ines, now):
    system = ("Mail Delivery", "MAILER-DAEMON@client.example")
    letter(inbox, received_at=now + HOUR, conversation=asked.conversation, sender=system)
    away = letter(inbox, received_at=now + HOUR, conversation=asked.conversation)
    type(away).objects.filter(pk=away.pk).update(is_automatic=True)
    assert look_at(inbox.mailbox_id, now=now + HOUR) == 0
    remind_due(now=now + 3 * DAY)
    assert names(inbox, ines, now + 3 * DAY) == ["Forty desks"]


@pytest.mark.parametrize("fields", [{"state": "suspended"}, {"error_code": "auth_failed"}, {"last_synced_at": None}])
def test_a_mailbox_out_of_step_claims_nothing(asked, inbox, ines, now, fields):
    type(inbox.mailbox).objects.update(**fields)  # R13
    assert remind_due(now=now + 3 * DAY) == 0
    type(inbox.mailbox).objects.update(state="connected", error_code="", last_synced_at=now + 5 * DAY)
    assert remind_due(now=now + 5 * DAY) == 1
    assert names(inbox, ines, now + 5 * DAY) == ["Forty desks"]


def test_a_worker_that_dies_leaves_it_to_the_next(asked, inbox, ines, now):
    crashpoint.interrupt("reminders.before_commit")
    with pytest.raises(crashpoint.Crashed):
        remind_due(now=now + 3 * DAY)
    crashpoint.disarm()
    assert Mark.objects.awaiting().exists()
    assert not Event.objects.filter(kind="conversation.reminded").exists()
    remind_due(now=now + 3 * DAY)
    assert Event.objects.filter(kind="conversation.reminded").count() == 1


def test_archiving_deletes_nothing_of_sent_and_undo_brings_it_back(asked, inbox, sent, archive, trash, ines, now):
    due = now + 3 * DAY
    remind_due(now=due)
    chosen = [Chosen(asked.conversation_id, inbox.pk)]
    action = act(chosen, Wish("archive", ines, due))
    assert (action.count, names(inbox, ines, due), names(sent, ines, due)) == (1, [], ["Forty desks"])
    assert ended(asked.conversation) == ["done"]
    take_back(action, by=ines, now=due)
    assert names(inbox, ines, due) == ["Forty desks"]
    act(chosen, Wish("delete", ines, due))
    assert (names(inbox, ines, due), names(trash, ines, due)) == ([], ["Forty desks"])


def test_snoozed_again_it_comes_back_as_it_came(asked, inbox, ines, now):
    due, later = now + 3 * DAY, now + 4 * DAY
    remind_due(now=due)
    act([Chosen(asked.conversation_id, inbox.pk)], Wish("snooze", ines, due, until=later))
    assert names(inbox, ines, due) == []
    type(inbox.mailbox).objects.update(last_synced_at=later)
    remind_due(now=later)
    assert names(inbox, ines, later) == ["Forty desks"]


def test_set_afterwards_and_taken_back(asked, inbox, ines, now):
    received = letter(inbox, received_at=now, subject="Chairs")
    chosen = [Chosen(received.conversation_id, inbox.pk)]
    act(chosen, Wish("remind", ines, now, until=now + DAY))
    mark = Mark.objects.get(conversation=received.conversation)
    assert (mark.awaited_since, mark.remind_at, mark.remind_by) == (now, now + DAY, ines)
    action = act(chosen, Wish("unremind", ines, now))
    assert ended(received.conversation) == ["taken_back"]
    take_back(action, by=ines, now=now)
    assert Mark.objects.awaiting().count() == 2


def test_it_follows_merges_and_the_letter_that_is_split_off(asked, inbox, ines, now):
    other = letter(inbox, received_at=ago(now, days=1), subject="Chairs").conversation
    marks.mark([other.pk], "pin", by=ines, now=now)
    merge(other, asked.conversation, by=ines)
    marks.carry_over()
    mark = Mark.objects.get()
    assert (mark.conversation, mark.remind_at, mark.pinned_at) == (other, now + 3 * DAY, now)
    asked.refresh_from_db()
    new = split(asked, by=ines)
    assert Mark.objects.awaiting().get().conversation == new
    assert Mark.objects.get(conversation=other).remind_at is None


def test_who_may_only_read_ends_it_for_nobody_else(asked, inbox, ines, jonas, now):
    """R27"""
    Grant.objects.create(account=inbox.account, mailbox=inbox.mailbox, employee=jonas, may_reply=False)
    due = now + 3 * DAY
    remind_due(now=due)
    act([Chosen(asked.conversation_id, inbox.pk)], Wish("delete", jonas, due))
    assert (names(inbox, ines, due), names(inbox, jonas, due)) == (["Forty desks"], [])
    assert Mark.objects.reminded().exists() and not ended(asked.conversation)


def test_undo_takes_back_what_was_done_and_nothing_that_came_since(asked, inbox, ines, now):
    other = letter(inbox, received_at=now, subject="Chairs").conversation

    def does(kind, at=None, of=other):
        return act([Chosen(of.pk, inbox.pk)], Wish(kind, ines, now, until=at))

    for kind, until in (("pin", None), ("snooze", now + DAY)):
        action = does(kind, until)
        does("remind", now + DAY)
        take_back(action, by=ines, now=now)
        mark = Mark.objects.get(conversation=other)
        assert (mark.remind_at, mark.remind_by, mark.pinned_at, mark.snoozed_until) == (now + DAY, ines, None, None)
        does("unremind")
    action = does("pin", of=asked.conversation)
    does("unremind", of=asked.conversation)
    take_back(action, by=ines, now=now)
    assert not Mark.objects.exists()
    action = does("pin")
    does("unpin")
    does("snooze", now + DAY)
    take_back(action, by=ines, now=now)
    assert Mark.objects.get().snoozed_until == now + DAY  # somebody unpinned it since


def test_a_merge_takes_pin_and_snooze_along_with_the_reminder(asked, inbox, ines, now):
    other = letter(inbox, received_at=ago(now, days=1), subject="Chairs").conversation
    marks.mark([asked.conversation_id], "pin", by=ines, now=now)
    marks.mark([asked.conversation_id], "snooze", by=ines, now=now, until=now + DAY)
    merge(other, asked.conversation, by=ines)
    assert (marks.carry_over(), marks.carry_over()) == (1, 0)
    mark = Mark.objects.get()
    assert (mark.conversation, mark.remind_at, mark.pinned_at) == (other, now + 3 * DAY, now)
    assert mark.snoozed_until == now + DAY


def test_a_draft_that_was_begun_hides_nothing_that_came_back(asked, mailbox, inbox, ines, now):
    due = now + 3 * DAY
    remind_due(now=due)
    letter(folder_of(mailbox, "Drafts", "drafts"), received_at=due, conversation=asked.conversation, sender=ME)
    assert names(inbox, ines, due) == ["Forty desks"]


def test_letters_that_come_cost_what_they_touch(asked, inbox, ines, now, monkeypatch):
    more = [letter(inbox, received_at=now, subject=f"L{n}").conversation for n in range(3)]
    marks.mark([each.pk for each in more], "remind", by=ines, now=now, until=now + DAY)
    letter(inbox, received_at=now + HOUR, conversation=more[0])
    looked, ask = [], reminders.letters_of
    monkeypatch.setattr(reminders, "letters_of", lambda found: looked.append(found) or ask(found))
    named = [more[1].public_id]  # an answer within the same minute
    assert look_at(inbox.mailbox_id, now=now + HOUR, conversations=named) == 1
    assert looked == [{more[0].pk, more[1].pk}] and ended(more[0]) == ["answered"]


def test_it_goes_with_the_last_letter_and_trash_keeps_it_from_coming_back(asked, sent, trash, inbox, ines, now):
    act([Chosen(asked.conversation_id, sent.pk)], Wish("delete", ines, now))
    remind_due(now=now + 3 * DAY)
    assert (ended(asked.conversation), names(inbox, ines, now + 3 * DAY)) == (["gone"], [])


def test_the_letters_are_asked_in_two_queries_whatever_their_number(asked, inbox, ines, now, django_assert_num_queries):
    more = [letter(inbox, received_at=now, subject=f"L{n}").conversation_id for n in range(5)]
    marks.mark(more, "remind", by=ines, now=now, until=now + DAY)
    with django_assert_num_queries(2):
        found = reminders.letters_of([*more, asked.conversation_id])
    assert len(found) == Conversation.objects.count()
