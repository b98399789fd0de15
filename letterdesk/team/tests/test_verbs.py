"""Assigning, closing, opening again: for everyone, in shared mailboxes alone, and back again."""

from datetime import timedelta

import pytest
from django.db.models import Q

from letterdesk.events.models import Event
from letterdesk.mailboxes.act import Chosen, NothingChosen, Wish, act, choose
from letterdesk.mailboxes.models import Conversation, Grant, Mailbox, Mark, PendingChange, Placement
from letterdesk.mailboxes.tests.letters import ago, folder_of, letter
from letterdesk.mailboxes.undoing import CannotUndo, take_back
from letterdesk.team.history import history
from letterdesk.team.verbs import (
    TAKING_BACK,
    CannotAssign,
    assigning,
    closing,
    finishing,
    reopening,
    snoozing,
    waiting,
)

from .conftest import do

pytestmark = pytest.mark.django_db


def to(person):
    return lambda wish: assigning(person, wish)


def told(kind="conversation.status_changed"):
    return [event.facts for event in Event.objects.filter(kind=kind).order_by("pk")]


def roles(conversation):
    return set(Placement.objects.filter(conversation=conversation).shown().values_list("folder__role", flat=True))


def test_it_is_given_to_one_person_or_one_department_and_back_to_nobody(offer, ines, lea, sales, now):
    do(to(lea), offer, by=ines, at=now)
    assert (offer.assignee, offer.department) == (lea, None)
    do(to(sales), offer, by=ines, at=now)
    assert (offer.assignee, offer.department) == (None, sales)
    do(to(None), offer, by=ines, at=now)
    assert (offer.assignee, offer.department, offer.status) == (None, None, "open")
    assert [facts["to"] for facts in told("conversation.assigned")] == [
        f"employee:{lea.public_id}",
        f"department:{sales.public_id}",
        "",
    ]


def test_it_is_given_to_nobody_who_cannot_read_it(offer, ines, jonas, account, now):
    with pytest.raises(CannotAssign, match="Jonas cannot read this mailbox"):
        do(to(jonas), offer, by=ines, at=now)
    Grant.objects.create(account=account, mailbox=offer.mailbox, employee=jonas)
    do(to(jonas), offer, by=ines, at=now)
    assert offer.assignee == jonas


def test_observers_colleagues_without_access_and_strangers_cannot_act(offer, omar, jonas, stranger, now):
    for person in (omar, jonas, stranger):
        with pytest.raises(NothingChosen):
            choose([(offer.public_id, "")], closing(Wish("", person, now)))


def test_closing_is_for_everyone_and_takes_what_lies_in_the_inbox_to_the_archive(offer, ines, archive, now):
    do(closing, offer, by=ines, at=now)
    assert offer.status == "closed"
    assert roles(offer) == {"archive"}
    assert told() == [{"conversations": [offer.public_id], "status": "closed", "was": "open"}]


def test_undo_of_closing_before_the_server_was_told_leaves_no_trace(offer, ines, lea, now):
    do(to(lea), offer, by=ines, at=now)
    action = do(closing, offer, by=ines, at=now)
    assert take_back(action, by=ines, now=now, others=TAKING_BACK)
    offer.refresh_from_db()
    assert (offer.status, offer.assignee) == ("open", lea)
    assert roles(offer) == {"inbox"}
    assert not PendingChange.objects.exists()
    assert told()[-1]["why"] == "undo"


def test_undo_changes_nothing_that_somebody_changed_since(offer, ines, lea, now):
    action = do(to(ines), offer, by=ines, at=now)
    do(to(lea), offer, by=lea, at=now)
    with pytest.raises(CannotUndo):
        take_back(action, by=ines, now=now, others=TAKING_BACK)
    offer.refresh_from_db()
    assert offer.assignee == lea


def test_undo_asks_for_the_right_anew(offer, lea, mailbox, now):
    action = do(to(lea), offer, by=lea, at=now)
    mailbox.grants.update(may_reply=False)
    with pytest.raises(CannotUndo):
        take_back(action, by=lea, now=now, others=TAKING_BACK)


