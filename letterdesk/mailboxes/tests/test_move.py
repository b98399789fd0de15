"""Moves and deletes: shown at once, sent later, undone without a trace, and never a letter lost on the way."""

from datetime import timedelta

import pytest
from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.lib import crashpoint
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.columns import flags_of
from letterdesk.mailboxes.connect import disconnect
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import (
    BlobReference,
    Conversation,
    Grant,
    Listing,
    LooseBlob,
    Message,
    PendingChange,
    Placement,
    SearchText,
    ThreadKey,
)
from letterdesk.mailboxes.move import (
    CannotMove,
    DifferentMailbox,
    MayNotDelete,
    delete,
    hide_softly,
    move,
    remove_vanished,
    undo,
    unhide,
)
from letterdesk.mailboxes.remove import remove_messages, remove_unplaced
from letterdesk.mailboxes.retention import holds

from .arriving import NOW, VALIDITY, another_mailbox, fetched, raw, receive
from .letters import folder_of

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def place(inbox):
    receive(inbox, fetched(1, raw("Offer", message_id="1@x"), flags=["$Work"]))
    return Placement.objects.get()


def in_folder(folder):
    return list(Listing.objects.filter(folder=folder).values_list("conversation", flat=True))


def vanish(folder, *uids):
    with transaction.atomic():
        return remove_vanished(folder, UidSet(uids), uidvalidity=VALIDITY, now=NOW)


def test_disconnecting_takes_back_what_the_server_was_never_told(mailbox, inbox, archive, ines, place):
    move([place], archive, by=ines, now=NOW)
    assert in_folder(archive) and not in_folder(inbox)
    assert disconnect(mailbox, by=ines) == 1
    assert in_folder(inbox) and not in_folder(archive)
    assert list(Placement.objects.all()) == [place]  # none without a place on the server: it could never be swept (R9)
    assert listing.check(mailbox) == []


def test_a_moved_letter_is_in_the_target_at_once_and_an_intention_says_so(mailbox, inbox, archive, ines, place):
    move([place], archive, by=ines, now=NOW)
    assert in_folder(inbox) == []
    assert in_folder(archive) == [place.conversation_id]
    change = PendingChange.objects.get()
    assert (change.kind, change.folder, change.uid, change.target) == ("move", inbox, 1, archive)
    assert change.due_at == NOW + timedelta(seconds=10)
    provisional = Placement.objects.get(folder=archive)
    assert (provisional.uid, flags_of(provisional)) == (-change.pk, {"$Work"})
    assert not Placement.objects.on_server().filter(folder=archive).exists()
    assert Conversation.objects.get().message_count == 1
    assert listing.check(mailbox) == []


def test_undo_sends_nothing_and_leaves_everything_as_it_was(mailbox, inbox, archive, ines, place):
    before = Placement.objects.values().get()
    token = move([place], archive, by=ines, now=NOW)
    assert undo(mailbox, token, now=NOW + timedelta(seconds=9)) == 1
    assert not PendingChange.objects.exists()
    assert Placement.objects.values().get() == before
    assert in_folder(inbox) == [place.conversation_id]
    assert listing.check(mailbox) == []


@pytest.mark.parametrize("reason", ["due", "tried"])
def test_what_is_due_or_was_tried_cannot_be_undone(mailbox, archive, ines, place, reason):
    token = move([place], archive, by=ines, now=NOW)
    PendingChange.objects.update(attempts=1 if reason == "tried" else 0)
    at = NOW + timedelta(seconds=10 if reason == "due" else 1)
    assert undo(mailbox, token, now=at) == 0
    assert PendingChange.objects.count() == 1


def test_undo_keeps_flags_that_were_changed_in_the_new_folder(mailbox, inbox, archive, ines, place):
    change_flags([place], add=["\\Answered"], by=ines, now=NOW)
    token = move([place], archive, by=ines, now=NOW)
    change_flags(Placement.objects.filter(folder=archive), add=["\\Seen"], remove=["$Work"], by=ines, now=NOW)
    undo(mailbox, token, now=NOW)
    change = PendingChange.objects.get()
    assert (change.folder, change.uid) == (inbox, 1)
    assert change.detail == {"add": ["\\Answered", "\\Seen"], "remove": ["$Work"]}
    assert flags_of(Placement.objects.get()) == {"\\Answered", "\\Seen"}


def test_a_second_move_before_the_first_is_sent_and_both_undone(mailbox, inbox, archive, trash, ines, place):
    first = move([place], archive, by=ines, now=NOW)
    move(Placement.objects.filter(folder=archive), trash, by=ines, now=NOW)
    assert (in_folder(inbox), in_folder(archive), in_folder(trash)) == ([], [], [place.conversation_id])
    undo(mailbox, first, now=NOW)
    assert in_folder(inbox) == [place.conversation_id]
    assert Placement.objects.count() == 1
    assert not PendingChange.objects.exists()
    assert listing.check(mailbox) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["move.intended", "move.before_commit"])
