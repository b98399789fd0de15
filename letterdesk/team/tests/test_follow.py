"""What letters do to the conversations of a team: each once, never from history, however often one looks."""

from datetime import timedelta

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.models import Role
from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mailboxes.models import Conversation, Grant
from letterdesk.mailboxes.share import revoke
from letterdesk.mailboxes.tests.arriving import fetched, raw, receive
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.mailboxes.tests.letters import ago, letter
from letterdesk.mailboxes.threading import merge, split
from letterdesk.team.follow import look_at_piece, mailboxes_to_look_at
from letterdesk.team.history import history
from letterdesk.team.jobs import after_access_ended
from letterdesk.team.leave import let_go
from letterdesk.team.models import TeamMailbox
from letterdesk.team.verbs import assigning, closing, waiting

from .conftest import do

pytestmark = pytest.mark.django_db
OURS = "Ines <ines@acme.example>"


def look(mailbox):
    while look_at_piece(mailbox.pk):
        pass


def arrives(folder, uid, now, *, answers="", initial=False, **fields):
    """A letter as the sync stores it; the reaction has run when this returns."""
    content = raw(message_id=f"l{uid}@x", references=[answers] if answers else (), **fields)
    receive(folder, fetched(uid, content, at=now), now=now, initial=initial)
    look(folder.mailbox)


def only():
    return Conversation.objects.get(merged_into=None)


@pytest.fixture
def shared(inbox, archive, sent, mailbox, lea):
    look(mailbox)
    return mailbox


@pytest.fixture
def asked(shared, inbox, now):
    """A letter of a customer has come."""
    arrives(inbox, 1, now)
    return only()


def test_a_letter_in_a_shared_mailbox_is_open_and_somebody_waits(asked, now):
    assert (asked.status, asked.waiting_since, asked.assignee) == ("open", now, None)
    assert history(asked) == []


def test_a_customers_answer_opens_what_was_closed_for_whom_it_was(asked, inbox, ines, lea, now):
    do(lambda wish: assigning(lea, wish), asked, by=ines, at=now)
    do(closing, asked, by=ines, at=now)
    later = now + timedelta(hours=1)
    arrives(inbox, 2, later, answers="l1@x")
    asked.refresh_from_db()
    assert (asked.status, asked.assignee, asked.waiting_since) == ("open", lea, later)
    assert [(turn.by, turn.why, turn.status) for turn in history(asked)][-1] == ("", "answer", "open")


def test_our_answer_from_any_program_makes_it_wait(asked, sent, now):
    arrives(sent, 1, now, answers="l1@x", sender=OURS, to="anna@berg.example")
    asked.refresh_from_db()
    assert (asked.status, asked.waiting_since) == ("waiting", None)
    assert [(turn.why, turn.status) for turn in history(asked)] == [("sent", "waiting")]


def test_a_letter_that_came_under_our_own_address_is_a_customers(asked, inbox, ines, now):
    """A web form, or a stranger: anybody can write our address into From."""
    do(closing, asked, by=ines, at=now)
    arrives(inbox, 2, now, answers="l1@x", sender=OURS)
    asked.refresh_from_db()
    assert (asked.status, asked.waiting_since) == ("open", now)


def test_our_own_letter_that_a_list_hands_back_stays_ours(asked, inbox, sent, ines, now):
    arrives(sent, 5, now, answers="l1@x", sender=OURS)
    do(closing, asked, by=ines, at=now)
    content = raw(message_id="l5@x", references=["l1@x"], sender=OURS, subject="[list] Re: Offer")
    receive(inbox, fetched(6, content, at=now), now=now)
    look(inbox.mailbox)
    asked.refresh_from_db()
    assert asked.status == "closed" and asked.messages.count() == 3


def test_looking_twice_changes_nothing(asked, shared, ines, now):
    do(closing, asked, by=ines, at=now)
    events = Event.objects.count()
    TeamMailbox.objects.update(considered=TeamMailbox.objects.get().considered)
    look(shared)
    asked.refresh_from_db()
    assert (asked.status, Event.objects.count()) == ("closed", events)
    assert mailboxes_to_look_at() == []


