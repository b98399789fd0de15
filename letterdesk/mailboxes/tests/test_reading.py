"""The list of a folder, the sidebar and the page of a conversation: what is shown, by the clock, in few queries."""

import contextlib
from datetime import timedelta

import pytest

from letterdesk.lib.keyset import BadCursor
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.lists import list_folder
from letterdesk.mailboxes.models import Conversation, Grant, Hold, Mailbox, Placement
from letterdesk.mailboxes.reading import conversation_letters, find_conversation
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.mailboxes.sidebar import sidebar

from .letters import ago, folder_of, letter, place

pytestmark = pytest.mark.django_db

MONTH = timedelta(hours=24 * 30)


def listed(folder, employee, now, **options):
    return [row.conversation.subject for row in list_folder(folder, employee=employee, now=now, **options).rows]


def unread(employee, now):
    return {entry.folder.name: entry.unread for mailbox in sidebar(employee, now) for entry in mailbox.folders}


def test_conversations_are_listed_newest_first_with_all_a_row_needs(inbox, ines, now):
    first = letter(inbox, received_at=ago(now, hours=3), subject="Offer", body="Forty seats", is_seen=True)
    letter(inbox, received_at=ago(now, hours=1), subject="Other")
    letter(inbox, received_at=now, conversation=first.conversation, sender=("Ines", "ines@acme.example"), body="Done",
           files=["a.pdf"], is_flagged=True)  # fmt: skip
    page = list_folder(inbox, employee=ines, now=now)
    row = page.rows[0]
    assert [each.conversation.subject for each in page.rows] == ["Offer", "Other"]
    assert (row.senders, row.message_count, row.unread_count) == (["Amara Okafor", "Ines"], 2, 1)
    assert (row.snippet, row.is_flagged, row.has_attachments, row.newest_at) == ("Done", True, True, now)
    assert (page.total, page.next, row.days_left) == (2, "", None)