def test_a_crash_leaves_the_intention_or_nothing(mailbox, inbox, archive, ines, place, point):
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        move([place], archive, by=ines, now=NOW)
    crashpoint.disarm()
    assert not PendingChange.objects.exists()
    assert in_folder(inbox) == [place.conversation_id]
    assert Placement.objects.count() == 1


def test_the_letter_that_shows_up_in_the_target_takes_over_the_provisional_place(mailbox, inbox, archive, ines, place):
    move([place], archive, by=ines, now=NOW)
    provisional = Placement.objects.get(folder=archive)
    change_flags([provisional], add=["\\Seen"], by=ines, now=NOW)
    PendingChange.objects.filter(kind="move").update(state="sent", placement=None, due_at=NOW)
    vanish(inbox, 1)
    receive(archive, fetched(50, raw("Offer", message_id="1@x"), flags=["$Work"]))
    real = Placement.objects.get()
    assert (real.pk, real.uid, real.is_seen) == (provisional.pk, 50, True)
    assert PendingChange.objects.get().uid == 50
    assert Message.objects.get().unplaced_at is None
    assert listing.check(mailbox) == []


@pytest.mark.case("A19")
@pytest.mark.parametrize("order", ["vanished first", "arrived first"])
def test_a_letter_that_another_program_moves_keeps_message_and_conversation(mailbox, inbox, archive, place, order):
    steps = [lambda: vanish(inbox, 1), lambda: receive(archive, fetched(9, raw("Offer", message_id="1@x")))]
    for step in steps if order == "vanished first" else reversed(steps):
        step()
    assert Placement.objects.get().folder == archive
    message = Message.objects.get()
    assert (message.pk, message.conversation_id) == (place.message_id, place.conversation_id)
    assert remove_unplaced(mailbox, before=LATER, now=LATER) == 0
    assert listing.check(mailbox) == []


def test_what_vanished_and_did_not_come_back_is_removed_with_all_that_was_its(mailbox, inbox, place):
    receive(inbox, fetched(2, raw("Re: Offer", message_id="2@x", in_reply_to="1@x")))
    assert vanish(inbox, 1, 2, 77) == 2
    assert in_folder(inbox) == []
    assert remove_unplaced(mailbox, before=NOW, now=NOW) == 0  # vanished in this very pass
    assert remove_unplaced(mailbox, before=LATER, now=LATER) == 2
    for model in (Message, Placement, Conversation, Listing, ThreadKey, SearchText, BlobReference):
        assert not model.objects.exists(), model
    assert LooseBlob.objects.count() == 2


def test_a_held_letter_stays_when_the_server_loses_it(mailbox, inbox, place):
    holds.add(place.message, reason="task", reference="task:1", now=NOW)
    vanish(inbox, 1)
    assert remove_unplaced(mailbox, before=LATER, now=LATER) == 0  # R4
    assert not Listing.objects.exists()
    assert holds.release(place.message, reason="task", reference="task:1")
    assert remove_unplaced(mailbox, before=LATER, now=LATER) == 1


@pytest.mark.case("F10")
def test_letters_of_another_mailbox_are_never_removed(account, mailbox, place):
    other = another_mailbox(account, "omar@acme.example")
    assert remove_messages(other, [place.message_id], now=NOW) == []
    assert Message.objects.count() == 1


@pytest.mark.case("F07")
def test_a_hold_taken_after_the_list_was_made_wins(mailbox, place):
    ids = list(Message.objects.values_list("pk", flat=True))
    holds.add(place.message, reason="legal", reference="case:1", now=NOW)
    assert remove_messages(mailbox, ids, now=NOW) == []
    assert Placement.objects.exists()


def test_a_hold_on_a_removed_letter_is_refused(mailbox, place):
    message = place.message
    remove_messages(mailbox, [message.pk], now=NOW)
    with pytest.raises(holds.MessageGone):
        holds.add(message, reason="task", reference="task:1", now=NOW)


def test_is_held_is_exact_with_the_last_hold(mailbox, place):
    holds.add(place.message, reason="task", reference="task:1", now=NOW)
    holds.add(place.message, reason="task", reference="task:1", now=NOW)
    holds.add(place.message, reason="legal", reference="case:1", now=NOW)
    assert Listing.objects.get().is_held
    assert not holds.release(place.message, reason="task", reference="task:1")
    assert (Listing.objects.get().is_held, holds.check()) == (True, [])
    assert holds.release(place.message, reason="legal", reference="case:1")
    assert (Listing.objects.get().is_held, holds.check()) == (False, [])


