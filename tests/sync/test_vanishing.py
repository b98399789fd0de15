"""A20, P5: a server that lies about what is gone costs time, never mail."""

import shutil
from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import Message
from tests.rig.boxes import letter
from tests.rig.scripts import vanishing

LIARS = [vanishing.AllVanished, vanishing.EmptyFolder, vanishing.EmptySearch]


def sync(copy, *, times: int = 1, apart: timedelta = timedelta(minutes=5)) -> None:
    for _ in range(times):
        try:
            copy.sync()
        except MailError as error:
            assert error.text
        copy.later += apart


@pytest.mark.case("A20")
@pytest.mark.parametrize("script", LIARS)
def test_a_first_claim_that_everything_is_gone_is_not_believed(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    server.lying = True
    sync(copy)
    assert len(copy.uids()) == 100
    server.lying = False
    sync(copy, times=2)
    assert len(copy.uids()) == 100
    copy.agrees_and_stays()


@pytest.mark.case("A20")
@pytest.mark.parametrize("script", LIARS)
def test_a_claim_that_is_repeated_hides_softly_says_so_and_purges_nothing(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    server.lying = True
    sync(copy, times=5)
    assert Message.objects.filter(mailbox=copy.mailbox).count() == 100
    if script is not vanishing.EmptySearch:  # there EXISTS contradicts: nothing may be concluded at all
        assert copy.uids() == []
        assert Event.objects.filter(kind="folder.vanish_suspected").exists()
    server.lying = False
    sync(copy, times=3)
    assert len(copy.uids()) == 100
    copy.agrees_and_stays()


@pytest.mark.case("A20")
def test_an_answer_of_no_is_not_an_empty_folder(invent, connected):
    server = invent(vanishing.RefusedSearch)
    copy = connected(server)
    copy.settle()
    server.lying = True
    server.inbox.add(letter(500))
    sync(copy, times=4)
    assert len(copy.uids()) >= 100
    server.lying = False
    sync(copy, times=3)
    assert len(copy.uids()) == 101


@pytest.mark.case("A20")
def test_a_list_without_folders_does_not_make_the_folders_go(invent, connected):
    server = invent(vanishing.LosesListing)
    copy = connected(server)
    copy.settle()
    server.lying = True
    sync(copy)
    assert copy.mailbox.folders.filter(gone_at=None).count() == 3
    sync(copy, times=3)
    assert Message.objects.filter(mailbox=copy.mailbox).count() == 100
    server.lying = False
    sync(copy, times=3)
    assert len(copy.uids()) == 100
    copy.agrees()


@pytest.mark.dovecot
@pytest.mark.case("A20")
def test_a_mailbox_whose_files_were_removed_on_the_server_is_kept_here(dovecot, connected):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as client:
        for number in range(1, 81):
            client.store_letter("INBOX", letter(number))
    copy.settle()
    maildir = dovecot.maildir(copy.user)
    for part in ("cur", "new"):
        shutil.rmtree(maildir / part)
        (maildir / part).mkdir()
        shutil.chown(maildir / part, "nobody")
    sync(copy, times=4)
    assert Message.objects.filter(mailbox=copy.mailbox).count() == 80
    copy.agrees()


@pytest.mark.dovecot
def test_a_few_letters_gone_are_simply_gone(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver([letter(number) for number in range(1, 11)])
    copy.settle()
    with dovecot.client(copy.user) as client:
        client.enter("INBOX")
        client.ask("UID", "STORE", "3:5", "+FLAGS", "(\\Deleted)")
        client.ask("UID", "EXPUNGE", "3:5")
    copy.settle()
    assert copy.uids() == [1, 2, 6, 7, 8, 9, 10]
    copy.agrees_and_stays()
