"""Search finds what it should, only for who may see it, only what the clock shows; typed text is never code."""

from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.mailboxes import listing
from letterdesk.mailboxes.bin import put_in
from letterdesk.mailboxes.models import Grant, Mailbox, Placement
from letterdesk.mailboxes.retention.letters import Period
from letterdesk.mailboxes.search.letters import BadQuery, Search, search

from .letters import ago, folder_of, letter

pytestmark = pytest.mark.django_db

MONTH = timedelta(hours=24 * 30)


def found(employee, query, now, **options):
    return [hit.message.subject for hit in search(employee, query, now=now, **options).hits]


@pytest.fixture
def mail(inbox, mailbox, now):
    """Letters that differ in everything that can be asked; the subject is the name."""
    archive, trash = folder_of(mailbox, "Clients/Offers", ""), folder_of(mailbox, "Trash", "trash")
    letter(inbox, received_at=ago(now, hours=1), subject="quote", body="forty seats for the studio",
           files=["quote.pdf"], is_flagged=True, size=3_000_000)  # fmt: skip
    letter(inbox, received_at=ago(now, days=2), subject="invoice", body="please pay for forty chairs", is_seen=True,
           sender=("Jonas Weber", "jonas@weber.example"), cc=[("Otto", "otto@acme.example")])  # fmt: skip
    letter(archive, received_at=ago(now, days=9), subject="delivery", body="seats for forty", is_seen=True,
           is_answered=True, keywords=["$Later", "Wichtig ä"])  # fmt: skip
    letter(trash, received_at=ago(now, days=1), subject="thrown", body="forty offers", is_seen=True)


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("forty", "quote invoice delivery"),
        ("FORTY seats", "quote delivery"),
        ('"forty seats"', "quote"),
        ("fort", "quote invoice delivery"),
        ('"fort"', ""),
        ('"fort*"', "quote invoice delivery"),
        ("forty -seats", "invoice"),
        ("forty -(studio OR pay)", "delivery"),
        ("studio OR chairs", "quote invoice"),
        ("-seats", "invoice"),
        ("from:amara", "quote delivery"),
        ("from:weber.example", "invoice"),
        ("from:jonas@weber.example", "invoice"),
        ("from:otto", ""),
        ("to:ines", "quote invoice delivery"),
        ("to:otto", ""),
        ("cc:otto", "invoice"),
        ("otto", "invoice"),
        ("subject:quote", "quote"),
        ("subject:forty", ""),
        ("filename:pdf", "quote"),
        ("filename:quote.pdf", "quote"),
        ("has:attachment", "quote"),
        ("-has:attachment forty", "invoice delivery"),
        ("is:unread", "quote"),
        ("is:read", "invoice delivery"),
        ("is:starred", "quote"),
        ("is:answered", "delivery"),
        ("in:inbox forty", "quote invoice"),
        ("in:offers", "delivery"),
        ("in:Clients/Offers", "delivery"),
        ("in:trash", "thrown"),
        ("in:anywhere forty", "quote thrown invoice delivery"),
        ("in:nowhere", ""),
        ("before:2026-11-22", "invoice delivery"),
        ("after:2026-11-22", "quote"),
        ("after:2026-11-21 before:2026-11-22", "invoice"),
        ("older_than:3d", "delivery"),
        ("newer_than:3d", "quote invoice"),
        ("larger:2M", "quote"),
        ("smaller:2M", "invoice delivery"),
        ("mailbox:ines", "quote invoice delivery"),
        ("mailbox:sales", ""),
        ('label:"wichtig ä"', "delivery"),
        ("label:$later", "delivery"),
        ("label:late", ""),
        ("seats OR is:read", "quote invoice delivery"),
        ("(from:weber OR is:answered) forty", "invoice delivery"),
        ("-(is:read forty)", "quote"),
        ("from:(amara OR jonas) forty -studio", "invoice delivery"),
        ("nosuch:forty", ""),
        ("---", ""),
        ("", ""),
        ("( ) OR -", ""),
    ],
)
def test_the_language_finds_newest_first(ines, mail, now, *, query, subjects):
    assert found(ines, query, now) == subjects.split()


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("from:", "from:amara"),
        ("is:blue", "is:unread"),
        ("has:hope", "has:attachment"),
        ("before:yesterday", "before:2026-11-30"),
        ("before:2026-02-30", "before:2026-11-30"),
        ("after:9999-99-99", "after:2026-11-01"),
        ("older_than:soon", "older_than:30d"),
        ("older_than:99999y", "older_than:30d"),
        ("larger:huge", "larger:5M"),
        ("in:", "in:inbox"),
        ("x " * 61, "fewer"),
        ("x" * 1001, "fewer"),
        ("(" * 30 + "x", "brackets"),
    ],
)
def test_a_bad_value_is_named_with_what_to_write_instead(ines, now, query, hint):
    with pytest.raises(BadQuery, match=hint):
        search(ines, query, now=now)


