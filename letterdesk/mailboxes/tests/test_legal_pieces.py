"""A large legal hold is placed in pieces, and holds from its first commit on, whatever dies meanwhile (F05, F07)."""

from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.lib.crashpoint import Crashed
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes import quarantine
from letterdesk.mailboxes.forget import begin, forget_copies
from letterdesk.mailboxes.models import Hold, LegalHold, Message, Placement, Quarantined
from letterdesk.mailboxes.remove import remove_messages, remove_unplaced
from letterdesk.mailboxes.retention import holds, legal
from letterdesk.mailboxes.retention.legal_reach import among
from letterdesk.mailboxes.retention.purge import accounts_to_purge, purge
from letterdesk.mailboxes.retention.sweep import preview, sweep
from letterdesk.plans.models import Subscription
from tests.rig.crashes import dies, points_reached

from .arriving import another_mailbox
from .letters import folder_of, letter

DAY = timedelta(hours=24)
HER = "amara@okafor.example"


@pytest.fixture
def five(account, inbox, now, monkeypatch):
    """Five letters that the sweep would take, one of them from her; pieces of two, and nobody waits for a second."""
    monkeypatch.setattr(legal, "AT_ONCE", 2)
    monkeypatch.setattr(legal, "SOON", 1)
    return [
        letter(inbox, received_at=now - 40 * DAY, sender=("", HER if number == 4 else "b@x.example"), to=())
        for number in range(5)
    ]


def place(account, now, **named):
    return legal.place(account, reason="Case 7", by=None, now=now, **named)


def half_placed(account, now, **named):
    """A hold whose placing dies behind its first commit: it has not written a single letter's row."""
    crashpoint.interrupt("hold.piece.before_commit")
    with pytest.raises(Crashed):
        place(account, now, **named)
    crashpoint.disarm()
    assert not Hold.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", ["account", "mailbox", "address"])
def test_from_its_first_commit_on_nothing_is_removed_by_any_door(account, mailbox, inbox, five, now, named):  # P10
    binned.put_in([five[0].pk], by=None, now=now)
    Placement.objects.filter(message=five[1]).delete()
    Message.objects.filter(pk=five[1].pk).update(unplaced_at=now - DAY)
    half_placed(account, now, **{"account": {}, "mailbox": {"mailbox": mailbox}, "address": {"address": HER}}[named])
    assert preview(account, now=now) == [] and sweep(now=now) == 0  # R9
    assert binned.purge([five[0].pk], by=None, now=now) == 0  # R29
    assert remove_unplaced(mailbox, before=now, now=now) == 0  # R27
    assert remove_messages(mailbox, [each.pk for each in five], now=now) == []  # the one door itself
    Subscription.objects.filter(account=account).update(plan="free", followed="free")
    assert not accounts_to_purge(now).exists() and purge(account, now=now) == 0  # R12
    begin(mailbox, now=now)
    forget_all(now)
    assert Message.objects.count() == 5
    assert legal.cover_all(now=now) == 1
    going = {} if named != "address" else {each.pk for each in five[:4]}
    assert set(Message.objects.filter(is_held=False).values_list("pk", flat=True)) == set(going)
    forget_all(now)
    assert Message.objects.count() == 5 - len(going)


def forget_all(now):
    while forget_copies(now=now):
        pass


def test_a_hold_on_another_mailbox_holds_nothing_back_here(account, five, now):
    other = another_mailbox(account, "other@acme.example")
    letter(folder_of(other), received_at=now)
    Message.objects.filter(mailbox=other).update(received_at=now - 40 * DAY)
    LegalHold.objects.create(account=account, scope="mailbox", mailbox=other, reason="x", placed_at=now)
    assert sweep(now=now) == 5
    assert Message.objects.get().mailbox == other


@pytest.mark.case("F12")
@pytest.mark.django_db(transaction=True)
def test_dead_at_any_point_it_is_completed_to_the_same_end(account, five, now):
    def placing():
        LegalHold.objects.all().delete()
        Hold.objects.all().delete()
        Message.objects.update(is_held=False, held_by_law=False)
        Event.objects.all().delete()
        return lambda: legal.cover_more(place(account, now), now=now)

    points = points_reached(placing(), most=2)
    assert {point.name for point in points} >= {
        "hold.placed.before_commit", "hold.piece.before_commit", "hold.piece.committed",
    }  # fmt: skip
    for point in points:
        assert dies(placing(), point), f"{point} was not reached again"
        is_placed = LegalHold.objects.exists()
        assert is_placed is (point.name != "hold.placed.before_commit")
        assert sweep(now=now) == 0 if is_placed else not Hold.objects.exists(), point
        legal.cover_all(now=now)
        assert Message.objects.filter(is_held=True).count() == (5 if is_placed else 0), point
        assert holds.check() == []
        assert [each.facts["count"] for each in Event.objects.filter(kind="hold.covered")] == [5] * is_placed
        assert legal.cover_all(now=now) == 0  # twice is once


