"""Mute: of one person alone, also for who may only read; shown in their lists, taken back, kept through a merge."""

import pytest

from letterdesk.mailboxes.act import NothingChosen, Wish, act, choose
from letterdesk.mailboxes.lists import list_folder
from letterdesk.mailboxes.models import Conversation, Grant, Muted
from letterdesk.mailboxes.muting import muted_among
from letterdesk.mailboxes.reading import find_conversation
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.threading import merge
from letterdesk.mailboxes.undoing import CannotUndo, take_back

from .arriving import NOW, fetched, raw, receive


@pytest.fixture
def two(inbox):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}", message_id=f"{uid}@x")) for uid in (1, 2)])
    return list(Conversation.objects.order_by("pk"))


@pytest.fixture
def do(two, inbox):
    def run(kind, by, *which):
        wish = Wish(kind, by, NOW)
        return act(choose([(each.public_id, inbox.public_id) for each in which or two], wish), wish)

    return run


@pytest.fixture
def observer(account, mailbox, jonas):
    Grant.objects.create(account=account, mailbox=mailbox, employee=jonas, may_reply=False)
    return jonas


def muted_rows(inbox, employee):
    return {row.conversation.subject for row in list_folder(inbox, employee=employee, now=NOW).rows if row.is_muted}


def test_the_reader_sees_it_and_nobody_else(do, two, inbox, ines, observer):
    do("mute", ines, two[0])
    do("mute", observer, two[1])
    assert (muted_rows(inbox, ines), muted_rows(inbox, observer)) == ({"Letter 1"}, {"Letter 2"})
    assert find_conversation(ines, two[0].public_id).is_muted and not find_conversation(ines, two[1].public_id).is_muted
    assert muted_among([two[0].pk, two[1].pk]) == {(two[0].pk, ines.pk), (two[1].pk, observer.pk)}


def test_again_changes_nothing_and_undo_takes_back_what_changed(do, two, inbox, ines):
    do("mute", ines, two[0])
    both = do("mute", ines)
    assert both.count == 2 and Muted.objects.count() == 2
    take_back(both, by=ines, now=NOW)
    assert muted_rows(inbox, ines) == {"Letter 1"}
    off = do("unmute", ines)
    assert muted_rows(inbox, ines) == set()
    take_back(off, by=ines, now=NOW)
    assert muted_rows(inbox, ines) == {"Letter 1"}


def test_a_stranger_mutes_nothing_and_who_lost_access_takes_nothing_back(do, two, ines, observer, stranger):
    with pytest.raises(NothingChosen):
        do("mute", stranger)
    action = do("mute", observer)
    Grant.objects.all().delete()
    with pytest.raises(CannotUndo):
        take_back(action, by=observer, now=NOW)


def test_it_follows_a_merge_and_goes_with_the_last_letter(do, two, mailbox, ines):
    do("mute", ines, two[0])
    kept = merge(two[1], two[0], by=ines)
    assert muted_among([kept.pk]) == {(kept.pk, ines.pk)} and Muted.objects.count() == 1
    remove_messages(mailbox, list(mailbox.messages.values_list("pk", flat=True)), now=NOW)
    assert not Muted.objects.exists()
