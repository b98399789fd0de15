"""R9, R18–R21: what becomes of a letter, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from letterdesk.mailboxes.models import Attachment, Hold, Listing, Mailbox, Message, Placement
from letterdesk.mailboxes.retention.letters import (
    Leaving,
    Outcome,
    days_left,
    fetched_after,
    is_fetched,
    next_leaving,
    outcome,
    shown,
    storage_line,
    visible,
)
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.plans.models import Subscription

from .letters import ago, letter

SECOND = timedelta(seconds=1)
TINY = timedelta(microseconds=1)
MONTH = timedelta(hours=24 * 30)


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize("in_crm", [True, False])
@pytest.mark.parametrize(("age", "over"), [(MONTH - TINY, False), (MONTH, True), (MONTH + SECOND, True)])
def test_the_table_of_r9_holds_at_the_boundary(now, *, is_held, in_crm, age, over):
    ends = Outcome.CRM_ONLY if in_crm else Outcome.DELETED
    expected = ends if over and not is_held else Outcome.STAYS
    assert outcome(received_at=now - age, is_held=is_held, in_crm=in_crm, days=30, now=now) == expected


def test_without_a_period_everything_stays(now):
    long_ago = datetime(1990, 1, 1, tzinfo=UTC)
    assert outcome(received_at=long_ago, is_held=False, in_crm=False, days=None, now=now) == Outcome.STAYS


@pytest.mark.parametrize(
    ("age", "fetched"), [(timedelta(days=7) - TINY, True), (timedelta(days=7), False), (-SECOND, True)]
)
def test_the_chosen_depth_is_exact_to_the_second(now, age, fetched):
    assert is_fetched(now - age, chosen_days=7, now=now) is fetched
    assert is_fetched(now - age, chosen_days=None, now=now)


@pytest.mark.django_db
def test_the_shorter_of_depth_and_plan_says_what_is_fetched(mailbox, now):
    for chosen, days in ((7, 7), (None, 30), (300, 30)):
        mailbox.fetch_days = chosen
        assert fetched_after(mailbox, now) == now - timedelta(days=days)
    Subscription.objects.update(plan="free")
    assert fetched_after(mailbox, now) == now  # R2: nothing


@pytest.mark.django_db
def test_without_a_limit_and_with_full_depth_everything_is_fetched(mailbox, now, settings):
    settings.CATALOGUE = "self-hosted"
    Subscription.objects.update(plan="")
    assert fetched_after(mailbox, now) is None


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Message, Placement, Listing, Attachment])
def test_every_kind_of_row_is_hidden_from_the_second_on_and_held_ones_never(inbox, account, now, model):
    letter(inbox, received_at=now - MONTH + TINY, files=["in"])
    letter(inbox, received_at=now - MONTH, files=["out"])
    letter(inbox, received_at=now - 2 * MONTH, files=["held"], held=True)
    cutoff = periods_of(account, now).cutoff(now)
    assert shown(model.objects.all(), cutoff).count() == 2
    assert visible(model.objects.all(), account, now=now - SECOND).count() == 3
    assert visible(model.objects.all(), account, now=now + SECOND).count() == 1
    assert shown(model.objects.all(), None).count() == 3


@pytest.mark.django_db
def test_a_new_plan_holds_at_once_for_what_is_here(inbox, account, now):
    letter(inbox, received_at=ago(now, days=60))
    assert not visible(Message.objects.all(), account, now=now).exists()
    Subscription.objects.update(plan="professional")
    assert visible(Message.objects.all(), account, now=now).exists()
    Subscription.objects.update(plan="free")
    letter(inbox, received_at=now)
    assert not visible(Message.objects.all(), account, now=now).exists()


@pytest.mark.parametrize(
    ("left", "days"),
    [(timedelta(days=14, seconds=1), None), (timedelta(days=14), 14), (timedelta(hours=23), 0), (-SECOND, 0)],
)
def test_the_list_tells_the_days_from_fourteen_on(now, left, days):
    assert days_left(now + left - MONTH, Period(30), now=now) == days
    assert days_left(now, Period(None), now=now) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("left", "line"),
    [
        (timedelta(days=12, hours=3), "Leaves Webmail in 12 days (5 Dec, 16:00) · stays on imap.acme.example"),
        (timedelta(days=1), "Leaves Webmail in 1 day (24 Nov, 13:00) · stays on imap.acme.example"),
        (timedelta(hours=5), "Leaves Webmail in 5 hours (23 Nov, 18:00) · stays on imap.acme.example"),
        (timedelta(seconds=20), "Leaves Webmail within a minute · stays on imap.acme.example"),
        (timedelta(days=29), "Leaves Webmail on 22 Dec · stays on imap.acme.example"),
        (timedelta(0), "Left Webmail on 23 Nov · stays on imap.acme.example"),
    ],
)
def test_every_letter_says_when_it_leaves_in_the_time_zone_of_the_account(inbox, now, left, line):
    message = letter(inbox, received_at=now + left - MONTH)
    assert storage_line(message, now) == line


@pytest.mark.django_db
def test_another_year_is_named(inbox, now):
    message = letter(inbox, received_at=now)
    line = "Leaves Webmail on 21 Feb 2027 · stays on imap.acme.example"
    assert storage_line(message, now, period=Period(90)) == line


@pytest.mark.django_db
def test_a_held_letter_says_why(inbox, account, now):
    message = letter(inbox, received_at=now - 2 * MONTH, held=True)
    Hold.objects.create(account=account, message=message, reason="task", reference="task:214")
    assert storage_line(message, now) == "Kept: linked to task #214"
    Hold.objects.create(account=account, message=message, reason="legal", reference="legal:1")
    assert storage_line(message, now) == "Kept: linked to task #214, on hold, cannot be deleted"


@pytest.mark.django_db
def test_without_a_limit_the_line_says_what_is_true_of_the_mailbox(inbox, mailbox, now):
    message = letter(inbox, received_at=now)
    assert storage_line(message, now, period=Period(None)) == "Kept here as long as it is on imap.acme.example"
    mailbox.state = "disconnected"
    assert "no longer kept in step" in storage_line(message, now, period=Period(None))
    Mailbox.objects.update(imap_host="")
    imported = Message.objects.get(pk=message.pk)
    assert "imported, no copy on a mail server" in storage_line(imported, now, period=Period(None))
    assert "imported, no copy on a mail server" in storage_line(imported, now)


@pytest.mark.django_db
def test_many_lines_ask_the_database_nothing(inbox, now, django_assert_num_queries):
    message = Message.objects.select_related("mailbox", "account").get(pk=letter(inbox, received_at=now).pk)
    with django_assert_num_queries(0):
        storage_line(message, now, period=Period(30), holds=[])


def test_what_leaves_next_is_counted_by_the_days_of_the_account(inbox, mailbox, account, now):
    """R9, R18: the day ends at the account's midnight (Berlin), not at that of UTC."""
    assert next_leaving(account, [mailbox.pk], now=now) == {}
    first = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)  # leaves on 1 Dec at 21:00 in Berlin
    for received_at in (first, first + timedelta(hours=2), first + timedelta(hours=4), now):
        letter(inbox, received_at=received_at)
    held = letter(inbox, received_at=first - timedelta(hours=1))
    Message.objects.filter(pk=held.pk).update(is_held=True)  # R4: never counts
    letter(inbox, received_at=now - timedelta(days=30))  # has left already (R20)
    assert next_leaving(account, [mailbox.pk], now=now) == {mailbox.pk: Leaving(first + timedelta(days=30), 2)}


def test_without_a_period_nothing_leaves_next(inbox, mailbox, account, now, settings):
    letter(inbox, received_at=now)
    settings.CATALOGUE = "self-hosted"
    assert next_leaving(account, [mailbox.pk], now=now) == {}
