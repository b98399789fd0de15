"""A01–A08: who a letter is when UIDVALIDITY, UIDNEXT and UIDs change or lie."""

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Hold, Message, Placement
from letterdesk.sync.models import FolderCursor
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.scripts import identity

LETTERS = [letter(number) for number in range(1, 6)]


def events(copy, kind: str) -> int:
    return Event.objects.filter(account=copy.mailbox.account, kind=kind).count()


@pytest.mark.dovecot
@pytest.mark.case("A01")
def test_a_new_uidvalidity_with_the_same_letters_keeps_every_letter_and_every_link(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS)
    copy.settle()
    before = {message.pk: message.conversation_id for message in copy.messages()}
    held = copy.messages()[2]
    Hold.objects.create(account=copy.mailbox.account, message=held, reason="task", reference="task:1")
    Message.objects.filter(pk=held.pk).update(is_held=True)
    dovecot.doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=copy.user)
    copy.settle()
    assert {message.pk: message.conversation_id for message in copy.messages()} == before
    assert Hold.objects.get().message.placements.get().uidvalidity == 777
    assert events(copy, "folder.rebuilt") == 1
    copy.agrees_and_stays()


@pytest.mark.case("A01")
def test_after_a_new_uidvalidity_no_letter_is_fetched_a_second_time_for_nothing(invent, connected):
    server = invent(Liar)
    for raw in LETTERS:
        server.inbox.add(raw)
    copy = connected(server)
    copy.settle()
    server.inbox.uidvalidity += 1
    copy.settle()
    assert len(copy.messages()) == 5
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A02")
def test_a_new_uidvalidity_with_other_letters_hides_the_old_ones_and_purges_nothing(dovecot, connected):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as client:
        client.create("Project")
        for raw in LETTERS:
            client.store_letter("Project", raw)
        copy.settle()
        old = {message.blob for message in copy.messages()}
        client.delete("Project")
        client.create("Project")
        client.store_letter("Project", letter(50))
    copy.settle()
    assert copy.subjects("Project") == ["Letter 50"]
    assert old <= {message.blob for message in copy.messages()}
    copy.agrees_and_stays()


@pytest.mark.case("A03")
def test_a_uidvalidity_that_comes_back_does_not_bring_the_wrong_letters(invent, connected):
    server = invent(Liar)
    copy = connected(server)
    for round_, uidvalidity in enumerate((777, 778, 777)):
        server.inbox.drop(server.inbox.uids())
        server.inbox.uidvalidity, server.inbox.uidnext = uidvalidity, 1
        for number in range(1, 4):
            server.inbox.add(letter(100 * round_ + number))
        copy.settle()
        assert copy.subjects() == [f"Letter {100 * round_ + number}" for number in range(1, 4)]
        copy.agrees()
    copy.agrees_and_stays()


@pytest.mark.case("A04")
def test_a_uidvalidity_that_always_changes_stops_the_folder_and_says_so(invent, connected):
    server = invent(identity.FlippingValidity)
    copy = connected(server)
    for _ in range(10):
        copy.sync()
    fetched = server.commands["UID FETCH"]
    stalled = FolderCursor.objects.get(folder=copy.folder()).stalled_reason
    assert stalled
    copy.sync()
    assert server.commands["UID FETCH"] == fetched
    assert len(copy.messages()) == 10


@pytest.mark.case("A05")
def test_a_uid_that_holds_another_letter_is_found_and_nothing_is_overwritten(invent, connected):
    server = invent(identity.ReusedUid)
    copy = connected(server)
    copy.settle()
    old = {message.pk: message.blob for message in copy.messages()}
    for uid in range(1, 11):
        server.reuse(uid)
    for _ in range(4):
        copy.later += copy.later.__class__(hours=25)
        copy.sync()
    assert copy.subjects() == [f"Letter {uid + 900}" for uid in range(1, 11)]
    assert old.items() <= {message.pk: message.blob for message in copy.messages()}.items()
    copy.agrees_and_stays()


@pytest.mark.case("A06")
@pytest.mark.parametrize(
    "script", [identity.NoUidnext, identity.WrongUidnext, identity.UidnextTooHigh, identity.FallingUidnext]
)
def test_new_letters_are_found_whatever_uidnext_says(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    assert len(copy.uids()) == 10
    for number in (11, 12):
        server.inbox.add(letter(number))
        copy.sync()
        assert copy.uids()[-1] == number
    copy.agrees()


@pytest.mark.dovecot
@pytest.mark.case("A07")
def test_the_echo_of_the_last_letter_is_not_a_new_one(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS)
    copy.settle()
    for _ in range(3):
        assert copy.sync().stored == 0
    assert Placement.objects.filter(folder=copy.folder()).count() == 5
    copy.agrees_and_stays()


@pytest.mark.case("A08")
def test_numbers_near_their_limits_fit(invent, connected):
    server = invent(identity.HugeNumbers)
    copy = connected(server)
    copy.settle()
    assert copy.uids() == [4294967290, 4294967291, 4294967292]
    assert copy.placements()[0].uidvalidity == 4294967295
    server.inbox.add(letter(9), uid=4294967294)
    server.inbox.flag(server.inbox.letters[0], {"\\Flagged"})
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A08")
def test_a_real_server_with_uids_near_their_limit(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS[:1])
    dovecot.doveadm("mailbox", "update", "--min-next-uid", "4294967290", "INBOX", user=copy.user)
    copy.deliver(LETTERS[1:3])
    copy.settle()
    assert copy.uids() == [1, 4294967290, 4294967291]
    copy.agrees_and_stays()


def test_letters_that_nobody_asked_for_are_dropped(invent, connected):
    server = invent(identity.ForeignUids)
    copy = connected(server)
    copy.settle()
    assert copy.uids() == list(range(1, 11))
