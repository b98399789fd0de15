"""A change of plan that dies at any named point, or is followed twice at once, ends the same (F12, F21)."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Mailbox, Message, PendingChange, Receipt, Tombstone
from letterdesk.mailboxes.retention import chain, purge
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.models import Subscription
from tests.rig.crashes import dies, points_reached
from tests.rig.together import at_once

from .conftest import employ, open_account_on
from .letters import folder_of, letter

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(hours=24)
EXPECTED = {
    "downgrade": {"plan.before_commit", "fit.suspended", "fit.before_commit", "fit.committed"},
    "to free": {"plan.before_commit", "fit.suspended", "purge.dropped", "purge.before_commit", "purge.committed"},
    "by the clock": {"plan.before_commit", "fit.suspended", "purge.committed"},
    "upgrade": {"plan.before_commit", "fit.resumed", "fit.before_commit", "fit.committed"},
}


def company(plan, now):
    """An account with three mailboxes, followed; the first holds five letters and somebody's change of one."""
    account = open_account_on(plan)
    ines = employ(account, "Ines")
    for number in range(3):
        Mailbox.objects.create(
            account=account, owner=ines, address=f"{number}@acme.example", name=str(number),
            imap_host="imap.acme.example", imap_user=str(number), connected_at=now + timedelta(hours=number),
        )  # fmt: skip
    inbox = folder_of(account.mailboxes.order_by("pk").first())
    letters = [letter(inbox, received_at=now - number * DAY) for number in range(5)]
    follow(now=now)
    if plan != "start":
        change_flags(list(letters[0].placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    return account


def prepared(way, now):
    """The account, and what is interrupted: it may be run again."""
    account = company("start" if way == "upgrade" else "standard", now)
    if way == "by the clock":
        choose_next(account, "free", at=now + timedelta(hours=1), by=None, now=now)
        return account, lambda: follow(now=now + timedelta(hours=2))
    goal = {"downgrade": "start", "to free": "free", "upgrade": "standard"}[way]

    def change():
        change_plan(account, goal, by=None, now=now)
        follow(now=now)

    return account, change


def end_of(account):
    """All that a change of plan leaves behind, without keys and moments."""
    events = Event.objects.filter(account=account).exclude(kind="flags.changed").order_by("pk")
    subscription = Subscription.objects.get(account=account)
    return {
        "plan": (subscription.plan, subscription.followed, subscription.followed_version, subscription.next_plan),
        "mailboxes": list(account.mailboxes.order_by("address").values_list("address", "state")),
        "letters": Message.objects.filter(account=account).count(),
        "changes": PendingChange.objects.filter(account=account).count(),
        "stones": Tombstone.objects.filter(mailbox__account=account).count(),
        "receipts": list(Receipt.objects.filter(account=account).order_by("number").values_list("rule", "count")),
        "told": [(event.kind, event.facts.get("count"), event.facts.get("reason")) for event in events],
    }


@pytest.mark.case("F12")
@pytest.mark.parametrize("way", list(EXPECTED))
def test_dead_at_any_point_of_a_change_of_plan_it_ends_the_same(sold_plans, now, monkeypatch, way):  # R11, R12, R13
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    account, change = prepared(way, now)
    points = points_reached(change, most=2)
    undisturbed = end_of(account)
    assert {point.name for point in points} >= EXPECTED[way]
    for point in points:
        account, change = prepared(way, now)
        assert dies(change, point), f"{point} was not reached again"
        change()
        assert end_of(account) == undisturbed, point
        assert chain.verify(account) == []


@pytest.mark.case("F21")
def test_two_schedulers_at_once_follow_a_plan_once(sold_plans, now):  # R11, R12, R13
    calm, change = prepared("to free", now)
    change()
    account, _change = prepared("to free", now)
    change_plan(account, "free", by=None, now=now)
    assert sum(at_once([lambda: follow(now=now)] * 2)) == 5
    assert end_of(account) == end_of(calm)
    assert chain.verify(account) == []
