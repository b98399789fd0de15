"""A13, A14: dead at any named point, resumed, equal, and then at rest."""

import random

import pytest

from letterdesk.lib import blobs
from letterdesk.mailboxes.models import PendingChange
from tests.rig.acting import mark, move_to, throw_away
from tests.rig.boxes import letter
from tests.rig.crashes import dies, points_reached
from tests.rig.liar import Liar
from tests.rig.oracle import destroyed
from tests.rig.sampling import sampled


def first_sync(copy) -> None:
    """Before it: a mailbox that was never synced."""


def incremental(copy) -> None:
    """Before it: new letters, flags and expunges on the server."""
    copy.settle()
    for number in (50, 51, 52):
        copy.server.inbox.add(letter(number))
    copy.server.inbox.flag(copy.server.inbox.letters[0], {"\\Flagged"})
    copy.server.inbox.drop([2])


def push(copy) -> None:
    """Before it: flags, a move, a delete and an append wait to be sent."""
    copy.settle()
    mark(copy, 1, add=("\\Seen",))
    move_to(copy, "Sent", 3)
    throw_away(copy, 4)
    account = copy.mailbox.account
    [blob] = blobs.put_many(account.pk, [letter(77)])
    detail = {"blob": blob, "flags": ["\\Seen"], "internal_date": "2024-05-06T07:08:09+00:00"}
    PendingChange.objects.create(
        account=account, mailbox=copy.mailbox, folder=copy.folder("Sent"), kind="append", detail=detail
    )


def rebuilding(copy) -> None:
    """Before it: another UIDVALIDITY, one letter more and one less."""
    copy.settle()
    copy.server.inbox.uidvalidity += 1
    copy.server.inbox.drop([1])
    copy.server.inbox.add(letter(60))


SCENARIOS = [first_sync, incremental, push, rebuilding]


@pytest.mark.sampled
@pytest.mark.case("A13", "A14")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dead_at_any_point_it_resumes_to_the_same_end(invent, connected, scenario):
    def prepared():
        server = invent(Liar)
        for number in range(1, 8):
            server.inbox.add(letter(number))
        copy = connected(server)
        scenario(copy)
        return copy

    points = points_reached(prepared().sync, most=2)
    assert len(points) >= 3, "too few crash points to prove anything"
    for point in sampled(points, 8, turn=SCENARIOS.index(scenario)):
        copy = prepared()
        assert dies(copy.sync, point), f"{point} was not reached again"
        copy.settle()
        found = copy.differences()
        assert not found, f"{point}: {found}"
        assert not PendingChange.objects.filter(mailbox=copy.mailbox).exists(), point
        copy.stays()
        if scenario is push:
            assert [each.raw for each in copy.server.boxes["Trash"].letters] == [letter(4)], point
            assert sorted(each.raw for each in copy.server.boxes["Sent"].letters) == sorted([letter(3), letter(77)])
        else:
            assert destroyed(copy.server.commands) == {}, point


@pytest.mark.case("A13")
def test_dead_several_times_in_a_row_it_still_gets_there(invent, connected):
    server = invent(Liar)
    for number in range(1, 300):
        server.inbox.add(letter(number))
    copy = connected(server)
    points = points_reached(connected(server).sync)
    chance = random.Random(11)
    for _ in range(12):
        dies(copy.sync, chance.choice(points))
    copy.settle()
    copy.agrees_and_stays()
