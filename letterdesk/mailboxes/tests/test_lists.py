"""Snoozes, pins, labels, several folders at once: what is where in a list, by the clock."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes import marks
from letterdesk.mailboxes.labels import BadLabel, change_label, make_label
from letterdesk.mailboxes.labels import change as give
from letterdesk.mailboxes.lists import Wanted, list_folder, list_folders, list_label, list_sleeping, matching
from letterdesk.mailboxes.models import Conversation, Grant, Label, Labelled, Mark
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.mailboxes.search.letters import BadQuery, search
from letterdesk.mailboxes.threading import merge

from .arriving import another_mailbox
from .letters import ago, folder_of, letter

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def three(inbox, now):
    return [letter(inbox, received_at=ago(now, hours=n), subject=f"L{n}", is_seen=True) for n in (1, 2, 3)]


def names(page):
    return [row.conversation.subject for row in page.rows]


def listed(folder, who, now, **more):
    return names(list_folder(folder, employee=who, now=now, **more))


def mark(message, kind, who, now, **more):
    marks.mark([message.conversation_id], kind, by=who, now=now, **more)


def wanted(who, now, **more):
    return Wanted(who, now, Period(30), **more)


def test_a_snoozed_conversation_is_away_and_comes_back_at_the_top_at_its_second(three, inbox, ines, now):
    mark(three[2], "snooze", ines, now, until=now + HOUR)
    page = list_folder(inbox, employee=ines, now=now)
    assert (names(page), page.total) == (["L1", "L2"], 2)
    assert names(list_sleeping(wanted(ines, now))) == ["L3"]
    assert listed(inbox, ines, now + HOUR - timedelta(seconds=1)) == ["L1", "L2"]
    back = list_folder(inbox, employee=ines, now=now + HOUR)
    assert (names(back), back.total) == (["L3", "L1", "L2"], 3)
    assert back.rows[0].is_back
    assert names(list_sleeping(wanted(ines, now + HOUR))) == []
    marks.look_at([three[2].conversation_id])
    again = list_folder(inbox, employee=ines, now=now + HOUR)
    assert names(again) == ["L3", "L1", "L2"]
    assert not again.rows[0].is_back


def test_a_reply_brings_it_back_before_its_time(three, inbox, ines, now):
    mark(three[2], "snooze", ines, now, until=now + HOUR)
    letter(inbox, received_at=now + timedelta(minutes=5), conversation=three[2].conversation, subject="Re")
    page = list_folder(inbox, employee=ines, now=now + timedelta(minutes=6))
    assert names(page) == ["L3", "L1", "L2"]
    assert page.rows[0].is_back
    assert page.rows[0].sleeps_until is None


def test_waking_ends_a_snooze_and_its_mark(three, inbox, ines, now):
    mark(three[0], "snooze", ines, now, until=now + HOUR)
    mark(three[0], "wake", ines, now)
    assert listed(inbox, ines, now) == ["L1", "L2", "L3"]
    assert not Mark.objects.exists()


def test_a_pin_stays_on_top_of_the_first_page_alone(three, inbox, ines, now):
    mark(three[2], "pin", ines, now)
    first = list_folder(inbox, employee=ines, now=now, limit=1)
    assert (names(first), first.total, first.rows[0].is_pinned) == (["L3", "L1"], 3, True)
    assert listed(inbox, ines, now, limit=1, before=first.next) == ["L2"]
    mark(three[2], "unpin", ines, now)
    assert listed(inbox, ines, now) == ["L1", "L2", "L3"]


def test_what_is_back_stands_on_the_page_of_its_date_and_on_no_other(three, inbox, ines, now):
    mark(three[0], "snooze", ines, ago(now, hours=3), until=now - HOUR * 2 - timedelta(minutes=30))
    Mark.objects.update(newest_then=now)
    three[0].conversation.listings.update(newest_at=ago(now, hours=9))
    first = list_folder(inbox, employee=ines, now=now, limit=1)
    second = list_folder(inbox, employee=ines, now=now, limit=1, before=first.next)
    assert (names(first), names(second)) == (["L2"], ["L1", "L3"])


def test_oldest_first_goes_on_page_by_page(three, inbox, ines, now):
    first = list_folders([inbox], wanted(ines, now, oldest_first=True, limit=2))
    second = list_folders([inbox], wanted(ines, now, oldest_first=True, limit=2, before=first.next))
    assert names(first) + names(second) == ["L3", "L2", "L1"]


def test_several_inboxes_are_one_list_with_pages(account, three, inbox, ines, now):
    second = another_mailbox(account, "two@acme.example")
    Grant.objects.create(account=account, mailbox=second, employee=ines)
    other = folder_of(second)
    for hours in (0.5, 1.5, 2.5):
        letter(other, received_at=now - HOUR * hours, subject=f"O{hours}")
    found, before = [], ""
    while True:
        page = list_folders([inbox, other], wanted(ines, now, limit=2, before=before))
        found += names(page)
        before = page.next
        assert page.total == 6
        if not before:
            break
    assert found == ["O0.5", "L1", "O1.5", "L2", "O2.5", "L3"]


def test_attachments_are_a_filter(three, inbox, ines, now):
    letter(inbox, received_at=now, subject="With", files=["a.pdf"])
    page = list_folder(inbox, employee=ines, now=now, only="attachments")
    assert (names(page), page.total) == (["With"], 1)


def test_a_label_lists_each_conversation_once_and_shows_what_sleeps(three, mailbox, inbox, archive, ines, now):
    label = make_label(mailbox, "Urgent")
    letter(archive, received_at=now, conversation=three[0].conversation)
    give([three[0].conversation_id, three[1].conversation_id], label, on=True, by=ines)
    mark(three[1], "snooze", ines, now, until=now + HOUR)
    page = list_label(label, wanted(ines, now))
    assert (names(page), page.total) == (["L1", "L2"], 2)
    assert [row.label_ids for row in page.rows] == [[label.pk]] * 2
    assert page.rows[0].folder_id == inbox.pk
    assert page.rows[1].sleeps_until == now + HOUR


def test_all_that_match_are_the_other_pages_too(three, mailbox, inbox, ines, now):
    letter(inbox, received_at=now, subject="Unread")
    mark(three[0], "snooze", ines, now, until=now + HOUR)
    assert len(matching([inbox], wanted(ines, now), most=100)) == 3
    assert len(matching([inbox], wanted(ines, now), most=2)) == 2
    assert len(matching([inbox], wanted(ines, now, only="unread"), most=100)) == 1


def test_team_mate_and_stranger_see_neither_labels_nor_marks(
    account, three, mailbox, inbox, ines, jonas, stranger, now
):
    label = make_label(mailbox, "Urgent")
    give([three[0].conversation_id], label, on=True, by=ines)
    mark(three[1], "snooze", ines, now, until=now + HOUR)
    for who in (jonas, stranger):
        assert not Label.objects.visible_to(who).exists()
        assert not Labelled.objects.visible_to(who).exists()
        assert not Mark.objects.visible_to(who).exists()
        assert names(list_label(label, wanted(who, now))) == []
        assert names(list_sleeping(wanted(who, now))) == []
        assert names(list_folders([inbox], wanted(who, now))) == []
        assert matching([inbox], wanted(who, now), most=9) == []
        assert search(who, "label:urgent", now=now).hits == []
    Grant.objects.create(account=account, mailbox=mailbox, employee=jonas, may_reply=False)
    assert Label.objects.visible_to(jonas).exists()
    assert not Label.objects.editable_by(jonas).exists()
    assert names(list_sleeping(wanted(jonas, now))) == ["L2"]


def test_search_knows_labels_snoozes_and_pins(three, mailbox, ines, now):
    give([three[0].conversation_id], make_label(mailbox, "Very urgent"), on=True, by=ines)
    mark(three[1], "snooze", ines, now, until=now + HOUR)
    mark(three[2], "pin", ines, now)

    def found(query, at=now):
        return [hit.conversation.subject for hit in search(ines, query, now=at).hits]

    assert found('label:"very URGENT"') == ["L1"]
    assert found("is:snoozed") == ["L2"]
    assert found("is:snoozed", now + HOUR) == []
    assert found("is:pinned") == ["L3"]
    assert found("-is:pinned -is:snoozed") == ["L1"]
    with pytest.raises(BadQuery):
        found("is:nonsense")


def test_labels_have_names_that_differ(mailbox):
    one, two = make_label(mailbox, "One"), make_label(mailbox, "Two", colour="warn")
    assert make_label(mailbox, "Three", colour="javascript").colour == ""
    for bad in ("", "   ", "x" * 61, 'a"b'):
        with pytest.raises(BadLabel):
            make_label(mailbox, bad)
    with pytest.raises(BadLabel):
        change_label(one, name="TWO", colour="")
    change_label(two, name="Zwei", colour="info")
    assert (two.name, two.colour) == ("Zwei", "info")


def test_open_pages_are_told_once_what_is_back(three, mailbox, ines, now):
    mark(three[0], "snooze", ines, now, until=now + HOUR)
    Event.objects.all().delete()
    assert marks.tell_returned(now=now) == 0
    assert marks.tell_returned(now=now + HOUR) == 1
    assert marks.tell_returned(now=now + HOUR) == 0
    event = Event.objects.get()
    assert (event.kind, event.topic) == ("conversation.returned", mailbox.topic)
    assert event.facts["conversations"] == [three[0].conversation.public_id]


def test_labels_and_marks_go_along_when_conversations_merge(three, mailbox, ines, now):
    label = make_label(mailbox, "Urgent")
    give([three[0].conversation_id, three[1].conversation_id], label, on=True, by=ines)
    mark(three[1], "pin", ines, now)
    merge(three[0].conversation, three[1].conversation, by=ines)
    while marks.carry_over():
        pass
    assert list(label.labelled.values_list("conversation", flat=True)) == [three[0].conversation_id]
    assert Mark.objects.get().conversation_id == three[0].conversation_id
    assert Conversation.objects.filter(labelled__isnull=False, merged_into__isnull=False).count() == 0