def test_a_look_that_was_interrupted_begins_anew(asked, shared, inbox, ines, now):
    do(waiting, asked, by=ines, at=now)
    crashpoint.interrupt("team_follow.before_commit")
    with pytest.raises(crashpoint.Crashed):
        arrives(inbox, 2, now, answers="l1@x")
    crashpoint.disarm()
    asked.refresh_from_db()
    assert (asked.status, mailboxes_to_look_at()) == ("waiting", [shared.pk])
    look(shared)
    asked.refresh_from_db()
    assert asked.status == "open"


def test_history_never_opens_what_is_closed_and_is_told_to_nobody(asked, inbox, archive, ines, now):
    do(closing, asked, by=ines, at=now)
    events = Event.objects.filter(kind__startswith="conversation.").count()
    arrives(inbox, 7, ago(now, days=2), answers="l1@x", initial=True)
    arrives(inbox, 8, ago(now, days=2), subject="Old", initial=True)
    arrives(archive, 9, ago(now, days=2), subject="Older", initial=True)
    assert dict(Conversation.objects.values_list("subject", "status")) == {
        "Offer": "closed",
        "Old": "open",
        "Older": "",
    }
    assert Event.objects.filter(kind__startswith="conversation.").count() == events


def test_a_mailbox_that_nobody_shares_is_left_alone(inbox, mailbox, now):
    arrives(inbox, 1, now)
    assert only().status == ""
    assert not TeamMailbox.objects.exists()


def test_what_lies_in_the_inbox_is_open_from_the_first_grant_on(inbox, archive, mailbox, jonas, account, now):
    letter(inbox, received_at=ago(now, days=3), subject="Lies there")
    letter(archive, received_at=ago(now, days=3), subject="Done long ago")
    Grant.objects.create(account=account, mailbox=mailbox, employee=jonas)
    assert mailboxes_to_look_at() == [mailbox.pk]
    look(mailbox)
    assert dict(Conversation.objects.values_list("subject", "status")) == {"Lies there": "open", "Done long ago": ""}


def test_who_leaves_has_nothing_any_more_and_the_conversation_says_so(asked, ines, lea, account, now):
    boss = employ(account, "Boss", Role.ADMINISTRATOR)
    do(lambda wish: assigning(lea, wish), asked, by=ines, at=now)
    let_go(account.pk, lea.public_id)
    asked.refresh_from_db()
    assert asked.assignee == lea, "she works here"
    dismiss(lea, by=boss, now=now)
    assert let_go(account.pk, lea.public_id) == 1
    assert let_go(account.pk, lea.public_id) == 0
    asked.refresh_from_db()
    assert (asked.assignee, asked.status) == (None, "open")
    assert [(turn.why, turn.was) for turn in history(asked)][-1] == ("left", "Lea")


def test_who_loses_access_has_nothing_any_more_and_the_conversation_says_so(asked, inbox, ines, lea, sales, omar, now):
    do(lambda wish: assigning(omar, wish), asked, by=ines, at=now)
    arrives(inbox, 2, now, subject="Other")
    other = Conversation.objects.get(subject="Other")
    do(lambda wish: assigning(sales, wish), other, by=ines, at=now)
    for given in list(Grant.objects.order_by("pk")):
        left = Grant.objects.exclude(pk=given.pk).exists()
        revoke(given, by=ines)
        after_access_ended(Event.objects.filter(kind="mailbox.unshared").latest("pk"))
        asked.refresh_from_db()
        other.refresh_from_db()
        if left:
            assert (asked.assignee, other.department) == (omar, None)
            assert [(turn.why, turn.was) for turn in history(other)][-1] == ("unshared", "Sales")
    assert asked.assignee is None and asked.status == "open"


def test_what_joins_or_is_split_off_loses_no_work(asked, inbox, ines, lea, now):
    do(closing, asked, by=ines, at=now)
    arrives(inbox, 2, now, subject="Other")
    other = Conversation.objects.get(subject="Other")
    do(lambda wish: assigning(lea, wish), other, by=ines, at=now)
    merge(asked, other, by=ines)
    asked.refresh_from_db()
    other.refresh_from_db()
    assert (asked.status, asked.assignee, other.status, other.assignee) == ("open", lea, "", None)
    new = split(asked.messages.order_by("-pk").first(), by=ines)
    assert (new.status, new.assignee) == ("open", lea)