def test_what_arrives_while_it_is_placed_is_held_once(account, inbox, five, now):
    hold = place(account, now)
    assert hold.covered_at is None and Hold.objects.count() == 2
    late = letter(inbox, received_at=now)
    assert legal.cover(inbox.mailbox, [late], now=now) == 1
    legal.cover_all(now=now)
    assert Hold.objects.count() == 6 and holds.check() == []


def test_released_while_it_is_placed_it_is_completed_first_and_then_lets_go(account, five, now):  # F08
    hold = place(account, now)
    legal.release(hold, by=None, now=now)
    assert legal.free(now=now + 31 * DAY) == 0  # not before all is written: half a hold is none
    assert legal.cover_all(now=now + 31 * DAY) == 1
    assert legal.free(now=now + 31 * DAY) == 5
    assert not Message.objects.filter(is_held=True).exists() and holds.check() == []


def test_dead_while_it_lets_go_it_lets_go_of_the_rest(account, five, now):  # F08, F12
    hold = place(account, now)
    legal.cover_more(hold, now=now)
    legal.release(hold, by=None, now=now)
    crashpoint.interrupt("hold.freed.before_commit", 2)
    with pytest.raises(Crashed):
        legal.free(now=now + 30 * DAY)
    crashpoint.disarm()
    assert (Hold.objects.count(), holds.check()) == (3, [])
    assert legal.free(now=now + 30 * DAY) == 3
    assert LegalHold.objects.get().freed_at and holds.check() == []


@pytest.mark.parametrize("scope", ["mailbox", "address", None])
def test_an_unreadable_letter_that_leaves_the_server_stays_under_a_hold_and_goes_after_it(
    account, mailbox, inbox, now, scope
):  # F05, F08
    for uid in (7, 8):
        Quarantined.objects.create(
            account=account, folder=inbox, uidvalidity=1, uid=uid, reason="x", blob=str(uid) * 64, internal_date=now
        )
    hold = (
        place(account, now, **{"mailbox": {"mailbox": mailbox}, "address": {"address": HER}}[scope]) if scope else None
    )
    quarantine.gone(inbox, UidSet([7]), uidvalidity=1, now=now)
    quarantine.let_go(inbox, Quarantined.objects.filter(uidvalidity=1), now=now)  # UIDVALIDITY changed
    assert Quarantined.objects.filter(uid__lt=0).count() == Quarantined.objects.count() == (2 if scope else 0)
    if hold is None:
        return
    quarantine.let_go(inbox, Quarantined.objects.all(), now=now)  # again: it stays
    assert quarantine.forget_gone(now=now) == 0
    legal.cover_more(hold, now=now)
    legal.release(hold, by=None, now=now)
    legal.free(now=now + 30 * DAY)
    assert quarantine.forget_gone(now=now) == 2 and not Quarantined.objects.exists()


def test_an_unreadable_letter_whose_bytes_are_here_twice_is_kept_once(account, inbox, now):
    rows = {"account": account, "folder": inbox, "reason": "x", "blob": "a" * 64}
    Quarantined.objects.create(uidvalidity=1, uid=7, **rows)
    place(account, now)
    Quarantined.objects.create(uidvalidity=2, uid=1, **rows)  # fetched anew under another UIDVALIDITY
    quarantine.let_go(inbox, Quarantined.objects.filter(uidvalidity=1), now=now)
    assert [(each.uidvalidity, each.uid) for each in Quarantined.objects.all()] == [(2, 1)]


def test_of_unreadable_twins_that_go_together_one_stays_under_a_hold(account, inbox, now):  # F05
    rows = {"account": account, "folder": inbox, "reason": "x", "blob": "a" * 64, "uidvalidity": 1}
    for uid in (7, 8, 9):
        Quarantined.objects.create(uid=uid, **rows)
    place(account, now)
    quarantine.gone(inbox, UidSet([7, 8]), uidvalidity=1, now=now)
    assert [each.uid for each in Quarantined.objects.all()] == [9]  # the server has it still
    quarantine.gone(inbox, UidSet([9]), uidvalidity=1, now=now)
    assert Quarantined.objects.get().uid < 0
    for uid in (11, 12):
        Quarantined.objects.create(uid=uid, **{**rows, "blob": "b" * 64})
    quarantine.let_go(inbox, Quarantined.objects.filter(uidvalidity=1), now=now)
    assert sorted(each.blob[0] for each in Quarantined.objects.filter(uid__lt=0)) == ["a", "b"]


def test_what_arrives_is_looked_up_by_its_keys_and_held_in_its_mailbox_alone(account, mailbox, inbox, now):  # F05
    hold = legal.place(account, mailbox=mailbox, reason="Case 7", by=None, now=now)
    mine = letter(inbox, received_at=now)
    others = letter(folder_of(another_mailbox(account, "other@acme.example")), received_at=now)
    found = among(hold, [mine.pk, others.pk, mine.pk + 1000])
    assert set(found) == {mine}
    if connection.vendor == "sqlite":  # it would walk the mailbox
        assert "PRIMARY KEY" in found.explain()