@pytest.mark.case("C23")
@pytest.mark.parametrize(
    "query",
    [
        "' OR 1=1 --", "'; DROP TABLE mailboxes_message; --", '" OR scope : mb1', 'x" OR "y', "scope:mb1", "mb1",
        "{scope} : mb2", "a NEAR(b, 2)", "^forty", "for*ty", "* OR *", "%", "_____", "fo%y", "a:*", "'a' & !'b'",
        "forty:ABCD", "a <-> b", "@1", "'@1'", "f/amara", "\\", "\\'", "a\0b", "\u0000", "x\x1ay", "&", "| &", "!!",
        "'''", '""""', "from:' OR ''='", 'from:"%"', "in:' OR 1=1 --", "in:%", "mailbox:%' OR '1'='1",
        'label:"]\' OR 1=1 --', "label:%", "larger:1;DROP", "-- comment", "/* x */", "x\ud800y", "in:\ud800", "in:a\0b",
        "label:\0", "rank:1", "ORDER BY 1",
        "subject:(forty) } : {scope", "\u202eforty", "（forty）", "forty)) OR ((scope:mb1", "NOT NOT NOT",
    ],
)  # fmt: skip
def test_what_is_typed_is_only_ever_text(ines, stranger, mail, now, *, query):
    """Nothing breaks, nothing widens: a stranger still finds nothing, the tables stand."""
    for employee in (ines, stranger):
        try:
            hits = found(employee, query, now)
        except BadQuery:
            continue
        assert set(hits) <= {"quote", "invoice", "delivery"}
        assert employee is ines or hits == []
    assert found(ines, "forty", now) == ["quote", "invoice", "delivery"]


@pytest.mark.parametrize("query", ["scope:mb1", "mb1", "@1", "%", "in:%", "label:%", "mailbox:%", "larger:0 %"])
def test_signs_of_the_database_are_no_wild_cards(ines, mail, now, *, query):
    assert found(ines, query, now) == ([] if "0 %" not in query else ["quote", "invoice", "delivery"])


# Who may find


@pytest.mark.case("C18")
def test_owner_team_mate_and_stranger_find_just_what_they_may_read(ines, jonas, stranger, mailbox, mail, now):
    for query in ("forty", "is:read", "seats OR is:read", "-nothing", "in:anywhere"):
        assert found(ines, query, now)
        assert found(jonas, query, now) == found(stranger, query, now) == []
        assert found(stranger, query, now, mailbox=mailbox) == []
    given = Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    assert found(jonas, "forty", now) == ["quote", "invoice", "delivery"]
    given.delete()
    assert found(jonas, "forty", now) == []


def test_a_search_in_one_mailbox_stays_there(ines, mail, account, now):
    other = Mailbox.objects.create(account=account, owner=ines, address="sales@acme.example", name="Sales")
    letter(folder_of(other), received_at=now, subject="sold", body="forty")
    assert found(ines, "forty", now)[0] == "sold"
    assert found(ines, "forty", now, mailbox=other) == ["sold"]
    assert found(ines, "is:unread", now, mailbox=other) == ["sold"]
    assert found(ines, "mailbox:sales forty", now) == ["sold"]


# R20, R4: what the clock shows


@pytest.mark.parametrize("query", ["forty", "is:unread", "forty OR is:starred"])
def test_a_letter_is_found_until_the_second_in_which_it_leaves_and_a_held_one_always(inbox, ines, now, query):
    letter(inbox, received_at=now, subject="plain", body="forty")
    letter(inbox, received_at=now, subject="held", body="forty", held=True)
    assert sorted(found(ines, query, now + MONTH - timedelta(seconds=1))) == ["held", "plain"]
    assert found(ines, query, now + MONTH) == ["held"]


