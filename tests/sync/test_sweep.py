"""R9 and R10 against a real server: what left does not come back, whatever happens there, and the server keeps it."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.lib import blobs
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.models import Message, Placement, SearchText, Tombstone
from letterdesk.mailboxes.retention import chain
from letterdesk.mailboxes.retention.letters import visible
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.sync.ledger import ledger_of
from letterdesk.tasks.create import create
from tests.rig.acting import let_the_month_end
from tests.rig.boxes import letter
from tests.rig.oracle import destroyed

DAY = timedelta(hours=24)


@pytest.fixture
def copy(nearly_over, dovecot):
    """A mailbox with five letters of 29 days ago."""
    return nearly_over(dovecot, 5)


@pytest.mark.dovecot
@pytest.mark.case("F15")
def test_what_left_does_not_come_back_and_the_server_keeps_it(copy, dovecot):
    before = copy.truth()
    let_the_month_end(copy)
    assert sweep(now=copy.now) == 5
    assert copy.settle().agrees
    copy.stays()
    assert not Message.objects.exists()
    assert copy.truth() == before  # R10: the original stays
    assert destroyed(dovecot.commands(copy.user)) == {}  # P4, R26
    counted = ledger_of(copy.folder())
    assert (counted.expected, counted.held, sum(counted.left_out.values())) == (5, 0, 5)
    assert counted.balanced


@pytest.mark.dovecot
@pytest.mark.case("F15")
def test_a_restored_backup_or_a_copy_brings_nothing_back(copy):
    let_the_month_end(copy)
    sweep(now=copy.now)
    stones = Tombstone.objects.count()
    copy.deliver([letter(number) for number in range(5)])  # the same bytes, received today
    copy.deliver([letter(99)])
    assert copy.settle().agrees
    assert [place.message.subject for place in Placement.objects.all()] == copy.subjects()
    assert Message.objects.count() == 1
    assert Tombstone.objects.count() == stones
    assert ledger_of(copy.folder()).balanced


@pytest.mark.dovecot
@pytest.mark.case("A01", "F06")
def test_a_new_uidvalidity_between_link_and_sweep_frees_no_letter_and_doubles_none(copy, dovecot):  # R4, R9, R19
    """The link is to the letter, not to its UID: a server that counts anew loosens no lock and makes none younger."""
    linked = copy.messages()[2]
    task = create("Keep it", by=copy.mailbox.owner, now=copy.now, letters=[linked])
    received = {message.pk: message.received_at for message in copy.messages()}
    dovecot.doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=copy.user)
    before = copy.truth()
    let_the_month_end(copy)  # the sweep may be quicker than the sync
    assert copy.settle().agrees
    assert {message.pk: message.received_at for message in copy.messages()} == received
    assert sweep(now=copy.now) == 4
    assert copy.settle().agrees
    copy.stays()
    assert [message.pk for message in copy.messages()] == [linked.pk] == [task.letters.get().message_id]
    assert linked.placements.get().uidvalidity == 777
    assert copy.truth() == before
    assert destroyed(dovecot.commands(copy.user)) == {}


@pytest.mark.dovecot
@pytest.mark.case("A01", "F15")
def test_a_new_uidvalidity_after_the_sweep_brings_nothing_back(copy, dovecot):  # R10
    let_the_month_end(copy)
    sweep(now=copy.now)
    dovecot.doveadm("mailbox", "update", "--uid-validity", "778", "INBOX", user=copy.user)
    assert copy.settle().agrees
    copy.stays()
    assert not Message.objects.exists()
    assert ledger_of(copy.folder()).balanced


@pytest.mark.dovecot
@pytest.mark.case("F20", "F13")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="takes the backup as docs/operate.md does for SQLite")
def test_what_an_old_backup_brings_back_is_never_shown_and_goes_again(copy, dovecot, blob_folder, tmp_path):  # R10, R20
    """Database and bytes of before the sweep are laid back: the clock hides at once, the sweep goes over it again."""
    account, marker = copy.mailbox.account, copy.messages()[0].blob
    assert sweep(now=copy.now) == 0
    shutil.copytree(blob_folder, tmp_path / "bytes")
    with closing(sqlite3.connect(tmp_path / "backup.sqlite3")) as backup:
        connection.connection.backup(backup)
        month_ends_and_all_goes(copy, marker)
        backup.backup(connection.connection)
    shutil.copytree(tmp_path / "bytes", blob_folder, dirs_exist_ok=True)
    assert blobs.exists(account.pk, marker)
    assert (Message.objects.count(), Tombstone.objects.count()) == (5, 0)
    assert not visible(Message.objects.all(), account, now=copy.now).exists()  # from the first second
    assert copy.settle().agrees
    month_ends_and_all_goes(copy, marker)
    assert copy.settle().agrees
    assert not Message.objects.exists()
    assert Tombstone.objects.count() == 5
    assert chain.verify(account) == []
    assert destroyed(dovecot.commands(copy.user)) == {}


def month_ends_and_all_goes(copy, marker):
    """The sweep, and the collector of bytes after it: no words and no bytes are left."""
    let_the_month_end(copy)
    assert sweep(now=copy.now) == 5
    while collect(now=copy.now + DAY):
        pass
    assert not blobs.exists(copy.mailbox.account_id, marker)
    assert not SearchText.objects.exists()
