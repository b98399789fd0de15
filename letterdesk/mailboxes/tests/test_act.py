"""What people do with conversations, one or hundreds, and how it is taken back."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes import listing
from letterdesk.mailboxes.act import Chosen, NothingChosen, Wish, act, choose
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.hide import hidden_letters
from letterdesk.mailboxes.labels import make_label
from letterdesk.mailboxes.lists import list_folder
from letterdesk.mailboxes.models import Action, Folder, Grant, HiddenLetter, PendingChange, Placement
from letterdesk.mailboxes.reading import conversation_letters
from letterdesk.mailboxes.search.letters import search
from letterdesk.mailboxes.sidebar import sidebar
from letterdesk.mailboxes.undoing import CannotUndo, take_back

from .arriving import NOW, another_mailbox, fetched, raw, receive
from .letters import folder_of

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def letters(inbox):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}", message_id=f"{uid}@x")) for uid in range(1, 6)])
    return list(Placement.objects.order_by("uid").select_related("conversation", "folder"))


@pytest.fixture
def do(ines, letters, inbox):
    def run(kind, *, by=ines, of=None, now=NOW, **more):
        wish = Wish(kind, by, now, **more)
        chosen = choose([(one.conversation.public_id, inbox.public_id) for one in of or letters[:3]], wish)
        return act(chosen, wish)

    return run


def listed(folder, who, now=NOW):
    return {row.conversation.subject for row in list_folder(folder, employee=who, now=now).rows}


def mate_of(mailbox, jonas, **rights):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, **rights)
    return jonas


def test_moves_to_a_role_make_the_folder_where_there_is_none(do, mailbox, inbox, ines):
    action = do("archive")
    archive = mailbox.folders.get(role="archive")
    assert (action.count, archive.is_wanted) == (3, True)
    assert listed(archive, ines) == {"Letter 1", "Letter 2", "Letter 3"}
    assert PendingChange.objects.filter(kind="move", target=archive, token=action.public_id).count() == 3
    assert listing.check(mailbox) == []


@pytest.mark.parametrize("kind", ["archive", "spam", "delete", "move"])
def test_undo_before_the_server_was_told_leaves_no_trace(do, mailbox, inbox, archive, trash, ines, kind):
    before = list(Placement.objects.order_by("pk").values())
    action = do(kind, target=archive if kind == "move" else None)
    assert listed(inbox, ines) == {"Letter 4", "Letter 5"}
    assert take_back(action, by=ines, now=NOW + timedelta(seconds=5)) == 3
    assert list(Placement.objects.order_by("pk").values()) == before
    assert not PendingChange.objects.exists()
    with pytest.raises(CannotUndo):
        take_back(action, by=ines, now=NOW)


def test_undo_after_the_server_was_told_moves_back(do, mailbox, inbox, archive, ines):
    action = do("archive")
    for change in PendingChange.objects.all():  # as push and the next pull would
        Placement.objects.filter(pk=change.placement_id).delete()
        Placement.objects.filter(uid=-change.pk).update(uid=change.uid + 100)
        PendingChange.objects.filter(pk=change.pk).delete()
    assert take_back(action, by=ines, now=LATER) == 3
    assert set(PendingChange.objects.values_list("kind", "folder", "target")) == {("move", archive.pk, inbox.pk)}
    assert listed(inbox, ines) == {f"Letter {number}" for number in range(1, 6)}


@pytest.mark.parametrize(("kind", "column"), [("read", "is_seen"), ("star", "is_flagged")])
def test_flags_change_and_come_back_where_they_changed(do, letters, ines, kind, column):
    flag = {"is_seen": "\\Seen", "is_flagged": "\\Flagged"}[column]
    change_flags(letters[:1], add=[flag], by=ines, now=NOW)
    action = do(kind)
    assert [getattr(place, column) for place in Placement.objects.order_by("uid")] == [True] * 3 + [False] * 2
    assert take_back(action, by=ines, now=LATER) == 2
    assert [getattr(place, column) for place in Placement.objects.order_by("uid")] == [True] + [False] * 4


def test_hundreds_at_once_take_few_queries(mailbox, inbox, archive, ines, django_assert_max_num_queries):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}", message_id=f"{uid}@x")) for uid in range(1, 401)])
    chosen = [Chosen(pk, inbox.pk) for pk in Placement.objects.values_list("conversation", flat=True)]
    for kind in ("read", "star", "archive"):
        with django_assert_max_num_queries(40):
            action = act(chosen, Wish(kind, ines, NOW))
        assert action.count == 400
    with django_assert_max_num_queries(40):
        assert take_back(action, by=ines, now=NOW) == 400
    assert listing.check(mailbox) == []


def test_foreign_and_invented_ones_are_left_alone_and_nothing_tells_them_apart(do, letters, inbox, jonas, stranger):
    """C18"""
    for who in (jonas, stranger):
        for kind in ("read", "archive", "delete", "pin"):
            with pytest.raises(NothingChosen):
                do(kind, by=who)
    assert not PendingChange.objects.exists()


def test_of_own_and_foreign_ones_only_the_own_are_acted_on(account, do, letters, inbox, ines, jonas):
    """C18"""
    other = folder_of(another_mailbox(account, "omar@acme.example"))
    receive(other, fetched(1, raw("Foreign", message_id="f@x")))
    foreign = Placement.objects.get(folder=other)
    assert do("read", of=[letters[0], foreign]).count == 1
    foreign.refresh_from_db()
    assert not foreign.is_seen


# R27: without the right to delete on the server


def test_a_delete_without_the_right_hides_it_from_that_person_alone(do, letters, mailbox, inbox, trash, ines, jonas):
    mate = mate_of(mailbox, jonas)
    action = do("delete", by=mate)
    assert action.detail["hidden"]
    assert not PendingChange.objects.exists()
    assert listed(inbox, mate) == {"Letter 4", "Letter 5"}
    assert listed(inbox, ines) == {f"Letter {number}" for number in range(1, 6)}
    assert list_folder(inbox, employee=mate, now=NOW).total == 2
    assert [entry.folders[0].unread for entry in (*sidebar(mate, NOW), *sidebar(ines, NOW))] == [2, 5]
    assert len(search(mate, "letter", now=NOW).hits) == 2
    assert len(search(ines, "letter", now=NOW).hits) == 5
    hidden = letters[0].conversation
    assert conversation_letters(hidden, employee=mate, now=NOW) == []
    assert len(conversation_letters(hidden, employee=ines, now=NOW)) == 1
    assert {letter.subject for letter in hidden_letters(mate)} == {"Letter 1", "Letter 2", "Letter 3"}
    assert not hidden_letters(ines).exists()


def test_what_is_hidden_comes_back_by_undo_and_a_reply_is_shown(do, letters, mailbox, inbox, jonas):
    mate = mate_of(mailbox, jonas, may_reply=False)
    action = do("delete", by=mate)
    receive(inbox, fetched(9, raw("Re: Letter 1", message_id="9@x", in_reply_to="1@x")))
    row = next(row for row in list_folder(inbox, employee=mate, now=NOW).rows if row.conversation.subject == "Letter 1")
    assert row.message_count == 1  # the new one alone
    assert take_back(action, by=mate, now=LATER) == 3
    assert listed(inbox, mate) == {f"Letter {number}" for number in range(1, 6)}


def test_an_owner_sees_what_they_hid_as_a_team_mate(do, letters, mailbox, inbox, ines, jonas):
    mate = mate_of(mailbox, jonas)
    do("delete", by=mate)
    mailbox.owner = mate
    mailbox.save(update_fields=["owner"])
    inbox = Folder.objects.select_related("mailbox").get(pk=inbox.pk)
    assert listed(inbox, mate) == {f"Letter {number}" for number in range(1, 6)}


def test_with_the_right_it_goes_to_trash_and_who_only_reads_cannot_have_it(do, mailbox, trash, jonas):
    mate_of(mailbox, jonas, may_reply=False, may_delete_on_server=True)
    do("delete", by=jonas)
    assert HiddenLetter.objects.count() == 3 and not PendingChange.objects.exists()
    HiddenLetter.objects.all().delete()
    Grant.objects.update(may_reply=True)
    do("delete", by=jonas)
    assert PendingChange.objects.filter(target=trash).count() == 3


def test_actions_are_those_of_the_employee_alone(do, ines, jonas, stranger):
    action = do("read")
    assert list(Action.objects.visible_to(ines)) == [action]
    for other in (jonas, stranger):
        assert not Action.objects.visible_to(other).exists()
        with pytest.raises(CannotUndo):
            take_back(action, by=other, now=NOW)


def test_undo_asks_the_rights_anew(do, letters, mailbox, archive, jonas):
    mate = mate_of(mailbox, jonas)
    action = do("archive", by=mate)
    Grant.objects.all().delete()
    with pytest.raises(CannotUndo):
        take_back(action, by=mate, now=NOW)
    assert Placement.objects.filter(folder=archive).count() == 3


# Labels, pins


def test_a_label_is_given_taken_and_taken_back(do, mailbox, letters, ines):
    label = make_label(mailbox, "  Urgent  ", colour="danger")
    assert make_label(mailbox, "URGENT") == label
    first = do("label", label=label, of=letters[:1])
    second = do("label", label=label)
    assert label.labelled.count() == 3
    take_back(second, by=ines, now=LATER)
    assert label.labelled.get().conversation == letters[0].conversation
    take_back(first, by=ines, now=LATER)
    assert not label.labelled.exists()
