"""Choosing own times: the preview is what the sweep does; a brake on what takes much, and on many small steps (F09)."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.choose_times import (
    DELAY,
    LookAgain,
    NotPossible,
    brakes,
    choose,
    propose,
    take_back,
)
from letterdesk.mailboxes.retention.periods import Own
from letterdesk.mailboxes.retention.sweep import sweep

from .letters import folder_of, letter

DAY = timedelta(hours=24)


def go(account, own, *, now, mailbox=None, by=None):
    seen = propose(account, own, mailbox=mailbox, now=now)
    return choose(account, own, mailbox=mailbox, seen=seen.mark, confirmed=True, by=by, now=now)


@pytest.mark.parametrize(
    ("goes", "lately", "letters", "braked"),
    [
        (0, 5000, 10, False),
        (1, 0, 100, False),
        (2, 0, 199, True),
        (1, 1, 199, True),  # the second small step
        (1000, 0, 1_000_000, False),
        (1001, 0, 1_000_000, True),
        (1, 1000, 1_000_000, True),
    ],
)
def test_more_than_a_hundredth_or_a_thousand_is_much(goes, lately, letters, braked):
    assert brakes(goes, lately=lately, letters=letters) is braked


def test_what_would_go_within_the_days_of_the_brake_is_braked_too(account, inbox, now):  # F09
    """Nothing goes this second, and all in an hour."""
    for minute in range(30):
        letter(inbox, received_at=now - 10 * DAY + timedelta(minutes=30 + minute))
    seen = propose(account, Own(10), now=now)
    assert (seen.goes, seen.soon, seen.is_braked, seen.begins_at) == (0, 30, True, now + DELAY)
    assert go(account, Own(10), now=now).begins_at == now + DELAY
    assert sweep(now=now + timedelta(hours=2)) == 0


def test_the_preview_tells_apart_what_goes_stays_in_crm_and_is_kept(account, mailbox, inbox, now):
    sent = folder_of(mailbox, "Sent", "sent")
    for age in (1, 12, 15):
        letter(inbox, received_at=now - age * DAY)
    at_crm, held = (letter(inbox, received_at=now - 20 * DAY) for _ in range(2))
    Message.objects.filter(pk=at_crm.pk).update(in_crm=True)
    holds.add(held, reason="task", reference="task:1", now=now)
    letter(sent, received_at=now - 6 * DAY)
    letter(inbox, received_at=now - 31 * DAY)  # the plan takes it, not the choice
    seen = propose(account, Own(10, sent=5), now=now)
    assert (seen.goes, seen.in_crm, seen.kept, seen.lines[0].next.count) == (4, 1, 1, 1)
    rule = go(account, Own(10, sent=5), now=now)
    assert sweep(now=now) == 1  # what the plan has ended is never held back (R20)
    for day in range(1, 7):
        sweep(now=now + day * DAY)
    assert Message.objects.count() == 6
    sweep(now=rule.begins_at)
    assert set(Message.objects.values_list("pk", flat=True)) >= {held.pk}
    assert Message.objects.count() == 2


def test_a_new_choice_takes_back_what_waits_and_one_begun_cannot_be(account, mailbox, inbox, now):
    letter(inbox, received_at=now - 20 * DAY)
    waiting = go(account, Own(10), now=now)
    go(account, Own(25), now=now)
    waiting.refresh_from_db()
    assert waiting.taken_back_at == now
    begun = go(account, Own(15), now=now)
    assert not take_back(begun, by=None, now=now + DELAY)


def test_a_foreign_mailbox_and_more_than_the_plan_are_refused(account, mailbox, stranger, now):
    with pytest.raises(NotPossible):
        propose(stranger.account, Own(10), mailbox=mailbox, now=now)
    with pytest.raises(NotPossible, match="not longer"):
        propose(account, Own(31), now=now)


def test_without_the_second_confirmation_nothing_is_chosen(account, mailbox, inbox, now):
    letter(inbox, received_at=now - 20 * DAY)
    seen = propose(account, Own(10), now=now)
    with pytest.raises(LookAgain):
        choose(account, Own(10), seen=seen.mark, confirmed=False, by=None, now=now)
