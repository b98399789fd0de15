"""A09–A12, A28, A35, A37, A38, A46: letters that come wrong, late, half, or not at all."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import Message
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.scripts import letters, vanishing

HARD = [
    letters.LiteralTooShort,
    letters.LiteralTooLong,
    letters.LiteralNegative,
    letters.LiteralTwoGigabytes,
    letters.LiteralNoNumber,
    letters.EndlessLine,
]


def sync_as_far_as_it_goes(copy, *, times: int = 1, timeout: float = 1) -> None:
    """The server ends or breaks the pass: that is not the end of the world, but it must be named."""
    for _ in range(times):
        with suppress(MailError):
            copy.sync(timeout=timeout)


@pytest.mark.case("A09")
def test_letters_expunged_while_we_fetch_are_skipped_and_all_is_right_next_time(invent, connected):
    server = invent(vanishing.ExpungedMeanwhile)
    copy = connected(server)
    copy.settle()
    assert len(copy.uids()) == 97
    assert copy.quarantined() == {}
    copy.agrees_and_stays()


@pytest.mark.case("A10")
@pytest.mark.parametrize(
    "script", [letters.NilBody, letters.EmptyBody, letters.EmptyLiteral, letters.MissingBody, letters.RefusedLetter]
)
def test_a_letter_that_is_not_handed_out_is_set_aside_and_never_stored_empty(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    assert copy.uids() == [1, 2, 4, 5]
    assert list(copy.quarantined()) == [3]
    assert not Message.objects.filter(size=0).exists()
    copy.agrees()


@pytest.mark.case("A10")
def test_a_letter_that_was_not_handed_out_is_tried_again(invent, connected):
    server = invent(letters.NilBody)
    copy = connected(server)
    copy.settle()
    server.striking = False
    copy.later = timedelta(hours=2)
    copy.settle()
    assert copy.uids() == [1, 2, 3, 4, 5]
    assert copy.quarantined() == {}
    copy.agrees_and_stays()


@pytest.mark.case("A12")
@pytest.mark.parametrize("script", HARD)
def test_wrong_lengths_end_the_connection_and_the_other_folders_go_on(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    begun = timezone.now()
    sync_as_far_as_it_goes(copy, times=3)
    assert timezone.now() - begun < timedelta(seconds=15)
    assert copy.uids("Sent") == [1]
    assert {each.message.subject for each in copy.placements()} <= {f"Letter {number}" for number in range(1, 6)}
    server.striking = False
    copy.later = timedelta(hours=3)
    copy.settle()
    assert copy.uids() == [1, 2, 3, 4, 5]
    copy.agrees_and_stays()


@pytest.mark.case("A11")
@pytest.mark.parametrize("script", [letters.ClosesMidLiteral, letters.ResetsMidLiteral, letters.SilentServer])
def test_a_connection_that_ends_in_the_middle_of_a_letter_leaves_nothing_half(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    sync_as_far_as_it_goes(copy, times=2, timeout=0.5)
    assert 3 not in copy.uids()
    server.striking = False
    copy.later = timedelta(hours=1)
    copy.settle()
    assert copy.uids() == [1, 2, 3, 4, 5]
    copy.agrees_and_stays()


def test_a_letter_that_drips_is_whole_in_the_end(invent, connected):
    copy = connected(invent(letters.DripsLetter))
    copy.settle()
    copy.agrees_and_stays()


def test_a_wrong_size_does_no_harm(invent, connected):
    copy = connected(invent(letters.WrongSize))
    copy.settle()
    assert copy.raw(2) == letter(2)
    copy.agrees_and_stays()


@pytest.mark.case("A37")
def test_a_letter_beyond_every_limit_is_counted_and_shown_and_the_others_come(invent, connected):
    server = invent(letters.SaysTooLarge)
    copy = connected(server)
    sync_as_far_as_it_goes(copy, times=2)  # a letter of 3 GiB is not even read to throw it away: we hang up
    copy.settle()
    assert copy.uids() == [1, 2, 4, 5]
    assert list(copy.quarantined()) == [3]
    assert len(server.sent) < 100_000
    copy.agrees()


@pytest.mark.case("A28")
def test_one_answer_lost_among_many_is_noticed_and_filled(invent, connected):
    server = invent(vanishing.DropsOneAnswer)
    copy = connected(server)
    copy.settle()
    assert server.dropped
    if 42 not in copy.uids():
        assert 42 in copy.quarantined()
        copy.later = timedelta(hours=25)
        copy.settle()
    assert 42 in copy.uids()
    copy.agrees_and_stays()


@pytest.mark.case("A35")
def test_absurd_dates_of_receipt_are_bounded(invent, connected):
    server = invent(letters.AbsurdDates)
    copy = connected(server)
    copy.settle()
    assert copy.uids() == [1, 2, 3, 4, 5]
    now = timezone.now()
    for message in copy.messages():
        assert message.received_at <= now + timedelta(seconds=5)  # R19: clamped to the time of fetching
        assert message.received_at.year >= 1900 or message.received_at.year == 1601
    copy.agrees_and_stays()


@pytest.mark.case("A35")
def test_a_letter_from_the_future_is_received_when_it_was_fetched(invent, connected):
    server = invent(Liar)
    server.inbox.add(letter(1, Date="Fri, 31 Dec 2100 23:59:59 +2400"), date=timezone.now() + timedelta(days=365))
    copy = connected(server)
    copy.settle()
    [message] = copy.messages()
    assert abs(message.received_at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.case("A38")
def test_bytes_that_no_text_column_takes_are_stored_raw_and_shown_clean(invent, connected):
    server = invent(Liar)
    raws = [
        b"Subject: NUL \x00 inside\r\nFrom: a@b.example\r\n\r\nbody \x00 \xff\xfe\r\n",
        b"Subject: \xe4\xf6\xfc latin\r\nFrom: \xff <x@y.example>\r\n\r\n\x80\x81\r\n",
        b"Subject: =?utf-8?b?7aCA?=\r\nFrom: =?utf-8?q?=ED=A0=80?= <s@t.example>\r\n\r\nlone surrogate\r\n",
        b"\xef\xbb\xbfSubject: bom\r\n\r\n\r\n",
    ]
    for raw in raws:
        server.inbox.add(raw)
    copy = connected(server)
    copy.settle()
    together = {**dict.fromkeys(copy.uids()), **copy.quarantined()}
    assert sorted(together) == [1, 2, 3, 4]
    for placement in copy.placements():
        assert copy.raw(placement.uid) == raws[placement.uid - 1]
        assert "\x00" not in placement.message.subject + placement.message.from_name + placement.message.snippet
    copy.agrees_and_stays()


@pytest.mark.case("A46")
def test_message_ids_never_make_two_letters_one(invent, connected):
    server = invent(Liar)
    for body in ("first", "second"):
        server.inbox.add(letter(1, body))  # the same Message-ID, other content
        server.inbox.add(letter(2, body, Message_ID=None))
        server.inbox.add(letter(3, body, Message_ID="<" + "x" * 65536 + "@example.com>"))
        server.inbox.add(letter(4, body, Message_ID=""))
    copy = connected(server)
    copy.settle()
    assert len(copy.messages()) == 8
    copy.agrees_and_stays()


@pytest.mark.case("A37")
def test_a_large_letter_with_very_many_recipients_and_parts_arrives(invent, connected):
    server = invent(Liar)
    many = ", ".join(f"person{number}@example.com" for number in range(10_000))
    parts = "".join(f"--b\r\nContent-Type: text/plain\r\n\r\n{number}\r\n" for number in range(20_000))
    server.inbox.add(letter(1, To=many))
    server.inbox.add(letter(2, parts + "--b--", Content_Type='multipart/mixed; boundary="b"'))
    server.inbox.add(letter(3, "x" * 76 + "\r\n" + "y" * 12_000_000))
    copy = connected(server)
    copy.settle()
    assert sorted({**dict.fromkeys(copy.uids()), **copy.quarantined()}) == [1, 2, 3]
    assert 3 in copy.uids()
    copy.agrees_and_stays()