def test_opening_again_brings_it_back_to_the_inbox(offer, ines, now):
    do(closing, offer, by=ines, at=now)
    do(reopening, offer, by=ines, at=now)
    assert offer.status == "open"
    assert roles(offer) == {"inbox"}


def test_done_closes_in_a_shared_mailbox_and_archives_in_a_personal_one(offer, ines, account, now):
    own = Mailbox.objects.create(account=account, owner=ines, address="own@acme.example", name="Own")
    private = letter(folder_of(own), received_at=ago(now, hours=1)).conversation
    action = do(finishing, offer, private, by=ines, at=now)
    assert (offer.status, private.status) == ("closed", "")
    assert roles(private) == roles(offer) == {"archive"}
    assert (action.kind, action.count) == ("done", 2)
    another = letter(folder_of(own, "Later", ""), received_at=ago(now, hours=1)).conversation
    assert do(finishing, another, by=ines, at=now).kind == "archive"


def test_a_personal_mailbox_knows_no_team(inbox, ines, now):
    private = letter(inbox, received_at=now).conversation
    with pytest.raises(NothingChosen):
        do(closing, private, by=ines, at=now)
    private.refresh_from_db()
    assert private.status == ""


def test_closing_ends_a_snooze_and_snoozing_opens_what_was_closed(offer, ines, now):
    later = now + timedelta(days=1)
    do(closing, offer, by=ines, at=now)
    chosen = [Chosen(offer.pk, None)]
    action = act(chosen, snoozing(Wish("snooze", ines, now, until=later)))
    offer.refresh_from_db()
    assert offer.status == "open"
    assert Mark.objects.get().snoozed_until == later
    take_back(action, by=ines, now=now, others=TAKING_BACK)
    offer.refresh_from_db()
    assert offer.status == "closed"
    act(chosen, snoozing(Wish("snooze", ines, now, until=later)))
    do(waiting, offer, by=ines, at=now)
    assert offer.status == "waiting"
    assert not Mark.objects.exists()


def test_the_conversation_tells_who_did_what(offer, ines, lea, sales, now):
    do(to(lea), offer, by=lea, at=now)
    do(to(sales), offer, by=ines, at=now)
    do(closing, offer, by=ines, at=now)
    turns = [(turn.by, turn.to, turn.is_self, turn.status) for turn in history(offer)]
    assert turns == [("Lea", "Lea", True, ""), ("Ines", "Sales", False, ""), ("Ines", "", False, "closed")]


def test_many_are_acted_on_in_few_queries(inbox, archive, ines, lea, now, django_assert_max_num_queries):
    found = [letter(inbox, received_at=ago(now, minutes=n)).conversation for n in range(30)]
    Conversation.objects.update(status="open")
    wish = assigning(lea, Wish("", ines, now))
    with django_assert_max_num_queries(20 + 30):  # and an event each
        act([Chosen(each.pk, None) for each in found], wish)
    assert Conversation.objects.filter(assignee=lea, status="open").count() == 30


def test_the_same_person_twice_is_no_second_event(offer, lea, now):
    do(to(lea), offer, by=lea, at=now)
    do(to(lea), offer, by=lea, at=now)
    assert len(told("conversation.assigned")) == 1


def test_somebody_of_another_company_is_given_nothing(offer, ines, stranger, now):
    with pytest.raises(CannotAssign):
        do(to(stranger), offer, by=ines, at=now)


def test_undo_gives_nothing_back_to_who_cannot_read_it_any_more(offer, ines, omar, lea, sales, now):
    for was in (omar, sales):
        do(lambda wish, was=was: assigning(was, wish), offer, by=ines, at=now)
        action = do(lambda wish: assigning(ines, wish), offer, by=ines, at=now)
        Grant.objects.filter(Q(employee=omar) if was == omar else Q(department=sales)).update(
            employee=lea, department=None
        )
        take_back(action, by=ines, now=now, others=TAKING_BACK)
        offer.refresh_from_db()
        assert (offer.assignee, offer.department, offer.status) == (None, None, "open")
        Grant.objects.filter(employee=lea).delete()
