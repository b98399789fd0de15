"""Own times: one arithmetic for list, search, storage line, sweep and preview; shorter than the plan, never longer."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.mailboxes.lists import list_folder
from letterdesk.mailboxes.models import Attachment, Message, Receipt, RetentionRule
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.letters import (
    fetched_after,
    kept_since,
    next_leaving,
    period_of_letter,
    shown,
    storage_line,
    visible,
)
from letterdesk.mailboxes.retention.own_times import LONGEST, periods_of, seal_of
from letterdesk.mailboxes.retention.periods import Own, Period, times
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.mailboxes.search.letters import search
from letterdesk.mailboxes.sidebar import sidebar
from letterdesk.plans.models import Subscription

from .arriving import another_mailbox
from .conftest import NOW
from .letters import folder_of, letter, place

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


def rule(account, own, *, mailbox=None, begins_at=NOW, **fields):
    """A rule as it is chosen, without its preview."""
    made = RetentionRule(
        account=account, mailbox=mailbox, days=own.days, sent_days=own.sent, draft_days=own.drafts,
        begins_at=begins_at, made_at=begins_at, by_operator=True,
    )  # fmt: skip
    made.seal = seal_of(made)
    for name, value in fields.items():
        setattr(made, name, value)
    made.save()
    return made


@pytest.mark.parametrize(
    ("plan", "account", "mailbox", "days", "sent", "drafts"),
    [
        (30, Own(), Own(), 30, 30, 30),
        (30, Own(10), Own(), 10, 10, 10),
        (30, Own(10), Own(20), 20, 20, 20),  # the mailbox's own word, not the shorter one
        (30, Own(10, sent=5), Own(20), 20, 20, 20),
        (30, Own(10, sent=5), Own(drafts=3), 10, 5, 3),
        (30, Own(90), Own(sent=60), 30, 30, 30),  # never longer than the plan
        (None, Own(), Own(365), 365, 365, 365),
        (None, Own(sent=7), Own(), None, 7, None),
        (0, Own(10), Own(20), 0, 0, 0),
    ],
)
def test_a_mailbox_says_it_else_the_account_and_never_more_than_the_plan(plan, account, mailbox, days, sent, drafts):
    assert times(plan, account, mailbox) == Own(days, sent, drafts)  # R18


def test_a_period_that_turns_hides_nothing_before_its_day():
    period = Period(90, 30, NOW + 7 * DAY)
    assert period.leaves_at(NOW - 60 * DAY) == NOW + 7 * DAY
    assert period.leaves_at(NOW - 20 * DAY) == NOW + 10 * DAY
    assert period.leaves_at(NOW - 88 * DAY) == NOW + 2 * DAY
    assert not period.is_over(NOW - 60 * DAY, NOW + 7 * DAY - HOUR)
    assert period.is_over(NOW - 60 * DAY, NOW + 7 * DAY)
    assert Period(30, None, NOW).leaves_at(NOW - 20 * DAY) is None


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(-40, 40), st.integers(-40, 40))
def test_a_letter_has_left_exactly_when_its_moment_has_come(days, then, age, turns, looked):
    """R19: the moment that is told is the moment at which it is hidden, over a turn, too, unless it came back."""
    period, received, now = Period(days, then, NOW + turns * HOUR), NOW - age * HOUR, NOW + looked * HOUR
    leaves_at = period.leaves_at(received)
    if then <= days:
        assert period.is_over(received, now) is (leaves_at is not None and now >= leaves_at)


def test_without_rules_nothing_changes(account, mailbox, inbox, now):
    assert periods_of(account, now).cutoff(now) == now - 30 * DAY
    assert periods_of(account, now).own == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"days": 0},
        {"days": LONGEST + 1},
        {"days": None},
        {"by_operator": False},  # whoever made it is no more
        {"seal": ""},
        {"days": 3},  # changed past the preview: the seal does not fit (F09)
        {"mailbox_id": None},  # applied to all instead of one
        {"taken_back_at": NOW},
        {"begins_at": NOW + HOUR},
    ],
)
def test_a_rule_that_is_empty_or_broken_matches_nothing(account, mailbox, inbox, now, broken):  # F22
    rule(account, Own(20), mailbox=mailbox, **broken)
    letter(inbox, received_at=now - 29 * DAY)
    assert visible(Message.objects.all(), account, now=now).count() == 1
    assert sweep(now=now) == 0


def test_a_rule_of_another_account_matches_nothing(account, mailbox, inbox, stranger, now):  # F22
    rule(stranger.account, Own(1), mailbox=mailbox)
    rule(stranger.account, Own(1))
    letter(inbox, received_at=now - 29 * DAY)
    assert sweep(now=now) == 0


def test_the_plan_is_never_held_back(account, mailbox, inbox, now):  # R20
    rule(account, Own(30), mailbox=mailbox, begins_at=now - DAY)
    letter(inbox, received_at=now - 20 * DAY)
    Subscription.objects.filter(account=account).update(plan="free")
    assert not visible(Message.objects.all(), account, now=now).exists()


def test_what_only_the_own_time_ends_leaves_a_receipt_that_says_so(account, mailbox, inbox, now):
    letter(inbox, received_at=now - 20 * DAY)
    rule(account, Own(10))
    assert sweep(now=now) == 1
    assert Receipt.objects.get().rule == "own"
    letter(inbox, received_at=now - 9 * DAY)
    assert sweep(now=now + DAY) == 1
    assert mailbox.tombstones.filter(rule="own").count() == 2  # nothing comes back by sync (R10)


def test_nothing_is_fetched_that_would_leave_at_once(account, mailbox, inbox, now):  # R10
    sent = folder_of(mailbox, "Sent", "sent")
    rule(account, Own(20, sent=5), mailbox=mailbox)
    assert kept_since(inbox, now) == fetched_after(mailbox, now) == now - 20 * DAY
    assert kept_since(sent, now) == now - 5 * DAY


def test_a_turn_that_is_chosen_is_told_at_the_letter(account, mailbox, inbox, now):
    told = letter(inbox, received_at=now - 20 * DAY)
    rule(account, Own(10), begins_at=now + 7 * DAY)
    assert "in 7 days" in storage_line(told, now)


AGES = st.integers(0, 40)
WHERE = st.sets(st.sampled_from(["inbox", "sent", "drafts"]), min_size=1)
DAYS = st.none() | st.integers(1, 40)
OWN = st.builds(Own, DAYS, DAYS, DAYS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(AGES, WHERE, st.booleans()), min_size=1, max_size=6), OWN, OWN, st.sampled_from([None, 30]))
def test_all_who_ask_agree_with_the_table(account, mailbox, ines, letters, ours, boxs, plan):
    """R9, R18–R20, F06: list, counters, search, attachments, storage line and sweep, beside one sum done by hand."""
    with transaction.atomic():
        Subscription.objects.filter(account=account).update(plan="standard" if plan else "professional")
        _compare(account, mailbox, ines, letters, ours, boxs, times(plan or 90, ours, boxs))
        transaction.set_rollback(True)


def _compare(account, mailbox, ines, letters, ours, boxs, days):
    folders = {role: folder_of(mailbox, role, role) for role in ("inbox", "sent", "drafts")}
    limits = {"inbox": days.days, "sent": days.sent, "drafts": days.drafts}
    rule(account, ours)
    rule(account, boxs, mailbox=mailbox)
    there, stays = {}, set()
    for number, (age, where, is_held) in enumerate(letters):
        first, *others = sorted(where)
        made = letter(
            folders[first], received_at=NOW - age * DAY, subject=f"word {number}", files=("a.pdf",), is_seen=False
        )
        for role in others:
            place(made, folders[role], is_seen=False)
        if is_held:
            holds.add(made, reason="task", reference="task:1", now=NOW)
        there[made.pk] = {role for role in where if is_held or age < limits[role]}
        if there[made.pk]:
            stays.add(made.pk)
            longest = max(limits[role] for role in where)
            assert is_held or period_of_letter(made, NOW).days == longest
    _agree(account, ines, mailbox, folders, there, stays)
    sweep(now=NOW)
    assert set(Message.objects.filter(mailbox=mailbox).values_list("pk", flat=True)) == stays


def _agree(account, ines, mailbox, folders, there, stays):
    cutoff = periods_of(account, NOW).cutoff(NOW)
    assert set(shown(Message.objects.filter(mailbox=mailbox), cutoff).values_list("pk", flat=True)) == stays
    assert (
        set(shown(Attachment.objects.filter(message__mailbox=mailbox), cutoff).values_list("message", flat=True))
        == stays
    )
    [entry] = [each for each in sidebar(ines, NOW) if each.mailbox == mailbox]
    unread = {each.folder.role: each.unread for each in entry.folders}
    for role, folder in folders.items():
        here = {pk for pk, roles in there.items() if role in roles}
        assert {row.conversation.messages.get().pk for row in list_folder(folder, employee=ines, now=NOW).rows} == here
        assert unread[role] == len(here)
    assert {hit.message.pk for hit in search(ines, "word", now=NOW, mailbox=mailbox).hits} == stays


def test_what_leaves_next_is_counted_by_its_own_time(account, mailbox, inbox, now):
    sent = folder_of(mailbox, "Sent", "sent")
    rule(account, Own(20, sent=5), mailbox=mailbox)
    for age in (19, 19, 3):
        letter(inbox, received_at=now - age * DAY)
    letter(sent, received_at=now - 4 * DAY)
    held = letter(sent, received_at=now - 4 * DAY)
    holds.add(held, reason="task", reference="task:1", now=now)
    assert next_leaving(account, [mailbox.pk], now=now)[mailbox.pk].count == 3
    other = another_mailbox(account, "other@acme.example")
    letter(folder_of(other), received_at=now - 4 * DAY)
    leaving = next_leaving(account, [mailbox.pk, other.pk], now=now)
    assert leaving[other.pk].at == now + 26 * DAY