def test_pages_follow_each_other_without_gap_or_repetition_even_at_the_same_second(inbox, ines, now):
    for number in range(23):
        letter(inbox, received_at=ago(now, minutes=number // 5), subject=str(number))
    pages, before = [], ""
    while True:
        page = list_folder(inbox, employee=ines, now=now, limit=5, before=before)
        pages.append([row.conversation.subject for row in page.rows])
        assert page.total == 23
        before = page.next
        if not before:
            break
    assert [len(rows) for rows in pages] == [5, 5, 5, 5, 3]
    assert len({subject for rows in pages for subject in rows}) == 23


def test_a_letter_that_arrives_meanwhile_does_not_shift_the_next_page(inbox, ines, now):
    for number in range(6):
        letter(inbox, received_at=ago(now, minutes=number), subject=str(number))
    first = list_folder(inbox, employee=ines, now=now, limit=3)
    letter(inbox, received_at=now + timedelta(minutes=1), subject="new")
    assert listed(inbox, ines, now, limit=3, before=first.next) == ["3", "4", "5"]


@pytest.mark.parametrize("cursor", ["x", "1", "1.2.3", "1.x", "9" * 40 + ".1", "-5.1'; --"])
def test_a_cursor_that_we_did_not_hand_out_is_refused_or_finds_nothing(inbox, ines, now, cursor):
    letter(inbox, received_at=now)
    with contextlib.suppress(BadCursor):
        assert listed(inbox, ines, now, before=cursor) == []


def test_filters_show_unread_or_flagged_conversations_with_their_totals(inbox, ines, now):
    letter(inbox, received_at=now, subject="unread")
    letter(inbox, received_at=now, subject="flagged", is_flagged=True, is_seen=True)
    letter(inbox, received_at=now, subject="neither", is_seen=True)
    for only in ("unread", "flagged"):
        page = list_folder(inbox, employee=ines, now=now, only=only)
        assert [row.conversation.subject for row in page.rows] == [only]
        assert page.total == 1


# R20: by the clock


def test_a_letter_leaves_list_counters_and_page_in_the_same_second(inbox, ines, now):
    message = letter(inbox, received_at=now)
    conversation = message.conversation
    last = now + MONTH - timedelta(seconds=1)
    assert listed(inbox, ines, last) == ["Offer"]
    assert unread(ines, last) == {"INBOX": 1}
    assert conversation_letters(conversation, employee=ines, now=last)
    gone = now + MONTH
    assert list_folder(inbox, employee=ines, now=gone).total == 0
    assert listed(inbox, ines, gone) == []
    assert unread(ines, gone) == {"INBOX": 0}
    assert conversation_letters(conversation, employee=ines, now=gone) == []


def test_of_a_conversation_with_letters_that_left_only_the_others_are_told(inbox, ines, now):
    old = letter(inbox, received_at=now - MONTH, sender=("Old", "o@x"), files=["a"], is_flagged=True)
    letter(inbox, received_at=ago(now, days=20), conversation=old.conversation, sender=("New", "n@x"), is_seen=True)
    row = list_folder(inbox, employee=ines, now=now).rows[0]
    assert (row.senders, row.message_count, row.unread_count) == (["New"], 1, 0)
    assert (row.is_flagged, row.has_attachments, row.days_left) == (False, False, 10)
    assert listed(inbox, ines, now, only="unread") == listed(inbox, ines, now, only="flagged") == []
    assert unread(ines, now) == {"INBOX": 0}
    assert [each.message.from_name for each in conversation_letters(old.conversation, employee=ines, now=now)] == [
        "New"
    ]


def test_a_held_letter_stays_listed_counted_and_readable_whatever_its_age(inbox, ines, account, now):
    held = letter(inbox, received_at=ago(now, days=400), subject="held", held=True)
    Hold.objects.create(account=account, message=held, reason="task", reference="task:1")
    letter(inbox, received_at=ago(now, days=390), conversation=held.conversation, sender=("Later", "l@x"))
    page = list_folder(inbox, employee=ines, now=now)
    assert page.total == 1
    assert (page.rows[0].senders, page.rows[0].unread_count, page.rows[0].days_left) == (["Amara Okafor"], 1, None)
    assert unread(ines, now) == {"INBOX": 1}
    (read,) = conversation_letters(held.conversation, employee=ines, now=now)
    assert read.storage == "Kept: linked to task #1"


@pytest.mark.parametrize(("age", "days"), [(15, None), (16, 14), (29, 1)])
def test_the_row_tells_the_days_that_remain_from_fourteen_on(inbox, ines, now, age, days):
    letter(inbox, received_at=ago(now, days=age) - timedelta(seconds=-60 if age == 15 else 0))
    assert list_folder(inbox, employee=ines, now=now).rows[0].days_left == days


def test_without_a_limit_nothing_ever_leaves(inbox, ines, now):
    letter(inbox, received_at=ago(now, days=4000))
    page = list_folder(inbox, employee=ines, now=now, period=Period(None))
    assert (page.total, page.rows[0].days_left) == (1, None)


# What does not count


def test_hidden_and_deleted_places_are_neither_listed_nor_counted_nor_read(inbox, ines, now):
    hidden, deleted = letter(inbox, received_at=now), letter(inbox, received_at=now)
    Placement.objects.filter(message=hidden).update(hidden_at=now)
    Placement.objects.filter(message=deleted).update(is_deleted=True)
    listing.refresh([hidden.conversation_id, deleted.conversation_id])
    assert listed(inbox, ines, now) == []
    assert unread(ines, now) == {"INBOX": 0}
    assert conversation_letters(hidden.conversation, employee=ines, now=now) == []


def test_a_letter_in_two_folders_is_read_once_with_both_places(inbox, mailbox, ines, now):
    archive = folder_of(mailbox, "Archive", "archive")
    message = letter(inbox, received_at=now, is_seen=True)
    place(message, archive, is_flagged=True)
    (read,) = conversation_letters(message.conversation, employee=ines, now=now)
    assert [each.folder.name for each in read.places] == ["INBOX", "Archive"]
    assert (read.is_unread, read.is_flagged) == (False, True)


# Access


def test_owner_team_mate_and_stranger_read_just_what_is_theirs(inbox, mailbox, ines, jonas, stranger, now):
    message = letter(inbox, received_at=now)
    for other in (jonas, stranger):
        assert list_folder(inbox, employee=other, now=now).rows == []
        assert list_folder(inbox, employee=other, now=now).total == 0
        assert sidebar(other, now) == []
        assert find_conversation(other, message.conversation.public_id) is None
        assert conversation_letters(message.conversation, employee=other, now=now) == []
    assert find_conversation(ines, message.conversation.public_id) == message.conversation
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    assert listed(inbox, jonas, now) == ["Offer"]
    assert [entry.is_own for entry in sidebar(jonas, now)] == [False]


def test_a_merged_conversation_is_found_under_its_old_address(inbox, ines, now):
    message = letter(inbox, received_at=now)
    old = Conversation.objects.create(account=ines.account, mailbox=inbox.mailbox, merged_into=message.conversation)
    assert find_conversation(ines, old.public_id) == message.conversation
    assert find_conversation(ines, "nonsense") is None


def test_own_mailboxes_stand_first_and_folders_in_the_order_of_their_roles(account, mailbox, inbox, ines, jonas, now):
    for name, role in (("Trash", "trash"), ("Sent", "sent"), ("Älteres", ""), ("abc", ""), ("Drafts", "drafts")):
        folder_of(mailbox, name, role)
    folder_of(mailbox, "Gone", "", gone_at=now)
    shared = Mailbox.objects.create(account=account, owner=jonas, address="a@acme.example", name="A")
    Grant.objects.create(account=account, mailbox=shared)
    own, other = sidebar(ines, now)
    assert [entry.folder.name for entry in own.folders] == ["INBOX", "Drafts", "Sent", "abc", "Älteres", "Trash"]
    assert (own.mailbox, own.is_own, other.mailbox, other.is_own) == (mailbox, True, shared, False)


# Cost


def test_a_page_with_its_sidebar_takes_seven_queries_however_long(inbox, ines, now, django_assert_num_queries):
    for number in range(30):
        letter(inbox, received_at=ago(now, days=number), files=["a"])
    with django_assert_num_queries(7):
        period = periods_of(ines.account, now)
        list_folder(inbox, employee=ines, now=now, period=period)
        sidebar(ines, now, period=period)


def test_a_conversation_takes_six_queries_however_long(inbox, ines, now, django_assert_num_queries):
    message = letter(inbox, received_at=now, held=True)
    for number in range(30):
        letter(inbox, received_at=ago(now, hours=number), conversation=message.conversation, files=["a", "b"])
    conversation = find_conversation(ines, message.conversation.public_id)
    with django_assert_num_queries(6):
        assert len(conversation_letters(conversation, employee=ines, now=now)) == 31
