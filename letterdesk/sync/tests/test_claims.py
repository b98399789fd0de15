"""Processes share the mailboxes, and no mailbox has two."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.sync import claims
from letterdesk.sync.models import Lease, SyncProcess

pytestmark = pytest.mark.django_db


@pytest.fixture
def twenty_mailboxes():
    account = Account.objects.create(name="Nordlicht")
    ines = Employee.objects.create_user("ines@nordlicht.example", account=account, name="Ines")
    return [
        Mailbox.objects.create(
            account=account, owner=ines, address=f"{n}@nordlicht.example", name=str(n),
            imap_host="imap.nordlicht.example", imap_user=f"{n}@nordlicht.example",
        )
        for n in range(20)
    ]  # fmt: skip


def expire(holder: str) -> None:
    """As if the holder had been silent for longer than its leases."""
    Lease.objects.filter(holder=holder).update(expires_at=timezone.now() - timedelta(seconds=1))
    SyncProcess.objects.filter(name=holder).update(seen_at=timezone.now() - timedelta(minutes=5))


def test_two_processes_never_hold_the_same_mailbox(twenty_mailboxes):
    first = claims.claim("a", limit=10, seconds=30)
    second = claims.claim("b", limit=20, seconds=30)
    assert len(first) == 10
    assert len(second) == 10
    assert not first.keys() & second.keys()


def test_a_process_that_falls_silent_loses_its_mailboxes_to_another_with_a_higher_fence(twenty_mailboxes):
    before = claims.claim("a", limit=20, seconds=30)
    assert claims.claim("b", limit=20, seconds=30) == {}
    expire("a")
    after = claims.claim("b", limit=20, seconds=30)
    assert after.keys() == before.keys()
    assert all(after[mailbox] == fence + 1 for mailbox, fence in before.items())
    assert claims.renew("a", seconds=30) == {}


def test_the_share_of_a_process_is_its_part_of_all_living_ones(twenty_mailboxes):
    claims.claim("a", limit=20, seconds=30)
    assert claims.show_alive("a", seconds=15) == 20
    assert claims.show_alive("b", seconds=15) == 10
    expire("a")
    assert claims.show_alive("b", seconds=15) == 20


@pytest.mark.parametrize("state", [MailboxState.PAUSED, MailboxState.SUSPENDED, MailboxState.DISCONNECTED])
def test_a_mailbox_that_may_not_be_synced_is_given_back_at_the_next_renewal(twenty_mailboxes, state):
    claims.claim("a", limit=20, seconds=30)
    Mailbox.objects.filter(pk=twenty_mailboxes[3].pk).update(state=state)
    assert twenty_mailboxes[3].pk not in claims.renew("a", seconds=30)
    assert Lease.objects.get(mailbox=twenty_mailboxes[3]).holder == ""
    assert claims.claim("b", limit=20, seconds=30) == {}


def test_a_mailbox_in_backoff_is_left_alone_until_its_time(twenty_mailboxes):
    claims.claim("a", limit=20, seconds=30)
    claims.give_back("a")
    Lease.objects.filter(mailbox=twenty_mailboxes[0]).update(retry_at=timezone.now() + timedelta(minutes=1))
    assert twenty_mailboxes[0].pk not in claims.claim("b", limit=20, seconds=30)


def test_what_a_person_asked_for_is_told_once_and_to_the_holder_alone(twenty_mailboxes):
    claims.claim("a", limit=20, seconds=30)
    Lease.objects.filter(mailbox=twenty_mailboxes[5]).update(wanted_at=timezone.now())
    assert claims.wanted("b") == set()
    assert claims.wanted("a") == {twenty_mailboxes[5].pk}
    assert claims.wanted("a") == set()
