"""R4, R10, R26 and R29 against a real server: what lies in a task is locked here; the server hears nothing of it."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import Message, Placement, Tombstone
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.sync.ledger import ledger_of
from letterdesk.tasks.bin import delete, purge, restore
from letterdesk.tasks.create import create
from tests.rig.acting import let_the_month_end
from tests.rig.boxes import letter

DAY = timedelta(hours=24)
WRITES = ("STORE", "UID STORE", "APPEND", "COPY", "UID COPY", "MOVE", "UID MOVE", "EXPUNGE", "UID EXPUNGE", "CREATE",
          "DELETE", "RENAME", "CLOSE")  # fmt: skip


@pytest.fixture
def copy(nearly_over, dovecot):
    """A mailbox with three letters of 29 days ago."""
    return nearly_over(dovecot, 3)


@pytest.fixture
def task(copy):
    return create("Keep it", by=copy.mailbox.owner, now=copy.now, letters=[first(copy)])


def first(copy):
    return Message.objects.filter(mailbox=copy.mailbox).order_by("pk")[0]


def written(copy, dovecot):
    """Every command so far that changes anything on the server."""
    commands = dovecot.commands(copy.user)
    return {name: count for name, count in commands.items() if name.startswith(WRITES)}


def star(copy, *, now):
    change_flags(copy.placements()[:1], add=("\\Flagged",), remove=(), by=copy.mailbox.owner, now=now)


@pytest.mark.dovecot
def test_a_letter_in_a_task_outlives_its_period_and_stays_in_step(copy, dovecot, task):  # R4, R9
    before = copy.truth()
    let_the_month_end(copy)
    assert sweep(now=copy.now) == 2
    assert copy.settle().agrees
    assert copy.subjects() == [first(copy).subject]
    assert copy.truth() == before
    assert written(copy, dovecot) == {}


@pytest.mark.dovecot
@pytest.mark.case("F16")
def test_what_another_program_deletes_on_the_server_stays_if_it_is_in_a_task(copy, dovecot, task):  # R4, R27
    dovecot.doveadm("expunge", "mailbox", "INBOX", "all", user=copy.user)
    copy.settle()
    copy.later += DAY
    copy.settle()
    assert [message.pk for message in Message.objects.all()] == [task.letters.get().message_id]
    assert copy.subjects() == []  # it is read in its task


@pytest.mark.dovecot
@pytest.mark.case("F15")
def test_the_bin_and_what_leaves_it_for_good_are_never_told_to_the_server(copy, dovecot, task):  # R10, R26, R29
    owner, before = copy.mailbox.owner, copy.truth()
    delete(task, by=owner, now=copy.now)
    assert copy.settle().agrees
    assert len(copy.subjects()) == 2
    assert ledger_of(copy.folder()).balanced
    restore(task, by=owner, now=copy.now)
    assert copy.settle().agrees
    assert len(copy.subjects()) == 3
    delete(task, by=owner, now=copy.now)
    assert purge(task, by=owner, now=copy.now) == 1
    assert copy.settle().agrees
    copy.stays()
    assert Message.objects.count() == 2
    assert copy.truth() == before
    assert written(copy, dovecot) == {}
    counted = ledger_of(copy.folder())
    assert (counted.expected, counted.held, counted.balanced) == (3, 2, True)
    star(copy, now=copy.now)  # a person's own change is counted, so the count can fail
    copy.settle()
    assert written(copy, dovecot) == {"UID STORE": 1}


@pytest.mark.dovecot
def test_a_purged_letter_does_not_come_back_from_another_folder_or_a_backup(copy, task):  # R10
    delete(task, by=copy.mailbox.owner, now=copy.now)
    purge(task, by=copy.mailbox.owner, now=copy.now)
    copy.deliver([letter(0)])  # the same bytes, received today
    assert copy.settle().agrees
    assert Message.objects.count() == 2
    assert Tombstone.objects.get().rule == "R29"
    assert ledger_of(copy.folder()).balanced


@pytest.mark.dovecot
def test_a_letter_in_the_bin_that_is_moved_on_the_server_stays_in_the_bin(copy, dovecot, task):
    delete(task, by=copy.mailbox.owner, now=copy.now)
    dovecot.doveadm("move", "Archive", "mailbox", "INBOX", "uid", "1", user=copy.user)
    assert copy.settle().agrees
    assert copy.subjects("Archive") == []
    assert Placement.objects.filter(folder=copy.folder("Archive")).count() == 1
    assert binned.check(copy.mailbox) == listing.check(copy.mailbox) == []
    restore(task, by=copy.mailbox.owner, now=copy.now)
    assert len(copy.subjects("Archive")) == 1
