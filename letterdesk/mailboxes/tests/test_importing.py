"""Letters come out of MBOX, Maildir and EML files, each once, and the plan's period holds for them too."""

import mailbox as standard
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from letterdesk.lib import blobs, crashpoint
from letterdesk.mailboxes import importing, listing
from letterdesk.mailboxes.columns import flags_of
from letterdesk.mailboxes.models import Folder, Message, Placement, Quarantined

from .arriving import NOW, raw

RECENT = NOW - timedelta(days=3)


@pytest.fixture
def local(mailbox):
    mailbox.imap_host = mailbox.imap_user = ""
    mailbox.save()
    return mailbox


def letter(subject, at=RECENT, body="Good morning", headers=""):
    stamp = f"Received: from a by b; {format_datetime(at)}\r\n"
    return (stamp + headers).encode() + raw(subject, message_id=f"{subject}@x", body=body)


def as_mbox(path, *letters):
    """Written by Python's own module, which quotes From lines."""
    box = standard.mbox(path, create=True)
    for content in letters:
        box.add(content)
    box.close()
    return path


def subjects():
    return sorted(Message.objects.values_list("subject", flat=True))


def test_an_mbox_comes_in_once_however_often_it_is_imported(local, tmp_path):
    path = as_mbox(tmp_path / "Offers.mbox", letter("One"), letter("Two", headers="Status: O\r\nX-Status: F\r\n"))
    first = importing.import_mbox(local, path, now=NOW)
    assert (first.seen, first.stored, first.known) == (2, 2, 0)
    again = importing.import_mbox(local, path, now=NOW)
    assert (again.seen, again.stored, again.known) == (2, 0, 2)
    assert Placement.objects.count() == 2
    assert Folder.objects.get().name == "Offers"
    assert Message.objects.get(subject="One").received_at == RECENT.replace(microsecond=0)
    assert flags_of(Placement.objects.get(message__subject="One")) == {"\\Seen"}
    assert flags_of(Placement.objects.get(message__subject="Two")) == {"\\Flagged"}
    assert listing.check(local) == []


@pytest.mark.parametrize("quoting", ["mboxo", "mboxrd"])
def test_lines_that_begin_with_from_are_text(local, tmp_path, quoting):
    body = "\r\nFrom here on it is ours.\r\n\r\nFrom Anna at 12:30 in 2024 came\r\n"
    inside = body if quoting == "mboxo" else body.replace("From here", ">From here")
    quoted = inside.replace("From Anna", ">From Anna")
    quoted = quoted.replace("From here", ">From here")
    path = tmp_path / "x.mbox"
    separator = b"From anna@berg.example Sat Mar  7 01:05:34 2026\n"
    path.write_bytes(separator + letter("One", body=quoted) + b"\n" + separator + letter("Two") + b"\n")
    importing.import_mbox(local, path, now=NOW)
    assert subjects() == ["One", "Two"]
    content = blobs.get(local.account_id, Message.objects.get(subject="One").blob)
    assert content == letter("One", body=inside)


def test_what_is_past_the_period_is_refused_and_counted(local, tmp_path):
    assert "30 days" in importing.warning(local, now=NOW)
    old = NOW - timedelta(days=31)
    path = as_mbox(tmp_path / "old.mbox", letter("Old", at=old), letter("New"))
    imported = importing.import_mbox(local, path, now=NOW)
    assert (imported.stored, imported.too_old) == (1, 1)  # R9
    assert subjects() == ["New"]


def test_an_account_that_keeps_everything_is_warned_of_nothing(local, settings, tmp_path):
    settings.CATALOGUE = "self-hosted"
    local.account.subscription.plan = "self-hosted"
    local.account.subscription.save()
    assert importing.warning(local, now=NOW) == ""
    path = as_mbox(tmp_path / "old.mbox", letter("Old", at=datetime(1999, 1, 1, tzinfo=UTC)))
    assert importing.import_mbox(local, path, now=NOW).stored == 1


def test_a_maildir_comes_in_with_folders_and_flags(local, tmp_path):
    for folder in ("", ".Sent", ".Archive.2024", ".Entw&APw-rfe"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / "md" / folder / part).mkdir(parents=True, exist_ok=True)
    (tmp_path / "md/cur/1.host:2,FS").write_bytes(letter("Read and flagged"))
    (tmp_path / "md/new/2.host").write_bytes(letter("New"))
    (tmp_path / "md/tmp/3.host").write_bytes(letter("Half delivered"))
    (tmp_path / "md/.Sent/cur/4.host:2,RS").write_bytes(letter("Sent"))
    (tmp_path / "md/.Archive.2024/cur/5.host:2,").write_bytes(letter("Old one"))
    imported = importing.import_maildir(local, tmp_path / "md", now=NOW)
    assert imported.stored == 4
    assert imported.folders == {"INBOX", "Sent", "Archive/2024"}
    assert flags_of(Placement.objects.get(message__subject="Read and flagged")) == {"\\Seen", "\\Flagged"}
    assert flags_of(Placement.objects.get(message__subject="New")) == set()
    assert set(Folder.objects.values_list("name", "role")) == {
        ("INBOX", "inbox"),
        ("Sent", "sent"),
        ("Archive/2024", ""),
    }
    assert importing.import_maildir(local, tmp_path / "md", now=NOW).stored == 0


def test_a_folder_that_is_no_maildir_is_named(local, tmp_path):
    with pytest.raises(NotADirectoryError, match="no Maildir"):
        importing.import_maildir(local, tmp_path, now=NOW)


def test_files_of_one_letter_come_in_and_the_unreadable_ones_are_kept_raw(local, tmp_path):
    (tmp_path / "a.eml").write_bytes(letter("One"))
    (tmp_path / "b.eml").write_bytes(letter("One"))
    (tmp_path / "c.eml").write_bytes(b"")
    files = sorted(tmp_path.glob("*.eml"))
    imported = importing.import_eml(local, files, now=NOW)
    assert (imported.seen, imported.stored, imported.known) == (3, 1 + (imported.unreadable == 0), 1)
    assert Quarantined.objects.count() == imported.unreadable
    assert importing.import_eml(local, files, now=NOW).known == 3


def test_nothing_is_imported_beside_a_server(mailbox, tmp_path):
    with pytest.raises(importing.HasServer):
        importing.import_mbox(mailbox, as_mbox(tmp_path / "x.mbox", letter("One")), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_an_import_that_was_killed_goes_on_where_it_was(local, tmp_path, monkeypatch):
    path = as_mbox(tmp_path / "x.mbox", *[letter(f"Letter {n}") for n in range(10)])
    monkeypatch.setattr(importing, "BATCH", 4)
    crashpoint.interrupt("import.committed", 2)
    with pytest.raises(crashpoint.Crashed):
        importing.import_mbox(local, path, now=NOW)
    crashpoint.disarm()
    assert Message.objects.count() == 8
    imported = importing.import_mbox(local, path, now=NOW)
    assert (imported.stored, imported.known) == (2, 8)
    assert listing.check(local) == []
