"""A11, A15, A45: connections that end anywhere."""

import os
from contextlib import suppress

import pytest

from letterdesk.lib import blobs
from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import Message, PendingChange
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.proxy import Fault
from tests.rig.sampling import sampled
from tests.rig.scripts import changes

LETTERS = [letter(number) for number in range(1, 6)]


@pytest.mark.sampled
@pytest.mark.slow
@pytest.mark.case("A11")
def test_a_first_sync_cut_at_any_byte_resumes_and_ends_the_same(invent, connected, cutproxy):
    server = invent(Liar)
    for raw in LETTERS:
        server.inbox.add(raw)
    recorder = cutproxy(server)
    connected(server, through=recorder).sync()
    length = len(recorder.recorded[0].server)
    stride = int(os.environ.get("RIG_STRIDE", "0")) or max(length // 60, 1)
    for offset in sampled(range(5, length, stride), 12):
        proxy = cutproxy(server)
        proxy.faults = [Fault(after=offset, kind="reset" if offset % 2 else "cut")]
        copy = connected(server, through=proxy)
        with suppress(MailError):
            copy.sync(timeout=2)
        assert not Message.objects.filter(mailbox=copy.mailbox).exclude(blob__in=known(LETTERS)).exists()
        copy.settle()
        copy.agrees()
        proxy.stop()


@pytest.mark.sampled
@pytest.mark.case("A11")
def test_an_incremental_pass_cut_anywhere_resumes_and_ends_the_same(invent, connected, cutproxy):
    server = invent(Liar)
    proxy = cutproxy(server)
    copy = connected(server, through=proxy)
    copy.settle()
    for number in sampled(range(1, 16), 6):
        server.inbox.add(letter(number))
        server.inbox.flag(server.inbox.letters[0], {"\\Seen"} if number % 2 else set())
        proxy.faults = [Fault(after=300 + 97 * number)]
        with suppress(MailError):
            copy.sync(timeout=2)
        copy.settle()
        copy.agrees()


def known(raws: list[bytes]) -> list[str]:
    return [blobs.hash_of(raw) for raw in raws]


def keep_in_sent(copy, raw: bytes) -> None:
    """Our own letter, to be stored in Sent."""
    account = copy.mailbox.account
    [blob] = blobs.put_many(account.pk, [raw])
    PendingChange.objects.create(
        account=account,
        mailbox=copy.mailbox,
        folder=copy.folder("Sent"),
        kind="append",
        detail={"blob": blob, "flags": ["\\Seen"], "internal_date": "2024-05-06T07:08:09+00:00"},
    )


@pytest.mark.case("A15")
def test_a_letter_appended_without_an_answer_is_there_exactly_once(invent, connected):
    server = invent(changes.ClosesAfterAppend)
    copy = connected(server)
    copy.settle()
    keep_in_sent(copy, letter(77))
    with suppress(MailError):
        copy.sync()
    copy.settle()
    assert [each.raw for each in server.boxes["Sent"].letters] == [letter(77)]
    assert not PendingChange.objects.filter(mailbox=copy.mailbox).exists()
    copy.agrees_and_stays()


@pytest.mark.case("A16")
@pytest.mark.parametrize("script", [changes.JunkAppendUid, changes.NoAppendUid])
def test_a_letter_appended_with_a_strange_answer_is_there_exactly_once(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    keep_in_sent(copy, letter(77))
    copy.settle()
    assert len(server.boxes["Sent"].letters) == 1
    assert server.commands["APPEND"] == 1
    copy.agrees_and_stays()


@pytest.mark.case("A45")
def test_a_first_sync_interrupted_again_and_again_keeps_what_it_has_and_comes_to_its_end(invent, connected, cutproxy):
    server = invent(Liar)
    for number in range(1, 1501):
        server.inbox.add(letter(number, "x" * 400))
    proxy = cutproxy(server)
    copy = connected(server, through=proxy)
    counts, handed = [], 0
    for _ in range(30):
        proxy.faults = [Fault(after=300_000, kind="reset")]
        with suppress(MailError):
            copy.sync()
        counts.append(Message.objects.filter(mailbox=copy.mailbox).count())
        if counts[-1] == 1500:
            break
    copy.settle()
    handed = sum(bytes(each.server).count(b"BODY[]") for each in proxy.recorded)
    assert counts == sorted(counts)
    assert copy.uids() == list(range(1, 1501))
    assert handed < 1500 * 2  # what was committed is not asked for again
    copy.agrees_and_stays()


@pytest.mark.case("A45")
def test_the_newest_letters_come_first(invent, connected, cutproxy):
    server = invent(Liar)
    for number in range(1, 1001):
        server.inbox.add(letter(number, "x" * 400))
    proxy = cutproxy(server)
    proxy.faults = [Fault(after=450_000, kind="reset")]
    copy = connected(server, through=proxy)
    with suppress(MailError):
        copy.sync()
    uids = copy.uids()
    assert 0 < len(uids) < 1000
    missing = set(range(uids[0], 1001)) - set(uids)
    assert uids[-1] == 1000
    assert all(uid - uids[0] < 200 for uid in missing)  # within the one batch that was cut
