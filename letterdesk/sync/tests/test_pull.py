"""What is fetched, in which order, by whom, and what is not (R10, R11, R19, R21, P1–P3)."""

from datetime import UTC, datetime, timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mail.errors import AuthFailed
from letterdesk.mailboxes import connect, remove
from letterdesk.mailboxes.models import MailboxState, Message, Quarantined
from letterdesk.mailboxes.retention import holds, tombstones
from letterdesk.plans.limits import NotInPlan
from letterdesk.plans.models import Subscription
from letterdesk.sync import lease
from letterdesk.sync.connections import guard, sign_in
from letterdesk.sync.lease import LeaseLost
from letterdesk.sync.ledger import ledger_of
from letterdesk.sync.models import FolderCursor, Lease
from letterdesk.sync.once import Busy, NotSyncable, sync_once
from letterdesk.sync.passes import sync_mailbox
from tests.rig.boxes import letter

NOW = datetime(2026, 11, 24, 12, 34, 56, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def fill(server, *dates: datetime, box: str = "INBOX") -> None:
    for date in dates:
        number = server.boxes[box].uidnext
        server.boxes[box].add(letter(number), date=date)


def sync(copy, now=NOW, **options):
    copy.mailbox.refresh_from_db()
    return sync_once(copy.mailbox, now=now, timeout=5, **options)


# How far back (R21, R10) --------------------------------------------------------------------------------------------


def test_r21_the_depth_holds_to_the_second(server, copy):
    copy.mailbox.fetch_days = 30
    copy.mailbox.save()
    cutoff = NOW - 30 * DAY
    fill(server, cutoff - DAY, cutoff - SECOND, cutoff, cutoff + SECOND, cutoff + DAY, NOW - DAY)
    assert sync(copy).agrees
    assert copy.uids() == [4, 5, 6]
    assert ledger_of(copy.folder()).left_out == {"too_old": 3}


def test_r21_a_long_history_is_sorted_by_days_first_and_by_seconds_at_the_border(server, copy):
    copy.mailbox.fetch_days = 30
    copy.mailbox.save()
    fill(server, *(NOW - timedelta(hours=5 * hours) for hours in range(300, 0, -1)))
    assert sync(copy).agrees
    young = [each.uid for each in server.inbox.letters if each.date > NOW - 30 * DAY]
    assert copy.uids() == young
    assert 0 < len(young) < 300
    fetched = [command for command in server.received if b"BODY.PEEK" in command]
    assert not any(b" 1:" in command or b" 1 " in command for command in fetched)


def test_r21_a_greater_depth_fetches_exactly_what_is_newly_allowed(server, copy):
    copy.mailbox.fetch_days = 7
    copy.mailbox.save()
    fill(server, *(NOW - days * DAY + SECOND for days in (40, 30, 20, 10, 5)))
    sync(copy)
    assert copy.uids() == [5]
    connect.change_depth(copy.mailbox, 20, now=NOW)
    assert sync(copy).stored == 2
    assert copy.uids() == [3, 4, 5]
    connect.change_depth(copy.mailbox, 7, now=NOW)
    assert sync(copy).agrees
    assert copy.uids() == [3, 4, 5]  # what is here stays until its period ends
    connect.change_depth(copy.mailbox, None, now=NOW)
    assert sync(copy).stored == 2
    assert copy.uids() == [1, 2, 3, 4, 5]


def test_r21_a_folder_switched_on_later_is_fetched_as_deep_as_chosen_from_then_on(server, copy):
    copy.mailbox.fetch_days = 10
    copy.mailbox.save()
    fill(server, NOW - 3 * DAY, NOW - DAY, box="Sent")
    sync(copy)
    connect.switch_folder(copy.folder("Sent"), is_on=False)
    fill(server, NOW + DAY, NOW + 25 * DAY, box="Sent")
    sync(copy, NOW + 26 * DAY)
    assert copy.uids("Sent") == [1, 2]
    connect.switch_folder(copy.folder("Sent"), is_on=True)
    assert sync(copy, NOW + 30 * DAY).agrees
    assert copy.uids("Sent") == [1, 2, 4]


def test_r10_what_the_plan_no_longer_shows_is_not_fetched_and_nothing_is_written_to_the_server(server, copy, settings):
    settings.CATALOGUE = "commercial"
    Subscription.objects.filter(account=copy.mailbox.account).update(plan="standard")  # 30 days
    fill(server, NOW - 31 * DAY, NOW - 30 * DAY, NOW - 30 * DAY + SECOND, NOW - DAY)
    assert sync(copy).agrees
    assert copy.uids() == [3, 4]
    later = NOW + 5 * DAY
    gone = Message.objects.filter(mailbox=copy.mailbox, received_at__lte=later - 30 * DAY)
    tombstones.bury(copy.mailbox, gone.values_list("blob", flat=True), rule="R9", now=later)
    remove.remove_messages(copy.mailbox, list(gone.values_list("pk", flat=True)), now=later)
    assert sync(copy, later).agrees
    assert copy.uids() == [4]
    assert sync(copy, later).stored == 0
    assert not any(word in server.commands for word in ("UID STORE", "UID EXPUNGE", "EXPUNGE", "UID MOVE", "APPEND"))


def test_r10_a_tombstone_holds_after_a_later_copy_and_ends_when_the_mailbox_is_resumed(server, copy):
    fill(server, NOW - DAY, NOW - DAY)
    sync(copy)
    message = copy.messages()[0]
    tombstones.bury(copy.mailbox, [message.blob], rule="R12", now=NOW)
    remove.remove_messages(copy.mailbox, [message.pk], now=NOW)
    server.inbox.add(letter(1), date=NOW)
    assert sync(copy).agrees
    assert copy.uids() == [2]
    assert ledger_of(copy.folder()).left_out == {"refused": 2}
    connect.tell_resumed(copy.mailbox, was=MailboxState.PAUSED, by=None)
    assert sync(copy).agrees
    assert copy.uids() == [1, 2, 3]


def test_r4_a_held_letter_is_matched_again_whatever_its_age(server, copy, settings):
    settings.CATALOGUE = "commercial"
    Subscription.objects.filter(account=copy.mailbox.account).update(plan="standard")
    fill(server, NOW - 5 * DAY, NOW - 4 * DAY)
    sync(copy)
    held = copy.messages()[0]
    holds.add(held, reason="task", reference="task:1", now=NOW)
    server.inbox.uidvalidity += 1
    later = NOW + 40 * DAY
    assert sync(copy, later).agrees
    assert [each.message_id for each in copy.placements()] == [held.pk]
    assert copy.placements()[0].uidvalidity == server.inbox.uidvalidity


# Order and speed ----------------------------------------------------------------------------------------------------


def test_the_first_letters_are_there_after_a_small_batch_and_the_inbox_comes_first(server, copy):
    fill(server, *(NOW - DAY for _ in range(300)))
    fill(server, NOW - DAY, box="Sent")
    told = []
    sync(copy, progress=told.append)
    assert (told[0].folder, told[0].held, told[0].wanted) == ("INBOX", 60, 300)
    assert [each.folder for each in told][-1] == "Sent"
    assert (told[-2].held, told[-2].wanted) == (300, 300)
    received = Event.objects.filter(kind="message.received", account=copy.mailbox.account).order_by("pk")
    assert [(each.facts["count"], each.facts.get("more", False)) for each in received] == [
        (60, False),  # at once: nobody knows yet whether more come
        (200, True),
        (40, False),
        (1, False),
    ]


def test_history_acts_on_nothing_and_what_comes_later_is_news(server, copy):
    fill(server, NOW - DAY, NOW - DAY)
    sync(copy)
    fill(server, NOW)
    sync(copy)
    received = Event.objects.filter(kind="message.received", account=copy.mailbox.account).order_by("pk")
    assert [bool(event.facts.get("initial")) for event in received] == [True, False]


def test_a_new_letter_stays_news_when_the_process_dies_before_it_is_stored(server, copy):
    fill(server, NOW - DAY)
    sync(copy)
    fill(server, NOW)
    crashpoint.interrupt("pull.batch.before_commit")
    with pytest.raises(crashpoint.Crashed):
        sync(copy)
    crashpoint.disarm()
    sync(copy)
    last = Event.objects.filter(kind="message.received", account=copy.mailbox.account).latest("pk")
    assert not last.facts.get("initial")


def test_an_unchanged_mailbox_is_not_even_selected(server, copy):
    fill(server, NOW - DAY)
    sync(copy)
    before = server.commands
    report = sync(copy)
    spent = server.commands - before
    assert not report.did_something
    assert not {"SELECT", "EXAMINE", "UID FETCH", "UID SEARCH"} & spent.keys()
    assert spent["LIST"] == 1


# Who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.case("A42")
def test_a_process_that_lost_its_lease_stores_nothing(server, copy):
    fill(server, NOW - DAY)
    old = lease.acquire(copy.mailbox, holder="slow")
    Lease.objects.update(expires_at=NOW - 365 * DAY)
    assert lease.acquire(copy.mailbox, holder="quick") == (old or 0) + 1
    with sign_in(copy.mailbox, guard()) as connection, pytest.raises(LeaseLost):
        sync_mailbox(copy.mailbox, connection, fence=old or 0, now=NOW)
    assert not copy.mailbox.folders.exists()
    assert copy.messages() == []


@pytest.mark.case("A42")
def test_a_mailbox_that_is_held_is_busy_for_everybody_else(server, copy):
    lease.acquire(copy.mailbox, holder="somebody")
    with pytest.raises(Busy):
        sync(copy)


def test_a_mailbox_paused_in_the_midst_of_a_pass_stores_nothing_more(server, copy):
    fill(server, *(NOW - DAY for _ in range(300)))

    def pause(_told):
        connect.pause(copy.mailbox, by=copy.mailbox.owner)

    with pytest.raises(LeaseLost):
        sync(copy, progress=pause)
    assert 0 < len(copy.messages()) < 300
    with pytest.raises(NotSyncable):
        sync(copy)


def test_r11_from_the_second_at_which_the_plan_ends_nothing_is_stored(server, copy, settings):
    settings.CATALOGUE = "commercial"
    subscription = Subscription.objects.filter(account=copy.mailbox.account)
    subscription.update(plan="standard")
    fill(server, *(NOW - DAY for _ in range(300)))
    with pytest.raises(NotInPlan):
        sync(copy, progress=lambda _told: subscription.update(plan="free"))
    assert 0 < len(copy.messages()) < 300
    with pytest.raises(NotInPlan):  # R2
        sync(copy)
    copy.mailbox.refresh_from_db()
    assert copy.mailbox.state == MailboxState.CONNECTED  # it is the plan's doing, not the server's


@pytest.mark.case("A40")
def test_a_refused_sign_in_is_told_once_and_its_end_too(server, copy):
    sync(copy)
    server.password = "another"
    for _ in range(2):
        with pytest.raises(AuthFailed):
            sync(copy)
    server.password = "secret"
    sync(copy)
    told = Event.objects.filter(account=copy.mailbox.account, kind__startswith="mailbox.").order_by("pk")
    assert [event.kind for event in told] == ["mailbox.failing", "mailbox.recovered"]
    assert Lease.objects.get(mailbox=copy.mailbox).failures == 0


# Letters that kill (G14) --------------------------------------------------------------------------------------------


@pytest.mark.case("G14")
def test_a_letter_over_which_the_process_dies_again_and_again_is_set_aside_and_the_others_come(server, copy):
    fill(server, *(NOW - DAY for _ in range(20)))

    def die(nth: int) -> None:
        crashpoint.interrupt("receive.prepared", nth)
        with pytest.raises(crashpoint.Crashed):
            sync(copy)
        crashpoint.disarm()
        Lease.objects.update(holder="", expires_at=None)

    die(1)
    die(1)
    die(3)  # one by one now: it dies over the third, which is UID 18
    assert sync(copy).agrees
    assert list(Quarantined.objects.values_list("uid", flat=True)) == [18]
    assert len(copy.uids()) == 19
    assert FolderCursor.objects.get(folder=copy.folder()).strikes == 0
