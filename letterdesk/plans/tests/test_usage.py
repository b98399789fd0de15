"""The month's quota: exact at any concurrency, counted in the account's month, given back once (R22–R25, P7)."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection, connections

from letterdesk.events.models import Event
from letterdesk.plans import usage
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.models import Channel, Reservation, Subscription, Usage

WRITERS = 8
ROUNDS = 3


def take(account, now, **fields):
    return usage.reserve(account, fields.pop("channel", Channel.WEBMAIL), due_at=now, now=now, **fields)


@pytest.mark.case("F01")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("left", [1, 3])
def test_writers_at_once_get_exactly_what_is_left(on_plan, now, left):
    """P7, F01, R23: at 49,999 of 50,000, one success and clear refusals for the rest."""
    account = on_plan("standard")
    for _ in range(ROUNDS):
        Usage.objects.all().delete()
        month = Usage.objects.create(account=account, month=usage.month_of(account, now), used=50_000 - left)
        outcomes, gate = [], threading.Barrier(WRITERS)

        def write(outcomes=outcomes, gate=gate):
            gate.wait(10)
            try:
                take(account, now)
                outcomes.append("sent")
            except LimitReached:
                outcomes.append("refused")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=write) for _ in range(WRITERS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
        month.refresh_from_db()
        assert sorted(outcomes) == ["refused"] * (WRITERS - left) + ["sent"] * left
        assert month.used == 50_000 and month.reservations.count() == left
    assert connection.vendor in {"sqlite", "postgresql"}


@pytest.mark.django_db
def test_what_is_refused_says_how_many_and_from_when_on(on_plan, now):
    """R22."""
    account = on_plan("start")
    Usage.objects.create(account=account, month=date(2026, 11, 1), used=2_000)
    with pytest.raises(LimitReached) as told:
        take(account, now)
    assert told.value.limit == 2_000 and "2,000" in told.value.text and "2026-12-01" in told.value.way_out
    assert Usage.objects.get().used == 2_000


@pytest.mark.case("F02")
@pytest.mark.django_db
def test_a_unit_comes_back_once_and_to_its_own_month(on_plan, now):
    """R23, F02."""
    account = on_plan("standard")
    december = datetime(2026, 12, 3, tzinfo=UTC)
    kept, given = take(account, now), usage.reserve(account, Channel.TASK, due_at=december, now=now)
    assert usage.refund(given, now=now) and not usage.refund(given, now=now)
    assert dict(Usage.objects.values_list("month", "used")) == {date(2026, 11, 1): 1, date(2026, 12, 1): 0}
    assert usage.meter(account, now=now).by_channel == {"webmail": 1} and kept.channel == "webmail"


@pytest.mark.django_db
def test_the_month_is_that_of_the_accounts_time_zone(on_plan):
    """R23."""
    account = on_plan("standard")
    account.time_zone = "Pacific/Auckland"
    assert usage.month_of(account, datetime(2026, 11, 30, 12, tzinfo=UTC)) == date(2026, 12, 1)
    assert usage.month_ends_at(account, date(2026, 12, 1)) == datetime(2026, 12, 31, 11, tzinfo=UTC)


@pytest.mark.django_db
def test_a_change_of_plan_keeps_the_months_count(on_plan, now):
    """R23."""
    account = on_plan("standard")
    Usage.objects.create(account=account, month=date(2026, 11, 1), used=30_000)
    Subscription.objects.filter(account=account).update(plan="start")
    with pytest.raises(LimitReached):
        take(account, now)
    assert usage.meter(account, now=now).left == 0
    Subscription.objects.filter(account=account).update(plan="professional")
    take(account, now)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reading", "plan", "channel", "allowed"),
    [
        ("", "demo", Channel.WEBMAIL, True),
        ("zero", "demo", Channel.WEBMAIL, False),
        ("", "project", Channel.CRM, True),  # as:free
        ("", "project", Channel.WEBMAIL, False),
        ("", "free", Channel.CRM, True),
        ("", "free", Channel.TASK, False),
    ],
)
def test_unspecified_and_free(on_plan, settings, now, reading, plan, channel, allowed):
    """R24, R25: *not in your plan* is another error than *used up*."""
    settings.UNSPECIFIED = reading
    account = on_plan(plan)
    if allowed:
        take(account, now, channel=channel)
    else:
        with pytest.raises(NotInPlan):
            take(account, now, channel=channel)
        assert not Reservation.objects.exists()


@pytest.mark.django_db
def test_eighty_and_ninety_five_percent_are_told_once(on_plan, now):
    account = on_plan("start")
    for units in (1_599, 1, 1, 299, 1):
        take(account, now, units=units)
    told = Event.objects.filter(kind="quota.nearly_used").order_by("pk").values_list("facts__percent", flat=True)
    assert list(told) == [80, 95]


@pytest.mark.case("F02")
@pytest.mark.django_db
def test_the_counter_is_counted_anew_from_its_ledger(on_plan, now):
    """F02."""
    account = on_plan("standard")
    usage.refund(take(account, now), now=now)
    take(account, now, units=3)
    row = Usage.objects.get()
    assert usage.recount(row) == 0
    Usage.objects.update(used=10)
    assert usage.recount(row) == 7 and usage.recount(row, repair=True) == 7 and usage.recount(row) == 0
    assert Event.objects.filter(kind="quota.recounted").count() == 1
