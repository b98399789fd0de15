"""Mailboxes of people who left: 30 days, a warning seven days before, and nothing on the server."""

from datetime import timedelta

import pytest
from django.core import mail

from letterdesk.accounts.close import close, reopen
from letterdesk.accounts.dismiss import dismiss, ends_at, reinstate
from letterdesk.accounts.models import Role
from letterdesk.events.models import Event
from letterdesk.mailboxes import left
from letterdesk.mailboxes.connect import transfer
from letterdesk.mailboxes.forget import forget_copies
from letterdesk.mailboxes.models import MailboxState, Message, PendingChange, Receipt, SweepClock
from letterdesk.mailboxes.retention import holds
from letterdesk.plans.limits import LimitReached

from .conftest import employ
from .letters import letter

DAY = timedelta(hours=24)


@pytest.fixture
def boss(account):
    return employ(account, "Maria", Role.ADMINISTRATOR)


@pytest.fixture
def gone(ines, boss, mailbox, now):
    """Ines was dismissed at `now`."""
    dismiss(ines, by=boss, now=now)
    return ines


def live(now, *, hours):
    """Let the hourly job run, as a machine does that never stood still."""
    SweepClock.objects.update_or_create(pk=1, defaults={"seen_at": now + timedelta(hours=hours), "held_until": None})
    left.warn(now=now + timedelta(hours=hours))
    return left.end(now=now + timedelta(hours=hours))


@pytest.mark.case("F17")
def test_a_leavers_mailbox_stays_as_it_is_and_goes_after_30_days_with_a_warning_before(gone, mailbox, account, now):
    assert live(now, hours=24 * 23 - 1) == 0
    account.refresh_from_db()
    assert account.left_behind_until is None and not mail.outbox
    assert live(now, hours=24 * 23) == 0
    account.refresh_from_db()
    assert account.left_behind_until == now + 30 * DAY
    assert Event.objects.filter(kind="employee.mailboxes_ending").count() == 1
    assert live(now, hours=24 * 30 - 1) == 0
    mailbox.refresh_from_db()
    assert mailbox.state == MailboxState.CONNECTED
    assert live(now, hours=24 * 30) == 1
    mailbox.refresh_from_db()
    account.refresh_from_db()
    assert (mailbox.state, mailbox.secret, account.left_behind_until) == (MailboxState.DISCONNECTED, None, None)
    assert not PendingChange.objects.exists()  # nothing is meant for the server
    assert live(now, hours=24 * 31) == 0


def test_what_goes_leaves_a_receipt_and_what_a_task_holds_stays(gone, mailbox, inbox, account, now):
    """R4, R26"""
    kept, _going = letter(inbox, received_at=now), letter(inbox, received_at=now)
    holds.add(kept, reason="task", reference="task:1", now=now)
    live(now, hours=24 * 23)
    assert live(now, hours=24 * 30) == 1
    while forget_copies(now=now):
        pass
    assert list(Message.objects.all()) == [kept]
    receipt = Receipt.objects.get(account=account)
    assert (receipt.rule, receipt.count, receipt.mailbox) == ("disconnected", 1, mailbox.public_id)


def test_a_sent_letter_that_the_server_does_not_have_yet_is_waited_for(gone, mailbox, inbox, now):
    """R9, R26"""
    change = PendingChange.objects.create(
        account=mailbox.account, mailbox=mailbox, folder=inbox, kind="append", detail={"blob": "a"}
    )
    live(now, hours=24 * 23)
    assert live(now, hours=24 * 30) == 0
    assert PendingChange.objects.get() == change
    change.delete()  # the sync stored it
    assert live(now, hours=24 * 30 + 1) == 1


def test_administrators_are_told_by_mail_once(gone, boss, mailbox, now):
    for account in left.warn(now=now + 24 * DAY):
        left.tell_by_mail(account)
    assert not left.warn(now=now + 24 * DAY)
    (sent,) = mail.outbox
    assert sent.to == [boss.email] and mailbox.address in sent.body


def test_a_mail_that_fails_keeps_nothing_from_the_other_accounts(gone, mailbox, account, now, monkeypatch):
    told, ended = [], []

    def tell(one):
        told.append(one)
        raise OSError("no mail server")

    monkeypatch.setattr(left, "warn", lambda now: [account, account])
    monkeypatch.setattr(left, "tell_by_mail", tell)
    monkeypatch.setattr(left, "end", lambda *, now: ended.append((now,)))
    left.follow_leavers.run()
    assert (len(told), len(ended)) == (2, 1)


def test_a_closed_account_loses_nothing_and_has_seven_days_once_it_is_open_again(gone, boss, mailbox, account, now):
    """F17"""
    live(now, hours=24 * 23)
    close(account, typed=account.name, by=boss, now=now + 24 * DAY)
    assert live(now, hours=24 * 31) == 0
    reopen(account, by=boss)
    assert live(now, hours=24 * 32) == 0  # warned anew
    assert live(now, hours=24 * 39 - 1) == 0
    assert live(now, hours=24 * 39) == 1


def test_after_a_standstill_the_warning_comes_first(gone, mailbox, now):
    assert live(now, hours=24 * 40) == 0
    assert live(now, hours=24 * 46) == 0
    assert live(now, hours=24 * 47) == 1
    assert ends_at(now, now + 40 * DAY) == now + 47 * DAY


def test_a_jumping_clock_takes_nothing(gone, mailbox, now):
    left.warn(now=now + 23 * DAY)
    SweepClock.objects.create(pk=1, seen_at=now + 23 * DAY)
    assert left.end(now=now + 300 * DAY) == 0


def test_who_takes_it_over_keeps_all_within_the_limit(gone, boss, jonas, account, mailbox, now):
    """R14"""
    left.warn(now=now + 24 * DAY)
    transfer(mailbox, jonas, by=boss, now=now)
    left.settle(account)
    account.refresh_from_db()
    assert account.left_behind_until is None
    assert left.end(now=now + 40 * DAY) == 0
    account.subscription.plan = "start"
    account.subscription.save(update_fields=["plan"])
    other = mailbox
    other.pk, other.public_id, other.address, other.imap_user, other.owner = None, "b" * 16, "b@x.example", "b", gone
    other.save(force_insert=True)
    with pytest.raises(LimitReached):
        transfer(other, jonas, by=boss, now=now)


def test_who_is_taken_back_in_time_has_everything_again(gone, boss, mailbox, now):
    live(now, hours=24 * 29)
    reinstate(gone, by=boss)
    gone.refresh_from_db()
    assert gone.is_active and gone.dismissed_at is None and gone.warned_at is None
    assert live(now, hours=24 * 60) == 0
    mailbox.refresh_from_db()
    assert mailbox.owner == gone and mailbox.state == MailboxState.CONNECTED


def test_nothing_of_another_account_is_touched(gone, stranger, account, now):
    """F10"""
    live(now, hours=24 * 23)
    assert [each.person for each in left.left_behind(account)] == [gone]
    assert left.left_behind(stranger.account) == []
    stranger.account.refresh_from_db()
    assert stranger.account.left_behind_until is None
