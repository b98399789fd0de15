"""Where is my mail? Each fate of a letter, told from our rows and from a real server; and what is told about it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.lib.blobs import hash_of
from letterdesk.mailboxes.choose import arrange
from letterdesk.mailboxes.models import Mailbox, Placement, Tombstone
from letterdesk.sync.diagnose import redacted
from letterdesk.sync.progress import progress_of
from letterdesk.sync.where import Fate, Sought, here, on_server


def raw(subject, number, *, sender="Amara <amara@okafor.example>"):
    return (
        f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <n{number}@okafor.example>\r\n\r\nHello {number}".encode()
    )


@pytest.fixture
def copy(connected, dovecot):
    """A mailbox with a depth of 7 days: letter 1 is here, 2 is too old, 3 in a folder that is off."""
    copy = connected(dovecot, fetch_days=7)
    now = timezone.now()
    dovecot.deliver(copy.user, raw("Quote", 1))
    dovecot.deliver(copy.user, raw("Quote of old", 2), date=now - timedelta(days=8))
    dovecot.deliver(copy.user, raw("Quote in the attic", 3), folder="Archive")
    copy.sync()
    archive = copy.folder("Archive")
    on = [folder.public_id for folder in copy.mailbox.folders.exclude(pk=archive.pk)]
    Placement.objects.filter(folder=archive).delete()
    arrange(copy.mailbox, on=on, roles={}, by=copy.mailbox.owner)
    return copy


def fates(copy, text, kind=""):
    sought = Sought(text, kind)
    ours = here(copy.mailbox, sought, now=copy.now)
    answer = on_server(copy.mailbox, sought, now=copy.now)
    assert answer.error is None and not answer.unasked
    return ours, {(finding.subject, finding.fate) for finding in answer.findings}


def test_a_subject_finds_what_is_here_and_what_is_only_on_the_server(copy):
    ours, there = fates(copy, "Quote")
    assert [(finding.fate, finding.folder.name, finding.subject) for finding in ours] == [(Fate.HERE, "INBOX", "Quote")]
    assert there == {
        ("Quote", Fate.HERE),
        ("Quote of old", Fate.TOO_OLD),
        ("Quote in the attic", Fate.FOLDER_OFF),
    }


@pytest.mark.parametrize("text", ["<n2@okafor.example>", "n2@okafor.example"])
def test_a_message_id_finds_its_letter_alone(copy, text):
    ours, there = fates(copy, text)
    assert ours == [] and there == {("Quote of old", Fate.TOO_OLD)}


def test_a_sender_finds_every_letter_and_one_that_is_nowhere_is_nowhere(copy):
    assert len(fates(copy, "amara@okafor.example", "sender")[1]) == 3
    assert fates(copy, "nobody@okafor.example") == ([], set())


def test_what_has_not_been_fetched_yet_is_still_to_come(copy, dovecot):
    dovecot.deliver(copy.user, raw("Quote of today", 4))
    assert ("Quote of today", Fate.TO_COME) in fates(copy, "today")[1]


def test_what_was_deleted_here_says_when(copy, dovecot):
    letter = raw("Quote buried", 5)
    stone = Tombstone.objects.create(
        account=copy.mailbox.account, mailbox=copy.mailbox, blob=hash_of(letter), rule="R29", created_at=copy.now
    )
    dovecot.deliver(copy.user, letter)
    copy.sync()
    [finding] = on_server(copy.mailbox, Sought("buried"), now=copy.now).findings
    assert (finding.fate, finding.rule, finding.deleted_at) == (Fate.REFUSED, "R29", stone.created_at)


def test_asking_changes_nothing_on_the_server(copy, dovecot):
    before = dovecot.commands(copy.user)
    fates(copy, "Quote")
    said = {command.split()[-1] for command in dovecot.commands(copy.user) - before}
    assert "EXAMINE" in said and not said & {"SELECT", "STORE", "EXPUNGE", "MOVE", "COPY", "APPEND", "DELETE"}


@pytest.mark.case("D04")
def test_what_is_sought_is_no_command(copy, dovecot):
    text = 'a"\r\nX1 DELETE INBOX\r\nX2 UID SEARCH ALL'
    answer = on_server(copy.mailbox, Sought(text, "subject"), now=copy.now)
    assert answer.findings == []
    copy.sync()
    assert copy.uids() == [1]


def test_a_server_that_cannot_be_asked_is_said_and_not_taken_for_an_empty_one(copy):
    Mailbox.objects.update(imap_port=1)
    copy.mailbox.refresh_from_db()
    answer = on_server(copy.mailbox, Sought("Quote"), now=copy.now, timeout=2)
    assert answer.error is not None and answer.error.code == "tcp_refused"
    assert answer.findings == [] and "INBOX" in answer.unasked


def test_progress_is_true_before_between_and_after(connected, dovecot):
    copy = connected(dovecot, fetch_days=7)
    assert progress_of([copy.mailbox.pk]) == {}
    for number in range(5):
        dovecot.deliver(copy.user, raw("Quote", number))
    dovecot.deliver(copy.user, raw("Quote of old", 9), date=timezone.now() - timedelta(days=8))
    copy.sync()
    told = progress_of([copy.mailbox.pk])[copy.mailbox.pk]
    assert (told.here, told.wanted, told.percent, told.is_known) == (5, 5, 100, True)
    assert {"too_old": 1} in [each.left_out for each in told.folders]
    Placement.objects.filter(uid__in=[1, 2]).delete()
    told = progress_of([copy.mailbox.pk])[copy.mailbox.pk]
    assert (told.here, told.wanted, told.percent) == (3, 5, 60)


def test_a_trace_is_redacted_by_whole_words():
    lines = ['> L1 LIST "" "*"', '< * LIST () "/" "Sent &- Divorce"', "< ines@acme.example inesx Sentinel INBOX"]
    shown = redacted(lines, people=["ines@acme.example", "ines"], folders=["INBOX", "Sent &- Divorce", "Sent"])
    assert shown[0] == lines[0]
    assert shown[1] == '< * LIST () "/" "‹folder 1›"'
    assert shown[2] == "< ‹user› inesx Sentinel INBOX"
