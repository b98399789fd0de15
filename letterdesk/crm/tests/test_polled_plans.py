"""Lines of polled letters are many: whatever is asked of them comes by an index that fits, on both databases (R30)."""

from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.crm.models import PolledFolder, PolledLetter, PolledMailbox
from letterdesk.crm.polled.claim import due_in_turn
from letterdesk.crm.polled.read import asked_for, decided
from letterdesk.crm.tests.test_polled_take import mailbox_of, polled  # noqa: F401  fixtures
from letterdesk.mailboxes import rows


@pytest.fixture
def many(polled, now):  # noqa: F811
    """A folder of 3,000 lines, three of them put aside, and a hundred other mailboxes."""
    facts = {"account_id": polled.account_id, "mailbox_id": polled.pk}
    folder = PolledFolder.objects.create(name="INBOX", wire_name="INBOX", **facts)
    lines = [
        rows.make(PolledLetter, folder_id=folder.pk, key=f"{uid:064}", uid=uid, received_at=now, **facts)
        for uid in range(1, 3_001)
    ]
    for line in lines[:3]:
        line.trouble, line.again_at = "refused", now
    rows.insert(lines)
    for number in range(100):
        PolledMailbox.objects.create(
            account_id=polled.account_id, address="x@acme.example", imap_user=str(number),
            due_at=now + timedelta(minutes=number), failures=int(number < 2),
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return folder


def plan_of(found):
    sql, parameters = found.query.sql_with_params()
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if not is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {sql}", parameters)
        return "\n".join(str(line[-1]) for line in cursor.fetchall())


@pytest.mark.django_db
def test_what_a_look_asks_of_a_folder_s_lines_is_a_range_of_an_index(many, administrator, now):
    assert "polled_again" in (plan := plan_of(asked_for(many, now).order_by("again_at"))), plan
    assert "Sort" not in plan and "TEMP B-TREE" not in plan, plan
    assert "polled_letter_place" in (plan := plan_of(decided(many, 2_900, 4_000, now))), plan
    aside = PolledLetter.objects.put_aside().filter(mailbox=many.mailbox_id)
    assert "polled_trouble" in (plan := plan_of(aside)), plan
    assert (
        sorted(asked_for(many, now).values_list("uid", flat=True))
        == [1, 2, 3]
        == sorted(aside.values_list("uid", flat=True))
    )


@pytest.mark.django_db
def test_whose_turn_it_is_is_the_beginning_of_an_index(many, now):
    plan = plan_of(due_in_turn(now))
    assert "polled_due" in plan, plan
    assert "polled_failing" in plan or connection.vendor == "sqlite", plan  # which groups by the account's index
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan
