"""The numbers of letters are exact at any moment, whatever changes letters, and whatever range is asked for."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes import in_crm, tally
from letterdesk.mailboxes.models import Message, Tally
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.tally import HOUR, Numbers, Span

from .letters import folder_of, letter
from .test_fit import own

BASE = datetime(2026, 10, 25, tzinfo=UTC)
SECOND = timedelta(seconds=1)
moments = st.none() | st.integers(0, 4 * 3600).map(lambda seconds: BASE + seconds * SECOND)


@given(after=moments, until=moments, received=st.integers(-3600, 5 * 3600), micro=st.sampled_from([0, 1, 999_999]))
def test_whole_hours_and_ends_are_the_range_and_nothing_twice(after, until, received, micro):
    moment = BASE + received * SECOND + timedelta(microseconds=micro)
    wanted = (after is None or moment > after) and (until is None or moment <= until)
    span, hour = Span(after, until), moment.replace(minute=0, second=0, microsecond=0)
    parts = [part for part in span.ends if part.after < moment <= part.until]
    assert span.has_hour(hour) + len(parts) == wanted


def test_the_triggers_are_there(db):
    """A migration that makes SQLite write the table of letters anew drops them: it has to begin them again."""
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger",
    }
    with connection.cursor() as cursor:
        cursor.execute(names[connection.vendor])
        found = {name for (name,) in cursor.fetchall()}
    assert {"mailboxes_tally_put", "mailboxes_tally_take", "mailboxes_tally_change"} <= found


def test_the_numbers_follow_every_way_in_which_letters_change(account, ines, mailbox, inbox, now):
    letters = [letter(inbox, received_at=now - number * HOUR / 2) for number in range(6)]
    assert tally.numbers({mailbox.pk: Span()}) == {mailbox.pk: Numbers(free=6)}
    holds.add(letters[0], reason="task", reference="task:1", now=now)
    in_crm.mark(account.pk, [letters[0].pk, letters[1].pk])
    assert tally.numbers({mailbox.pk: Span()}) == {mailbox.pk: Numbers(free=5, in_crm=1, held=1)}
    binned.put_in([letters[2].pk], by=None, now=now)
    Message.objects.filter(pk=letters[3].pk).update(received_at=now - 40 * HOUR)  # R19: an earlier place turned up
    remove_messages(mailbox, [letters[4].pk, letters[0].pk], now=now)  # the second is held, and stays
    assert tally.check(mailbox) == []
    assert Tally.objects.get(is_binned=True, number=1).hour == _hour(letters[2].received_at)
    old = Span(until=now - 40 * HOUR)
    assert tally.numbers({mailbox.pk: old}) == {mailbox.pk: Numbers(free=1)}
    holds.release(letters[0], reason="task", reference="task:1")
    binned.take_out([letters[2].pk], by=None)
    in_crm.clear(account.pk, [(mailbox.pk, letters[0].blob)])
    Message.objects.filter(pk=letters[5].pk).update(subject="Another")  # what does not count changes nothing
    assert tally.check(mailbox) == []
    assert tally.numbers({mailbox.pk: Span()}) == {mailbox.pk: Numbers(free=5, in_crm=1)}


def test_numbers_of_several_mailboxes_with_spans_of_their_own(ines, mailbox, inbox, now):
    other_inbox = folder_of(own(ines, 9))
    for hours in (1, 30, 60):
        letter(inbox, received_at=now - hours * HOUR)
        letter(other_inbox, received_at=now - hours * HOUR)
    spans = {mailbox.pk: Span(until=now - 30 * HOUR), other_inbox.mailbox_id: Span(now - 30 * HOUR)}
    found = tally.numbers(spans)
    assert {key: each.free for key, each in found.items()} == {mailbox.pk: 2, other_inbox.mailbox_id: 1}


def test_adding_up_keeps_the_numbers_and_leaves_one_row_an_hour(account, mailbox, inbox, now):
    gone = letter(inbox, received_at=now - 50 * HOUR)
    letter(inbox, received_at=now)
    hour = {"hour": _hour(now), "is_held": False, "held_by_task": False, "held_by_law": False,
            "in_crm": False, "is_binned": False}  # fmt: skip
    for slot, number in ((7, 2), (8, -2)):  # as other transactions on PostgreSQL leave them
        Tally.objects.create(account=account, mailbox=mailbox, slot=slot, number=number, **hour)
    remove_messages(mailbox, [gone.pk], now=now)
    tally.fold(mailbox)
    assert list(Tally.objects.values_list("hour", "slot", "number")) == [(_hour(now), 0, 1)]
    assert tally.check(mailbox) == []


def test_what_is_not_so_is_found_set_right_and_told(mailbox, inbox, now):
    letter(inbox, received_at=now)
    assert tally.audit(mailbox) == 0
    Tally.objects.update(number=5)
    assert len(tally.check(mailbox)) == 1
    assert tally.audit(mailbox) == 1
    assert tally.check(mailbox) == []
    assert tally.audit(mailbox) == 0
    assert Event.objects.get(kind="tally.repaired").facts["count"] == 1


def _hour(moment):
    return moment.replace(minute=0, second=0, microsecond=0)