def test_about_so_many_letters_counts_what_is_shown_alone(inbox, ines, now):  # R20, R29
    for number in range(3):
        letter(inbox, received_at=ago(now, days=number), body="forty")
    letter(inbox, received_at=ago(now, days=31), body="forty")  # left by the clock, not swept yet
    letter(inbox, received_at=ago(now, days=31), body="forty", held=True)
    assert Search(ines, "forty", now=now, mailbox=None, period=Period(30)).count() == 4
    put_in([letter(inbox, received_at=now, body="forty").pk], by=ines, now=now)
    asked = Search(ines, "forty", now=now, mailbox=None, period=Period(30))
    assert (asked.count(), asked.searched().letters) == (4, 4)
    assert Search(ines, "forty", now=now, mailbox=None, period=Period(None)).count() == 5


def test_what_lies_in_no_folder_is_not_found(inbox, ines, now):
    message = letter(inbox, received_at=now, body="forty")
    Placement.objects.filter(message=message).update(hidden_at=now)
    listing.refresh([message.conversation_id])
    assert found(ines, "forty", now) == found(ines, "-other", now) == []


# The page


def test_a_conversation_is_told_once_by_its_newest_letter_that_matches(inbox, ines, now):
    first = letter(inbox, received_at=ago(now, hours=3), subject="first", body="forty")
    letter(inbox, received_at=ago(now, hours=2), subject="second", body="forty", conversation=first.conversation)
    letter(inbox, received_at=ago(now, hours=1), subject="third", body="other", conversation=first.conversation)
    assert found(ines, "forty", now) == ["second"]


@pytest.mark.parametrize("query", ["forty", "is:unread"])
def test_pages_follow_each_other_without_repetition_across_chunks(inbox, ines, now, query):
    for number in range(130):
        letter(inbox, received_at=ago(now, minutes=number), subject=str(number), body="forty")
    pages = [search(ines, query, now=now, limit=50, offset=offset) for offset in (0, 50, 100, 150)]
    assert [len(page.hits) for page in pages] == [50, 50, 30, 0]
    assert [page.more for page in pages] == [True, True, False, False]
    assert [int(hit.message.subject) for page in pages for hit in page.hits] == list(range(130))


def test_hits_mark_the_words_as_ranges_and_never_as_html(inbox, ines, now):
    body = f"{'before ' * 60}<b>Café</b> Forty\n\n seats {'after ' * 60}"
    letter(inbox, received_at=now, subject="Forties & café", body=body)
    (hit,) = search(ines, 'cafe fort "forty seats"', now=now).hits
    assert [hit.subject.text[start:end] for start, end in hit.subject.ranges] == ["Forties", "café"]
    assert [piece for piece, is_hit in hit.excerpt.pieces() if is_hit] == ["Café", "Forty seats"]
    assert "".join(piece for piece, _ in hit.excerpt.pieces()) == hit.excerpt.text
    assert len(hit.excerpt.text) < 200
    assert hit.excerpt.text.startswith("… ")
    assert "<b>Café</b>" in hit.excerpt.text


def test_hits_in_unspaced_scripts_are_marked_too(inbox, ines, now):
    letter(inbox, received_at=now, subject="会議", body="次の会議は東京都庁です")
    (hit,) = search(ines, "東京 会議", now=now).hits
    assert hit.excerpt.text == "次の会議は東京都庁です"
    assert [piece for piece, is_hit in hit.excerpt.pieces() if is_hit] == ["会議", "東京"]


@pytest.mark.parametrize("query", ["forty", "forty is:unread", "is:unread", "forty OR is:unread"])
def test_a_page_takes_at_most_nine_queries(inbox, ines, now, django_assert_max_num_queries, query):
    for number in range(60):
        letter(inbox, received_at=ago(now, minutes=number), body="forty")
    with django_assert_max_num_queries(9):
        for hit in search(ines, query, now=now).hits:
            assert hit.conversation.mailbox.name == hit.message.mailbox.name == "Ines"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan of SQLite")
def test_the_letters_of_a_chunk_are_read_by_their_keys(inbox, ines, now, django_assert_max_num_queries):
    """Named in the query, the mailbox made SQLite read all of it for every chunk."""
    letter(inbox, received_at=now, body="forty")
    with django_assert_max_num_queries(9) as asked:
        search(ines, "forty", now=now)
    chunk = next(each["sql"] for each in asked.captured_queries if 'FROM "mailboxes_message"' in each["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {chunk}")
        assert "mailboxes_message USING INTEGER PRIMARY KEY" in cursor.fetchall()[0][3]
