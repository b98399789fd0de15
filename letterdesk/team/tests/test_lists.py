"""The views of a team: which conversation stands where, for whom, and how the database finds them."""

from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.mailboxes import listing, marks, rows
from letterdesk.mailboxes.lists import Wanted
from letterdesk.mailboxes.models import Conversation, Listing
from letterdesk.mailboxes.retention.periods import Period
from letterdesk.mailboxes.search.letters import search
from letterdesk.mailboxes.tests.letters import ago, letter
from letterdesk.team.lists import VIEWS, conversations, counts, list_view, matching, waiting_for_us

pytestmark = pytest.mark.django_db


def wanted(who, now, **more):
    return Wanted(who, now, Period(30), **more)


def shows(who, now, mailbox=None):
    """By view, the subjects that it shows."""
    pages = {view: list_view(view, wanted(who, now), mailbox=mailbox) for view in VIEWS}
    return {view: [row.conversation.subject for row in page.rows] for view, page in pages.items() if page.rows}


@pytest.fixture
def work(inbox, trash, lea, ines, sales, now):
    """One conversation of each kind; named after where it stands for Lea."""
    made = {
        "unassigned": {"status": "open"},
        "mine": {"status": "open", "assignee": lea},
        "department": {"status": "open", "department": sales},
        "others": {"status": "open", "assignee": ines},
        "waiting": {"status": "waiting", "assignee": lea},
        "snoozed": {"status": "open", "assignee": lea},
        "closed": {"status": "closed", "assignee": lea},
        "history": {"status": ""},
    }
    for number, (name, fields) in enumerate(made.items()):
        one = letter(inbox, received_at=ago(now, hours=number + 1), subject=name).conversation
        Conversation.objects.filter(pk=one.pk).update(**fields)
    asleep = Conversation.objects.get(subject="snoozed")
    marks.mark([asleep.pk], "snooze", by=lea, now=now, until=now + timedelta(days=1))
    thrown = letter(trash, received_at=now, subject="thrown away").conversation
    Conversation.objects.filter(pk=thrown.pk).update(status="open")
    gone = letter(inbox, received_at=ago(now, days=31), subject="past its period").conversation
    Conversation.objects.filter(pk=gone.pk).update(status="open")
    return inbox.mailbox


def test_each_conversation_stands_in_one_view(work, lea, now):
    assert shows(lea, now, work.pk) == {
        "unassigned": ["unassigned"],
        "mine": ["mine", "department"],
        "others": ["others"],
        "waiting": ["waiting"],
        "snoozed": ["snoozed"],
        "closed": ["closed"],
    }


def test_a_snooze_that_is_over_is_open_again(work, lea, now):
    assert shows(lea, now + timedelta(days=1, seconds=1), work.pk)["mine"] == ["mine", "department", "snoozed"]


def test_the_counts_are_those_of_the_lists(work, lea, now):
    of = counts(wanted(lea, now), mailbox=work.pk)
    assert of == {"unassigned": 1, "mine": 2, "others": 1, "waiting": 1, "snoozed": 1}
    assert waiting_for_us(wanted(lea, now), [work.pk]) == {work.pk: (1, 2)}


def test_whose_they_are_depends_on_who_looks(work, ines, omar, jonas, stranger, now):
    own = shows(ines, now, work.pk)
    assert (own["mine"], own["others"]) == (["others"], ["mine", "department"])
    assert "mine" not in shows(omar, now)
    assert shows(jonas, now, work.pk) == shows(stranger, now) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is:waiting", {"waiting"}),
        ("status:closed", {"closed"}),
        ("assigned:me", {"mine", "waiting", "snoozed", "closed"}),
        ("assigned:none", {"unassigned"}),
        ("assigned:sales", {"department"}),
        ("assigned:ines is:open", {"others"}),
        ("is:open -assigned:lea", {"unassigned", "department", "others"}),
    ],
)
def test_a_search_knows_status_and_assignee(work, lea, now, query, expected):
    assert {hit.conversation.subject for hit in search(lea, query, now=now).hits} == expected


def test_pages_follow_one_another_both_ways(inbox, lea, now):
    for number in range(7):
        one = letter(inbox, received_at=ago(now, hours=number), subject=f"L{number}").conversation
        Conversation.objects.filter(pk=one.pk).update(status="open")
    for oldest_first in (False, True):
        found, before = [], ""
        while True:
            page = list_view("unassigned", wanted(lea, now, limit=3, before=before, oldest_first=oldest_first))
            found += [row.conversation.subject for row in page.rows]
            before = page.next
            if not before:
                break
        expected = [f"L{number}" for number in range(7)]
        assert found == (expected[::-1] if oldest_first else expected)
    newest = matching("unassigned", wanted(lea, now), most=5)
    assert len(newest) == 5


def test_a_page_is_asked_in_three_queries(work, lea, now, django_assert_num_queries):
    with django_assert_num_queries(2):
        list_view("unassigned", wanted(lea, now), mailbox=work.pk)
    with django_assert_num_queries(1):
        counts(wanted(lea, now), mailbox=work.pk)


@pytest.fixture
def large(inbox, lea, now):
    """Conversations of a team, nearly all of them closed, as many as make the database use its statistics."""
    made = [
        rows.make(
            Conversation, account_id=inbox.account_id, mailbox_id=inbox.mailbox_id, subject="x", status="closed",
            newest_at=ago(now, minutes=number), message_count=1,
        )
        for number in range(3_000)
    ]  # fmt: skip
    rows.insert_with_keys(made, known_by="public_id")
    lines = [
        rows.make(
            Listing, account_id=inbox.account_id, folder_id=inbox.pk, conversation_id=each.pk, newest_at=each.newest_at
        )
        for each in made
    ]
    rows.insert(lines)
    for number, fields in enumerate(({"status": "open"}, {"status": "open", "assignee": lea}, {"status": "waiting"})):
        Conversation.objects.filter(pk=made[-1 - number].pk).update(**fields)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return inbox.mailbox


def plan_of(found):
    sql, parameters = found.query.sql_with_params()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(line[-1]) for line in cursor.fetchall())


def test_every_view_of_a_large_mailbox_comes_by_its_index(large, lea, now):
    """The oldest conversation is found without reading the others, and a page of closed ones is not sorted."""
    far = wanted(lea, now, limit=50)
    wide = Wanted(lea, now, Period(None), limit=50)
    for view in VIEWS:
        asked = conversations(view, wide, mailbox=large.pk).order_by("-newest_at", "-pk")[:51]
        plan = plan_of(asked)
        assert "SCAN mailboxes_conversation\n" not in plan and "Seq Scan on mailboxes_conversation" not in plan, plan
        if view in {"unassigned", "waiting", "closed"}:
            assert "TEMP B-TREE" not in plan and "Sort" not in plan, f"{view}: {plan}"
    assert len(list_view("closed", far, mailbox=large.pk).rows) == 50
    assert len(list_view("unassigned", wide, mailbox=large.pk).rows) == 1


def test_the_listing_is_exact_after_team_work(work, inbox):
    assert listing.check(inbox.mailbox) == []
