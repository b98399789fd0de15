"""Flags: each for itself, from the server and from people, and nothing that waits is overwritten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.mail.imap_types import Flags
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.columns import flag_columns, flags_of
from letterdesk.mailboxes.flags import change_flags, merge_flags
from letterdesk.mailboxes.intentions import joined
from letterdesk.mailboxes.models import Listing, PendingChange, Placement

from .arriving import NOW, VALIDITY, fetched, raw, receive

NAMES = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "$Work", "Später"]


def told(folder, *flags):
    return merge_flags(folder, flags, uidvalidity=VALIDITY, now=NOW)


@pytest.fixture
def place(inbox):
    receive(inbox, fetched(1, raw(), flags=["$Work"]))
    return Placement.objects.get()


def test_flags_of_the_server_replace_ours_and_count_in_the_list(inbox, mailbox, place):
    assert told(inbox, Flags(1, frozenset({"\\SEEN", "\\flagged", "$Home"}), 12)) == 1
    place.refresh_from_db()
    assert flags_of(place) == {"\\Seen", "\\Flagged", "$Home"}
    assert place.modseq == 12
    line = Listing.objects.get()
    assert (line.unread_count, line.is_flagged) == (0, True)
    assert listing.check(mailbox) == []
    assert Event.objects.latest("pk").kind == "message.changed"


def test_the_same_flags_again_change_nothing_and_tell_nothing(inbox, place):
    events = Event.objects.count()
    assert told(inbox, Flags(1, frozenset({"$Work", "\\Recent"})), Flags(99, frozenset({"\\Seen"}))) == 0
    assert Event.objects.count() == events


def test_a_letter_marked_deleted_on_the_server_leaves_the_list(inbox, mailbox, place):
    told(inbox, Flags(1, frozenset({"\\Deleted"})))
    assert not Listing.objects.exists()
    told(inbox, Flags(1, frozenset()))
    assert Listing.objects.get().unread_count == 1
    assert listing.check(mailbox) == []


@pytest.mark.case("A29")
def test_what_a_person_changed_waits_and_the_other_flags_follow_the_server(inbox, ines, place):
    change_flags([place], add=["\\seen"], remove=["$Work"], by=ines, now=NOW)
    told(inbox, Flags(1, frozenset({"$Work", "\\Flagged", "$Home"})))
    place.refresh_from_db()
    assert flags_of(place) == {"\\Seen", "\\Flagged", "$Home"}
    PendingChange.objects.all().delete()  # sent
    told(inbox, Flags(1, frozenset({"$Home"})))
    place.refresh_from_db()
    assert flags_of(place) == {"$Home"}


def test_a_change_by_a_person_is_ours_at_once_and_one_intention(inbox, mailbox, ines, place):
    assert change_flags([place], add=["\\Seen"], by=ines, now=NOW) == 1
    assert change_flags([place], add=["\\Flagged"], remove=["\\Seen"], by=ines, now=NOW) == 1
    change = PendingChange.objects.get()
    assert change.detail == {"add": ["\\Flagged"], "remove": ["\\Seen"]}
    assert (change.folder, change.uid, change.uidvalidity, change.by) == (inbox, 1, VALIDITY, ines)
    assert listing.check(mailbox) == []
    assert Listing.objects.get().unread_count == 1


def test_a_push_that_ends_during_a_further_change_does_not_lose_it(ines, place):
    change_flags([place], add=["\\Seen"], by=ines, now=NOW)
    sending = PendingChange.objects.get()
    change_flags([place], add=["\\Flagged"], by=ines, now=NOW)
    PendingChange.objects.filter(pk=sending.pk).delete()  # what push does when the server has answered
    assert "\\Flagged" in PendingChange.objects.get().detail["add"]


def test_a_change_that_changes_nothing_intends_nothing(ines, place):
    assert change_flags([place], add=["$Work"], remove=["\\Seen"], by=ines, now=NOW) == 0
    assert not PendingChange.objects.exists()


def test_a_mailbox_without_a_server_intends_nothing(mailbox, ines, place):
    mailbox.imap_host = ""
    mailbox.save()
    change_flags([place], add=["\\Seen"], by=ines, now=NOW)
    assert Placement.objects.get().is_seen
    assert not PendingChange.objects.exists()


flag_sets = st.frozensets(st.sampled_from(NAMES))


@given(flag_sets)
def test_flags_survive_the_columns(flags):
    assert flags_of(Placement(**flag_columns(flags))) == flags


@given(flag_sets, st.lists(st.tuples(flag_sets, flag_sets), max_size=6))
def test_joined_intentions_do_what_all_of_them_did(there, changes):
    expected, detail = set(there), None
    for add, remove in changes:
        expected = (expected - remove) | add
        detail = joined(detail, add=add, remove=remove - add)
    left = (there - set(detail["remove"])) | set(detail["add"]) if detail else there
    assert left == expected


def test_a_thousand_flags_take_a_handful_of_queries(inbox, django_assert_max_num_queries):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}")) for uid in range(1, 301)])
    with django_assert_max_num_queries(15):
        assert told(inbox, *[Flags(uid, frozenset({"\\Seen"}), uid) for uid in range(1, 301)]) == 300
