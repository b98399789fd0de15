"""R9: what the period has ended goes, and nothing else; with a list before, and a receipt after (P10)."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import Attachment, Message, Receipt, SearchText, SweepClock, Tombstone
from letterdesk.mailboxes.retention import chain, holds, receipts
from letterdesk.mailboxes.retention.letters import Outcome, outcome
from letterdesk.mailboxes.retention.sweep import JUMP, preview, sweep
from letterdesk.mailboxes.retention.tombstones import buried
from letterdesk.plans.models import Subscription
from tests.rig.together import at_once

from .arriving import another_mailbox
from .conftest import NOW
from .letters import folder_of, letter

DAY = timedelta(hours=24)
MONTH = 30 * DAY
SECOND = timedelta(seconds=1)


def old(folder, **fields):
    return letter(folder, received_at=NOW - MONTH, **fields)


def left(mailbox):
    return set(Message.objects.filter(mailbox=mailbox).values_list("subject", flat=True))


def test_what_is_over_goes_with_its_files_and_words_and_what_is_not_stays(mailbox, inbox, now):
    old(inbox, subject="over", files=("a.pdf",))
    letter(inbox, received_at=now - MONTH + SECOND, subject="a second left", files=("b.pdf",))
    assert sweep(now=now) == 1
    assert left(mailbox) == {"a second left"}
    assert [file.filename for file in Attachment.objects.all()] == ["b.pdf"]
    assert SearchText.objects.count() == 1
    assert sweep(now=now) == 0


def test_held_letters_stay_whatever_their_age(mailbox, inbox, now):  # R4
    holds.add(old(inbox, subject="of a task"), reason="task", reference="task:1", now=now)
    old(inbox, subject="free")
    assert sweep(now=now + 100 * DAY) == 1
    assert left(mailbox) == {"of a task"}


def test_an_intention_that_was_not_carried_out_keeps_its_letter(mailbox, inbox, ines, now):
    message = old(inbox, subject="just starred")
    change_flags(list(message.placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    assert sweep(now=now) == 0
    mailbox.pending_changes.all().delete()
    assert sweep(now=now) == 1


def test_it_leaves_tombstones_a_receipt_and_an_event_and_none_says_what_was_written(mailbox, inbox, now):  # R10
    blob = old(inbox, subject="Secret offer").blob
    sweep(now=now)
    assert buried(mailbox.pk, [blob]) == {blob}
    assert Tombstone.objects.get().rule == "R9"
    receipt = Receipt.objects.get()
    assert (receipt.rule, receipt.count, receipt.address) == ("R9", 1, mailbox.address)
    assert receipt.listed == receipts.list_hash([blob])
    event = Event.objects.get(kind="message.expired")
    assert event.facts == {"count": 1}


def test_imported_mail_follows_the_rule_and_needs_no_tombstone(account, mailbox, now):
    imported = another_mailbox(account, "archive@acme.example")
    imported.imap_host = ""
    imported.save(update_fields=["imap_host"])
    old(folder_of(imported))
    assert sweep(now=now) == 1
    assert not Tombstone.objects.exists()


def test_on_a_plan_without_an_end_or_without_webmail_nothing_is_swept(account, inbox, now, settings):
    old(inbox)
    Subscription.objects.filter(account=account).update(plan="free")  # R12 speaks there
    assert sweep(now=now + 50 * DAY) == 0
    settings.CATALOGUE = "self-hosted"
    Subscription.objects.filter(account=account).update(plan="self-hosted")
    assert sweep(now=now + 50 * DAY) == 0
    assert Message.objects.count() == 1


def test_a_longer_plan_holds_at_once_for_what_is_here(account, inbox, now):  # R19
    old(inbox)
    Subscription.objects.filter(account=account).update(plan="professional")
    assert sweep(now=now) == 0


@pytest.mark.case("F04")
def test_the_preview_is_what_the_sweep_does(account, mailbox, inbox, now):
    for _ in range(3):
        old(inbox)
    [due] = preview(account, now=now)
    assert (due.mailbox, due.count) == (mailbox, 3)
    assert Message.objects.count() == 3
    sweep(now=now)
    assert Receipt.objects.get().listed == due.listed
    assert preview(account, now=now) == []


@pytest.mark.case("F11")
def test_a_clock_that_jumps_deletes_nothing_for_a_day_and_nothing_at_all_if_it_jumps_back(inbox, now):
    letter(inbox, received_at=now)
    assert sweep(now=now) == 0
    assert sweep(now=now + 365 * DAY) == 0
    assert sweep(now=now + 366 * DAY - SECOND) == 0
    assert sweep(now=now + timedelta(hours=1)) == 0  # it was wrong
    assert SweepClock.objects.get().held_until is None
    assert sweep(now=now + timedelta(hours=1)) == 0
    assert Message.objects.count() == 1


def test_after_a_long_rest_deletion_waits_for_a_day_and_no_longer(inbox, now):  # R20
    letter(inbox, received_at=now)
    sweep(now=now)
    back = now + MONTH + JUMP
    assert sweep(now=back) == 0
    assert sweep(now=back + DAY) == 1


@pytest.mark.case("F12")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["remove.before_commit", "sweep.before_commit"])
def test_dead_in_the_middle_it_leaves_whole_pieces_and_goes_on(mailbox, inbox, now, point):
    old(inbox)
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        sweep(now=now)
    crashpoint.disarm()
    assert (Message.objects.count(), Receipt.objects.count(), Tombstone.objects.count()) == (1, 0, 0)
    assert sweep(now=now) == 1
    assert (Message.objects.count(), Receipt.objects.count(), Tombstone.objects.count()) == (0, 1, 1)


@pytest.mark.case("F21")
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_do_the_work_of_one(account, mailbox, inbox, now):
    for _ in range(20):
        old(inbox)
    sweep(now=now - DAY)  # it knows the clock
    done = at_once([lambda: sweep(now=now)] * 2)
    assert sum(done) == 20
    assert sum(receipt.count for receipt in Receipt.objects.all()) == 20
    assert chain.verify(account) == []


@pytest.mark.case("F19")
def test_a_receipt_that_is_changed_or_taken_out_shows(account, inbox, now):
    for day in range(3):
        letter(inbox, received_at=now - MONTH + day * DAY)
        sweep(now=now + day * DAY)
    assert chain.verify(account) == []
    Receipt.objects.filter(number=2).update(count=0)
    assert chain.verify(account) == ["receipt 2 was changed"]
    Receipt.objects.filter(number=2).delete()
    assert chain.verify(account) == ["receipts 2 to 2 are missing"]


@pytest.mark.case("F10")
def test_other_accounts_and_mailboxes_lose_nothing(account, inbox, stranger, now):
    Subscription.objects.filter(account=stranger.account).update(plan="professional")
    foreign = folder_of(another_mailbox(stranger.account, "foreign@other.example"))
    old(foreign, subject="theirs, kept for 90 days")
    old(inbox, subject="ours")
    assert sweep(now=now) == 1
    assert Message.objects.get().subject == "theirs, kept for 90 days"


AGES = st.integers(min_value=-2, max_value=2).map(lambda hours: MONTH + timedelta(hours=hours))


@pytest.mark.case("F06")
@given(world=st.lists(st.tuples(AGES, st.booleans()), max_size=6), hours=st.integers(min_value=0, max_value=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_removes_exactly_what_the_table_of_r9_says(mailbox, inbox, world, hours):
    _empty()
    SweepClock.objects.all().delete()
    at = NOW + timedelta(hours=hours)
    expected = set()
    for number, (age, is_held) in enumerate(world):
        message = letter(inbox, received_at=NOW - age, subject=f"letter {number}")
        if is_held:
            holds.add(message, reason="task", reference=f"task:{number}", now=NOW)
        if outcome(received_at=NOW - age, is_held=is_held, in_crm=False, days=30, now=at) is Outcome.STAYS:
            expected.add(message.subject)
    sweep(now=at)
    assert left(mailbox) == expected
    _empty()


def _empty():
    for message in Message.objects.all():
        message.holds.all().delete()
    Message.objects.all().delete()
