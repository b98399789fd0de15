"""The preview of a plan is what the run does: the same mailboxes, the same number of letters."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.foresee import foresee
from letterdesk.mailboxes.models import LegalHold, Mailbox, MailboxState, Message, Quarantined, Receipt, SweepClock
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.sweep import over, sweep
from letterdesk.plans.change import change_plan
from letterdesk.plans.extend import Lasting, extend
from letterdesk.plans.models import Subscription

from .conftest import NOW
from .letters import folder_of, letter
from .test_fit import own

DAY = timedelta(hours=24)


def test_a_plan_without_webmail_counts_what_goes_what_stays_and_what_is_dropped(account, ines, mailbox, inbox, now):
    letters = [letter(inbox, received_at=now - number * DAY) for number in range(4)]
    holds.add(letters[0], reason="task", reference="task:1", now=now)
    Message.objects.filter(pk__in=[letters[0].pk, letters[2].pk]).update(in_crm=True)  # R8: of the one that goes
    change_flags(list(letters[1].placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    Quarantined.objects.create(account=account, folder=inbox, uidvalidity=1, uid=9, reason="unreadable", blob="a" * 64)
    seen = foresee(account, "free", now=now)
    assert (seen.goes, seen.with_tasks, seen.in_crm, seen.dropped) == (4, 1, 1, 1)
    assert [each.mailbox for each in seen.suspended] == [mailbox]
    assert (seen.before.key, seen.after.key, seen.goes_at) == ("standard", "free", now)
    assert Message.objects.count() == 4  # nothing is changed
    assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_a_shorter_period_counts_what_is_older_than_it(account, mailbox, inbox, now):  # R19
    change_plan(account, "professional", by=None, now=now)
    for days in (10, 29, 30, 40, 80):
        letter(inbox, received_at=now - days * DAY)
    held = letter(inbox, received_at=now - 50 * DAY)
    holds.add(held, reason="task", reference="task:1", now=now)
    seen = foresee(account, "standard", now=now)
    assert (seen.goes, seen.with_tasks, seen.suspended) == (3, 1, [])
    assert foresee(account, "professional", now=now).goes == 0


def test_what_waits_for_the_server_or_for_a_hold_is_not_counted_as_going(account, ines, mailbox, inbox, now):  # R9
    change_plan(account, "professional", by=None, now=now)
    flagged, moving, *_ = (letter(inbox, received_at=now - 40 * DAY) for _ in range(4))
    Message.objects.update(in_crm=True)
    change_flags(list(flagged.placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    moving.placements.update(uid=-1)
    seen = foresee(account, "standard", now=now)
    assert (seen.goes, seen.in_crm) == (2, 2) == (over(mailbox, now - 30 * DAY).count(), 2)
    LegalHold.objects.create(account=account, scope="account", reason="Court", placed_at=now)  # its rows follow
    seen = foresee(account, "standard", now=now)
    assert (seen.goes, seen.in_crm, foresee(account, "free", now=now).goes) == (0, 0, 0)
    assert not over(mailbox, now - 30 * DAY).exists()


def test_fewer_mailboxes_name_those_that_pause_and_an_upgrade_those_that_come_back(account, ines, now):
    boxes = [own(ines, number) for number in range(3)]
    assert [each.mailbox.pk for each in foresee(account, "start", now=now).suspended] == [box.pk for box in boxes[1:]]
    change_plan(account, "start", by=None, now=now)
    follow(now=now)
    back = foresee(account, "crm", now=now)
    assert [each.mailbox.pk for each in back.resumed] == [box.pk for box in boxes[1:]]
    assert back.suspended == []


def test_the_operators_grace_is_in_the_date(account, now, settings):
    settings.PURGE_GRACE_DAYS = 14
    assert foresee(account, "free", now=now).goes_at == now + 14 * DAY
    assert foresee(account, "start", now=now).goes_at == now
    change_plan(account, "free", by=None, now=now)  # from one plan without Webmail to another it does not begin anew
    assert foresee(account, "project", now=now + DAY).goes_at == now + 14 * DAY
    assert foresee(account, "project", now=now + 20 * DAY).goes_at == now + 20 * DAY
    extend(account, Lasting.GRACE, now + 40 * DAY, by=None, now=now)
    assert foresee(account, "project", now=now + 20 * DAY).goes_at == now + 40 * DAY


def test_its_queries_do_not_grow_with_the_mailboxes(account, ines, jonas, now, django_assert_max_num_queries):
    for number in range(20):
        letter(folder_of(own(ines, number)), received_at=now)
    with django_assert_max_num_queries(8):
        assert foresee(account, "free", now=now).goes == 20


PLANS = st.sampled_from(("free", "project", "start", "standard", "professional"))
AGES = st.integers(min_value=0, max_value=95)


@pytest.mark.case("F04")
@given(before=PLANS, after=PLANS, boxes=st.lists(st.lists(st.tuples(AGES, st.booleans()), max_size=3), max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_change_the_run_does_what_the_preview_said(account, ines, before, after, boxes):  # R12 R13
    _empty()
    change_plan(account, before, by=None, now=NOW)
    for number, letters in enumerate(boxes):
        inbox = folder_of(own(ines, number))
        for days, is_held in letters:
            message = letter(inbox, received_at=NOW - days * DAY)
            if is_held:
                holds.add(message, reason="task", reference="task:1", now=NOW)
    seen = foresee(account, after, now=NOW)
    was = {box.pk: box.state for box in Mailbox.objects.all()}
    change_plan(account, after, by=None, now=NOW)
    follow(now=NOW)
    sweep(now=NOW)
    assert sum(receipt.count for receipt in Receipt.objects.all()) == seen.goes
    fell = {box.pk for box in Mailbox.objects.filter(state="suspended") if was[box.pk] != "suspended"}
    assert fell == {each.mailbox.pk for each in seen.suspended}


def _empty():
    for message in Message.objects.all():
        message.holds.all().delete()
    for model in (Message, Receipt, Mailbox, SweepClock):
        model.objects.all().delete()
    Subscription.objects.update(followed="")
