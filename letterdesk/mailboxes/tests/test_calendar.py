"""The calendar counts by the clock's own arithmetic: each letter on the day on which `leaves_at` lies."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mailboxes.models import FolderRole, Mailbox, Message
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.calendar import calendar, days_from, groups_of, letters_of_day
from letterdesk.mailboxes.retention.letters import next_leaving, period_of_letter
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Part, Period, Periods

from .conftest import NOW
from .letters import folder_of, letter

DAY = timedelta(hours=24)
BERLIN = ZoneInfo("Europe/Berlin")
DAYS = days_from(date(2026, 11, 23), 40)


def counted(account, mailboxes, periods, now=NOW, days=DAYS):
    return calendar(account, [each.pk for each in mailboxes], days, periods=periods, now=now)


@given(
    days=st.none() | st.integers(1, 9),
    then=st.none() | st.integers(1, 9),
    turns=st.none() | st.integers(0, 200),
    received=st.integers(-300, 0),
    at=st.integers(0, 400),
)
def test_gone_by_is_leaves_at_the_other_way_round(days, then, turns, received, at):  # R19
    hour = timedelta(hours=1)
    period = Period(days) if turns is None else Period(days, then, NOW + turns * hour)
    leaves_at, moment = period.leaves_at(NOW + received * hour), NOW + at * hour
    gone = period.gone_by(moment)
    assert (leaves_at is not None and leaves_at <= moment) == (gone is not None and NOW + received * hour <= gone)


def test_a_letter_counts_on_its_day_as_deleted_staying_in_crm_or_kept(account, mailbox, inbox, now):
    """R4, R8, R9, R18."""
    _, crm, task, court, _ = (letter(inbox, received_at=now - n * DAY) for n in (29, 27, 27, 27, 0))
    letter(inbox, received_at=now - 30 * DAY)  # has left this second, swept or not (R20)
    Message.objects.filter(pk=crm.pk).update(in_crm=True)
    holds.add(task, reason="task", reference="task:1", now=now)
    holds.add(court, reason="legal", reference="court", now=now)
    seen = counted(account, [mailbox], periods_of(account, now))
    told = {each.day: (each.deleted, each.in_crm, each.kept) for each in seen.days if each.leaves or each.kept}
    assert told == {date(2026, 11, 24): (1, 0, 0), date(2026, 11, 26): (0, 1, 2), date(2026, 12, 23): (1, 0, 0)}
    assert (seen.deleted, seen.in_crm, seen.kept) == (2, 1, 2)
    assert seen.reasons == {"task": 1, "legal": 1}
    for reference in ("task:2", "task:3"):  # one letter, held for two reasons and by two tasks
        holds.add(court, reason="task", reference=reference, now=now)
    holds.release(task, reason="task", reference="task:1")
    holds.release(court, reason="task", reference="task:2")
    assert counted(account, [mailbox], periods_of(account, now)).reasons == {"task": 1, "legal": 1}
    holds.release(court, reason="legal", reference="court")
    assert counted(account, [mailbox], periods_of(account, now)).reasons == {"task": 1}
    assert holds.check() == []


def test_days_begin_at_midnight_of_the_account_also_where_the_clock_is_set_back(account, mailbox, inbox):
    """Berlin, 25 October 2026: 25 hours; R19's days have 24."""
    now = datetime(2026, 10, 20, tzinfo=UTC)
    midnight = datetime(2026, 10, 25, tzinfo=BERLIN).astimezone(UTC)
    for leaves_at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=24, minutes=59),
                      midnight + timedelta(hours=25)):  # fmt: skip
        letter(inbox, received_at=leaves_at - 30 * DAY)
    seen = counted(account, [mailbox], periods_of(account, now), now=now, days=days_from(date(2026, 10, 24), 3))
    assert [each.deleted for each in seen.days] == [1, 2, 1]


def mixed(mailbox, sent):
    """A mailbox that keeps sent letters apart, and turns to another time in five days."""
    own = (Part(None, Period(30, 12, NOW + 5 * DAY)), Part((sent.pk,), Period(10)))
    return Periods(Period(30), {mailbox.pk: own})


def test_every_day_agrees_with_what_each_letter_says_of_itself(account, mailbox, inbox, now):
    """One arithmetic: the storage line's period, the calendar, its list of a day, and what leaves next."""
    sent = folder_of(mailbox, "Sent", role=FolderRole.SENT)
    for hours in range(0, 700, 23):
        letter(inbox if hours % 3 else sent, received_at=now - timedelta(hours=hours))
    periods = mixed(mailbox, sent)
    told = Counter()
    for each in Message.objects.all():
        leaves_at = period_of_letter(each, now, periods=periods).leaves_at(each.received_at)
        if leaves_at > now:
            told[leaves_at.astimezone(BERLIN).date()] += 1
    seen = counted(account, [mailbox], periods)
    assert {each.day: each.deleted for each in seen.days if each.deleted} == dict(told)
    groups = list(groups_of(periods, [mailbox.pk], now))
    listed = {day: letters_of_day(Message.objects.all(), groups, day, zone=BERLIN, now=now) for day in DAYS}
    assert {day: len(found) for day, found in listed.items() if found} == dict(told)
    first = next_leaving(account, [mailbox.pk], now=now, periods=periods)[mailbox.pk]
    assert (first.at.astimezone(BERLIN).date(), first.count) == min(told.items())


@pytest.mark.parametrize("count", [1, 5])
def test_the_number_of_queries_does_not_grow_with_mailboxes(account, ines, count, now, django_assert_num_queries):
    boxes = [
        Mailbox.objects.create(
            account=account, owner=ines, name=str(n), address=f"{n}@a.example", imap_host="h", imap_user=str(n)
        )
        for n in range(count)
    ]
    kept = [letter(folder_of(box, "INBOX"), received_at=now - 3 * DAY) for box in boxes]
    holds.add(kept[0], reason="task", reference="task:1", now=now)
    periods = Periods(Period(30))
    with django_assert_num_queries(2):  # whole hours, and their ends
        seen = counted(account, boxes, periods)
    assert (seen.deleted, seen.reasons) == (count - 1, {"task": 1})


def test_what_stays_without_end_is_asked_for_nothing(account, mailbox, now, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert counted(account, [mailbox], Periods(Period(None))).deleted == 0
