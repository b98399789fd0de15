"""What administrators are told of mailboxes for CRM alone: which one, what happened, what to do (R30)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.accounts.models import Role
from letterdesk.crm.models import PolledFolder, PolledMailbox
from letterdesk.crm.polled.look import DOOR
from letterdesk.events.record import record
from letterdesk.intake.models import Arrived, State
from letterdesk.notifications.lines import lines_of, unseen_count
from letterdesk.notifications.models import Notification
from letterdesk.notifications.seen import forget

ADDRESS = "sales@acme.example"


@pytest.fixture
def boss(people):
    return people["administrator"]


@pytest.fixture
def polled(account, boss):
    made = PolledMailbox.objects.create(account=account, address=ADDRESS, imap_user="sales", made_by=boss)
    for name, facts in {"Clients": {"is_there": False}, "Offers": {"refused": 5}, "Inbox": {}}.items():
        PolledFolder.objects.create(account=account, mailbox=made, name=name, wire_name=name, is_on=True, **facts)
    return made


@pytest.fixture
def happen(polled):
    def happened(kind, **facts):
        record(f"polled.{kind}", account=polled.account, subject=polled.reference, **facts)

    return happened


TOLD = {
    "auth_failed": ("cannot be read for CRM until somebody mends", "the password, consent or server"),
    "disconnected": ("cannot be read for CRM at the moment", "tried again by itself"),
    "folder_gone": ("A folder of", "choose that on the mailbox's page; no letter comes twice. (Clients)"),
    "folder_refused": ("does not let a folder be read", "on the mailbox's page. Others are read. (Offers)"),
    "renumbered": ("numbers the letters anew", "choose the folder again on the mailbox's page"),
    "not_handed": ("3 letters of", "Try again on the mailbox's page"),
}  # fmt: skip


@pytest.mark.parametrize("code", TOLD)
def test_it_says_which_mailbox_what_happened_and_what_to_do(told, happen, polled, boss, people, code):
    state = {"state": "failing" if code == "auth_failed" else "connected"}
    PolledMailbox.objects.update(error_code=code if code in {"auth_failed", "disconnected"} else "", **state)
    happen("failing", code=code, **({"letters": 3} if code == "not_handed" else {}))
    [(kind, title, detail)] = told(boss)
    what, to_do = TOLD[code]
    assert kind == "polled" and ADDRESS in title and what in title and to_do in detail
    [line] = lines_of(boss, timezone.now())
    assert line.address == f"/settings/sendsave/mailboxes/{polled.public_id}"
    assert ADDRESS not in str(line.told(hides_content=True))
    assert all(told(people[each]) == [] for each in ("reader", "mate", "stranger"))


def test_what_is_mended_takes_no_other_trouble_with_it(told, happen, boss):
    for code in ("disconnected", "folder_gone", "folder_refused", "not_handed"):
        happen("failing", code=code, letters=1)
    assert len(told(boss, seen_at=None)) == 4
    happen("recovered")
    happen("recovered", code="folder_refused")
    left = [title for _kind, title, _detail in told(boss, seen_at=None)]
    assert len(left) == 2 and "not on its server any more" in str(left) and "did not come to CRM" in str(left)
    happen("changed", what="folders")
    assert len(told(boss, seen_at=None)) == 1
    happen("disconnected")
    assert told(boss, seen_at=None) == [] and len(told(boss)) == 4


def test_who_administrates_no_more_is_told_of_no_mailbox(told, happen, boss):
    happen("failing", code="folder_gone")
    assert len(told(boss)) == 1
    boss.role = Role.EMPLOYEE
    boss.save(update_fields=["role"])
    assert told(boss) == [] and unseen_count(boss, timezone.now()) == 0


def test_a_letter_that_cannot_be_read_is_not_one_whose_sender_is_asked_for(told, polled, boss, people, account):
    row = Arrived.objects.create(
        account=account, door=DOOR, address=polled.public_id, blob="b", size=1, state=State.UNREADABLE
    )
    record("arrived.unreadable", account=account, subject=row.holder)
    [(kind, title, detail)] = told(boss)
    assert (kind, title) == ("asked", f"A letter of {ADDRESS} for CRM cannot be read")
    assert "Try again there" in detail and told(people["mate"]) == []
    [line] = lines_of(boss, timezone.now())
    assert line.address == "/crm/asked"
    Arrived.objects.update(state=State.LEFT_OUT)
    record("sendsave.dropped", account=account)
    assert told(boss, seen_at=None) == []


def test_many_lines_of_many_mailboxes_are_told_with_as_many_queries(
    happen, told, boss, account, django_assert_num_queries
):
    happen("failing", code="folder_gone")
    told(boss)
    with django_assert_num_queries(4):
        lines_of(boss, timezone.now())
    for number in range(5):
        more = PolledMailbox.objects.create(account=account, address=f"{number}@acme.example", imap_user=str(number))
        record("polled.failing", account=account, subject=more.reference, code="folder_gone")
    assert len(told(boss)) == 6
    with django_assert_num_queries(4):
        lines_of(boss, timezone.now())


def test_what_was_told_long_ago_is_forgotten_in_pieces(told, happen, boss, monkeypatch):
    """One statement for all of a large installation's lines would hold up whoever is told something (D13)."""
    monkeypatch.setattr("letterdesk.notifications.seen.AT_ONCE", 2)
    for code in ("disconnected", *TOLD):
        happen("failing", code=code)
    told(boss)
    lines = Notification.objects.count()
    with CaptureQueriesContext(connection) as asked:
        assert forget(now=timezone.now() + timedelta(days=31)) == lines == 5
    deletes = [each["sql"] for each in asked if each["sql"].startswith("DELETE")]
    assert len(deletes) == 3 and not Notification.objects.exists()
