"""R12: on a plan without Webmail letters go, held ones stay, all is accounted for; an upgrade stops it."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mailboxes.fit import fit
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import (
    Attachment,
    Folder,
    Listing,
    Mailbox,
    MailboxState,
    Message,
    PendingChange,
    Placement,
    Quarantined,
    Receipt,
    SearchText,
    SweepClock,
    Tombstone,
)
from letterdesk.mailboxes.move import move
from letterdesk.mailboxes.retention import chain, holds, purge
from letterdesk.plans.change import change_plan
from letterdesk.plans.models import Subscription

from .arriving import another_mailbox
from .conftest import NOW
from .letters import folder_of, letter

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.fixture
def many(inbox, now, monkeypatch):
    """Five letters, and pieces of two."""
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    return [letter(inbox, received_at=now - number * DAY, files=("a.pdf",)) for number in range(5)]


def leave(account, now, plan="free"):
    change_plan(account, plan, by=None, now=now)


@pytest.mark.parametrize("plan", ["free", "project"])
def test_all_letters_go_with_files_and_words_and_are_accounted_for(account, mailbox, many, now, plan):  # R12
    leave(account, now, plan)
    blobs = {message.blob for message in many}
    assert follow(now=now) == 5
    for model in (Message, Attachment, SearchText, Listing):
        assert not model.objects.exists()
    assert {stone.blob for stone in Tombstone.objects.filter(rule="R12")} == blobs
    assert [receipt.count for receipt in Receipt.objects.filter(rule="R12")] == [2, 2, 1]
    assert chain.verify(account) == []
    assert sum(event.facts["count"] for event in Event.objects.filter(kind="message.purged")) == 5
    assert Folder.objects.exists()
    assert Mailbox.objects.get().state == MailboxState.SUSPENDED
    assert follow(now=now) == 0


def test_what_a_task_holds_stays(account, mailbox, many, now):  # R4
    holds.add(many[3], reason="task", reference="task:1", now=now)
    leave(account, now)
    assert follow(now=now) == 4
    assert Message.objects.get() == many[3]
    assert many[3].attachments.count() == 1
    assert not purge.accounts_to_purge(now).exists()


def test_a_letter_that_nobody_could_read_goes_too(account, inbox, now):
    Quarantined.objects.create(account=account, folder=inbox, uidvalidity=1, uid=7, reason="unreadable", blob="ab" * 32)
    leave(account, now)
    assert follow(now=now) == 1
    assert not Quarantined.objects.exists()


def test_imported_and_disconnected_mailboxes_are_emptied_too(account, inbox, now):
    archive = another_mailbox(account, "archive@acme.example")
    Mailbox.objects.filter(pk=archive.pk).update(imap_host="", state=MailboxState.DISCONNECTED)
    letter(folder_of(archive), received_at=now)
    leave(account, now)
    assert follow(now=now) == 1
    assert not Tombstone.objects.exists()  # no server brings it back


def test_queued_intentions_are_dropped_and_listed(account, ines, inbox, archive, now):  # R12
    starred, moved = letter(inbox, received_at=now), letter(inbox, received_at=now)
    holds.add(moved, reason="task", reference="task:1", now=now)
    change_flags(list(starred.placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    move(list(moved.placements.all()), archive, by=ines, now=now)
    leave(account, now)
    assert follow(now=now) == 1
    assert not PendingChange.objects.exists()
    event = Event.objects.get(kind="change.dropped")
    when = f"employee:{ines.public_id}, {now:%Y-%m-%d %H:%M}Z"
    assert event.facts["count"] == 2
    assert sorted(event.facts["listed"]) == [f"flags INBOX, {when}", f"move INBOX → Archive, {when}"]
    [place] = moved.placements.all()
    assert (place.folder, place.hidden_at) == (inbox, None)  # it lies where the server has it


@pytest.mark.parametrize("kind", ["append", "draft"])
def test_a_letter_of_ours_that_the_server_does_not_have_yet_waits_on(account, mailbox, inbox, now, kind):  # R9
    PendingChange.objects.create(account=account, mailbox=mailbox, folder=inbox, kind=kind, detail={"blob": "a"})
    leave(account, now)
    follow(now=now)
    assert PendingChange.objects.get().kind == kind


def test_a_sent_letter_that_no_server_has_yet_stays_with_its_append(account, mailbox, many, inbox, now):  # R9, R12
    """Its place is provisional until the sync has appended it: it is the only copy of what was sent."""
    append = PendingChange.objects.create(account=account, mailbox=mailbox, folder=inbox, kind="append", detail={})
    Placement.objects.filter(message=many[2]).update(uid=-append.pk)
    leave(account, now)
    assert follow(now=now) == 4
    assert Message.objects.get() == many[2]
    assert PendingChange.objects.get() == append
    assert not purge.accounts_to_purge(now).exists()
    append.delete()  # given up, or stored there by the last sync
    assert purge.accounts_to_purge(now).exists()
    assert follow(now=now) == 1
    assert not purge.accounts_to_purge(now).exists()


def test_the_operator_may_grant_time(account, many, now, settings):  # R12
    settings.PURGE_GRACE_DAYS = 14
    leave(account, now)
    follow(now=now)
    assert follow(now=now + DAY - SECOND) == 0
    assert purge.purge(account, now=now + 14 * DAY - SECOND) == 0
    assert purge.purge(account, now=now + 14 * DAY) == 5


def test_an_upgrade_within_the_time_of_grace_keeps_everything(account, many, now, settings):
    settings.PURGE_GRACE_DAYS = 14
    leave(account, now)
    follow(now=now)
    change_plan(account, "start", by=None, now=now + DAY)
    assert purge.purge(account, now=now + 30 * DAY) == 0
    assert follow(now=now + DAY) == 0
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
    assert Message.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_an_upgrade_while_the_purge_runs_stops_it(account, many, now):  # R12
    leave(account, now)
    crashpoint.interrupt("purge.committed")
    with pytest.raises(crashpoint.Crashed):
        follow(now=now)
    crashpoint.disarm()
    change_plan(account, "crm", by=None, now=now)
    assert purge.purge(account, now=now) == 0
    assert Message.objects.count() == 3


def test_a_trial_that_ended_by_the_clock_is_purged_and_written_down(account, many, now):  # R11
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now - 30 * DAY)
    assert follow(now=now) == 5
    subscription = Subscription.objects.get(account=account)
    assert (subscription.plan, subscription.followed, subscription.since) == ("free", "free", now)


@pytest.mark.case("F11")
def test_a_clock_that_jumps_ends_no_trial_for_good(account, many, now):  # R20
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now)
    follow(now=now)
    assert follow(now=now + 31 * DAY) == 0
    assert follow(now=now + 31 * DAY + timedelta(hours=23)) == 0
    assert follow(now=now + timedelta(hours=1)) == 0  # it was wrong
    assert Subscription.objects.get(account=account).plan == "demo"
    assert Message.objects.count() == 5


@pytest.mark.case("F10")
def test_other_accounts_lose_nothing(account, many, stranger, now):
    letter(folder_of(another_mailbox(stranger.account, "theirs@other.example")), received_at=now, subject="theirs")
    leave(account, now)
    follow(now=now)
    assert Message.objects.get().subject == "theirs"


POINTS = [
    "purge.before_commit",
    "purge.committed",
    "purge.dropped.before_commit",
    "purge.dropped",
    "remove.before_commit",
]


@pytest.mark.case("F12")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2])
def test_dead_at_any_commit_it_resumes_to_the_same_end(account, ines, many, now, point, nth):  # R12
    for message in many[:3]:
        change_flags(list(message.placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    leave(account, now)
    follow_dying(now, point, nth)
    follow(now=now)
    assert not Message.objects.exists()
    assert not PendingChange.objects.exists()
    assert sum(receipt.count for receipt in Receipt.objects.all()) == 5  # none twice, none missing
    assert sum(event.facts["count"] for event in Event.objects.filter(kind="change.dropped")) == 3
    assert Tombstone.objects.count() == 5
    assert chain.verify(account) == []


def follow_dying(now, point, nth):
    crashpoint.interrupt(point, nth)
    with pytest.raises(crashpoint.Crashed):
        follow(now=now)
    crashpoint.disarm()
    taken = sum(receipt.count for receipt in Receipt.objects.all())
    assert Message.objects.count() == 5 - taken  # whole pieces


@given(world=st.lists(st.booleans(), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_what_is_free_goes(account, mailbox, inbox, world):
    leave(account, NOW)
    SweepClock.objects.all().delete()
    for number, is_held in enumerate(world):
        message = letter(inbox, received_at=NOW, subject=str(number))
        if is_held:
            holds.add(message, reason="task", reference=f"task:{number}", now=NOW)
    assert follow(now=NOW) == world.count(False)
    assert set(Message.objects.values_list("subject", flat=True)) == {str(n) for n, held in enumerate(world) if held}
    for message in Message.objects.all():
        message.holds.all().delete()
    Message.objects.all().delete()


def test_nothing_is_purged_before_the_mailboxes_were_fitted_to_this_very_plan(account, mailbox, many, now):  # R12, R13
    """Between fit and purge: to a plan with Webmail and back. The mailbox runs, so its letters may not be buried."""
    leave(account, now)
    fit(account, now=now)
    leave(account, now, "standard")
    fit(account, now=now)
    leave(account, now)
    assert purge.purge(account, now=now) == 0
    assert Message.objects.count() == 5
    fit(account, now=now)
    assert purge.purge(account, now=now) == 5
    assert Mailbox.objects.get().state == MailboxState.SUSPENDED