def test_deleting_moves_to_trash_and_deleting_there_is_for_good(mailbox, inbox, trash, ines, place):
    delete([place], by=ines, now=NOW)
    change = PendingChange.objects.get()
    assert (change.kind, change.target) == ("move", trash)  # R27
    PendingChange.objects.all().delete()
    Placement.objects.filter(folder=inbox).delete()
    Placement.objects.update(uid=5)
    token = delete(Placement.objects.all(), by=ines, now=NOW)
    assert PendingChange.objects.get().kind == "delete"
    assert in_folder(trash) == []
    assert undo(mailbox, token, now=NOW) == 1
    assert in_folder(trash) == [place.conversation_id]


def test_without_a_trash_folder_one_is_wished_for_and_nothing_is_lost(mailbox, inbox, ines, place):
    """R27"""
    token = delete([place], by=ines, now=NOW)
    trash = mailbox.folders.get(role="trash")
    assert (trash.name, trash.is_wanted, trash.role_is_chosen) == ("Trash", True, True)
    assert PendingChange.objects.get().target == trash
    assert in_folder(trash) == [place.conversation_id]
    undo(mailbox, token, now=NOW)
    assert in_folder(inbox) == [place.conversation_id]


def test_a_folder_that_is_called_trash_becomes_the_trash(mailbox, ines, place):
    """R27"""
    called = folder_of(mailbox, "trash", "")
    delete([place], by=ines, now=NOW)
    assert PendingChange.objects.get().target == called
    called.refresh_from_db()
    assert (called.role, called.is_wanted) == ("trash", False)


def test_where_all_folders_lie_below_the_inbox_the_new_one_does_too(mailbox, inbox, ines, place):
    """R27"""
    folder_of(mailbox, "INBOX/Spam", "spam")
    folder_of(mailbox, "INBOX/Trash", "drafts")
    delete([place], by=ines, now=NOW)
    assert PendingChange.objects.get().target.wire_name == "INBOX/Trash 2"


def test_taking_back_hundreds_takes_few_queries(mailbox, inbox, archive, ines, django_assert_max_num_queries):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}")) for uid in range(1, 301)])
    with django_assert_max_num_queries(30):
        token = move(Placement.objects.all(), archive, by=ines, now=NOW)
    with django_assert_max_num_queries(30):
        assert undo(mailbox, token, now=NOW) == 300
    assert len(in_folder(inbox)) == 300
    assert listing.check(mailbox) == []


def test_only_the_owner_and_who_was_granted_it_delete_on_the_server(account, mailbox, trash, place):
    omar = Employee.objects.create(account=account, email="omar@acme.example", name="Omar")
    grant = Grant.objects.create(account=account, mailbox=mailbox, employee=omar)
    with pytest.raises(MayNotDelete):
        delete([place], by=omar, now=NOW)
    grant.may_delete_on_server = True
    grant.save()
    delete([place], by=omar, now=NOW)
    assert PendingChange.objects.get().by == omar


def test_letters_stay_in_their_mailbox_and_out_of_folders_that_take_none(account, mailbox, archive, ines, place):
    with pytest.raises(DifferentMailbox):
        move([place], folder_of(another_mailbox(account, "omar@acme.example")), by=ines, now=NOW)
    archive.is_selectable = False
    with pytest.raises(CannotMove):
        move([place], archive, by=ines, now=NOW)


def test_in_a_mailbox_without_a_server_moves_and_deletes_are_done_at_once(mailbox, inbox, archive, trash, ines, place):
    mailbox.imap_host = ""
    mailbox.save()
    receive(archive, fetched(4, raw("Other")))
    move([place], archive, by=ines, now=NOW)
    assert Placement.objects.get(pk=place.pk).uid == 5
    delete(Placement.objects.filter(pk=place.pk), by=ines, now=NOW)
    assert in_folder(trash) == [place.conversation_id]
    delete(Placement.objects.filter(pk=place.pk), by=ines, now=NOW)
    assert not Message.objects.filter(pk=place.message_id).exists()
    assert not PendingChange.objects.exists()
    assert listing.check(mailbox) == []


@pytest.mark.case("A20")
def test_what_is_hidden_softly_is_listed_nowhere_and_comes_back_whole(mailbox, inbox, archive, ines):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}")) for uid in range(1, 9)])
    before = list(Listing.objects.order_by("conversation").values("conversation", "newest_at", "unread_count"))
    assert hide_softly(inbox, UidSet(range(1, 9)), now=NOW) == 8
    assert not Listing.objects.exists()
    assert Message.objects.count() == 8
    assert unhide(inbox, UidSet(range(1, 9)), now=NOW) == 8
    assert before == list(Listing.objects.order_by("conversation").values("conversation", "newest_at", "unread_count"))
    move(Placement.objects.filter(uid=3), archive, by=ines, now=NOW)
    assert unhide(inbox, UidSet(range(1, 9)), now=NOW) == 0  # on its way, not hidden by the brake
    assert listing.check(mailbox) == []
