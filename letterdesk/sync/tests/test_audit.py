"""The audit does not believe the cursor: what is missing or too much is found, told and mended (A28)."""

import pytest

from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mailboxes.models import Placement
from letterdesk.sync.audit import audit_once
from letterdesk.sync.models import FolderCursor
from tests.rig.boxes import letter


@pytest.fixture(autouse=True)
def _in_step(server, copy):
    """Ten letters, synced."""
    for number in range(1, 11):
        server.inbox.add(letter(number))
    copy.settle()


def audit(copy, **options):
    return audit_once(copy.mailbox, now=copy.now, timeout=5, **options)


def finding(report, name="INBOX"):
    return next(each for each in report.findings if each.folder.wire_name == name)


def drift_events(copy) -> int:
    return Event.objects.filter(account=copy.mailbox.account, kind="folder.drift_found").count()


def test_an_audit_of_a_mailbox_in_step_finds_nothing(copy):
    report = audit(copy)
    assert report.is_clean
    assert report.agrees
    assert drift_events(copy) == 0
    assert FolderCursor.objects.get(folder=copy.folder()).audited_at is not None
    copy.agrees_and_stays()


@pytest.mark.case("A28")
def test_a_letter_that_was_lost_here_is_found_missing_and_fetched_again(copy):
    Placement.objects.filter(folder=copy.folder(), uid=4).delete()
    FolderCursor.objects.filter(folder=copy.folder()).update(settled=believing(copy, held=9))
    report = audit(copy)
    assert str(finding(report).missing) == "4"
    assert finding(report).repaired
    assert report.agrees
    assert drift_events(copy) == 1
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A28")
def test_a_letter_that_the_server_does_not_have_is_found_and_goes(copy):
    real = Placement.objects.filter(folder=copy.folder(), uid=4).get()
    Placement.objects.create(
        account_id=real.account_id, folder=real.folder, message_id=real.message_id, received_at=real.received_at,
        conversation_id=real.conversation_id, uidvalidity=real.uidvalidity, uid=9999,
    )  # fmt: skip
    FolderCursor.objects.filter(folder=copy.folder()).update(settled=believing(copy, held=11))
    report = audit(copy)
    assert str(finding(report).extra) == "9999"
    assert report.agrees
    copy.settle()
    copy.agrees_and_stays()


def test_wrong_flags_are_found_and_taken_from_the_server(copy):
    Placement.objects.filter(folder=copy.folder(), uid=3).update(is_seen=True)
    report = audit(copy)
    assert str(finding(report).flags) == "3"
    assert report.agrees
    assert copy.flags(3) == set()


@pytest.mark.case("A05")
def test_other_letters_under_known_uids_are_found_and_matched_anew(copy):
    for held in copy.server.inbox.letters:
        held.raw = letter(held.uid + 900)
    report = audit(copy)
    assert finding(report).others
    assert report.agrees
    copy.settle()
    assert copy.subjects() == [f"Letter {number + 900}" for number in range(1, 11)]
    copy.agrees_and_stays()


def test_bytes_lost_from_the_disk_are_fetched_again(copy):
    message = copy.messages()[0]
    blobs.remove(copy.mailbox.account_id, message.blob)
    report = audit(copy)
    assert len(finding(report).bytes_missing) == 1
    assert report.agrees
    copy.agrees_and_stays()


def test_without_repair_everything_stays_as_it_is_and_is_shown(copy):
    Placement.objects.filter(folder=copy.folder(), uid=4).delete()
    FolderCursor.objects.filter(folder=copy.folder()).update(settled=believing(copy, held=9))
    report = audit(copy, repair=False)
    assert not report.agrees
    assert FolderCursor.objects.get(folder=copy.folder()).drift == {"missing": 1}
    assert len(copy.uids()) == 9


def believing(copy, *, held: int) -> dict:
    """A cursor that takes what is here for complete."""
    return FolderCursor.objects.get(folder=copy.folder()).settled | {"held": held}
