"""The search page: what it finds, how it says what it did, and whose searches are shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.mailboxes.models import SavedSearch
from letterdesk.web.search.words import built, chips, for_server, in_words
from letterdesk.web.tests.conftest import raw_letter


def text(answer):
    return " ".join(answer.content.decode().split())


def test_finds_words_and_marks_them_as_text(browser, deliver):
    deliver(raw_letter("Offer <b>desks</b>", text="forty standing desks"), raw_letter("Other"))
    page = text(browser.get("/search?q=desks"))
    assert page.count('class="row"') == 1
    assert "<mark>desks</mark>" in page and "<b>" not in page
    assert "Nothing found for" in text(browser.get("/search?q=xyzzy"))


def test_a_query_that_cannot_be_read_says_what_to_type(browser):
    answer = browser.get("/search?q=before:someday")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_leaves_out_other_peoples_mailboxes(sign_in, deliver, jonas, stranger):
    deliver(raw_letter("Secret desks", files=[("secret.pdf", "application/pdf", b"%PDF", "")]))
    for outsider in (jonas, stranger):
        client = sign_in(outsider)
        for show in ("", "people", "files"):
            page = text(client.get("/search", {"q": "desks", "show": show}))
            assert "Secret" not in page and "secret.pdf" not in page and "okafor" not in page
        assert "Secret" not in text(client.get("/search/suggestions?q=sec"))


def test_people_and_files_are_groups_of_their_own(browser, deliver):
    deliver(raw_letter("Desks", files=[("plan.pdf", "application/pdf", b"%PDF", "")]), raw_letter("Desks again"))
    assert "amara@okafor.example" in text(browser.get("/search?q=desks&show=people"))
    assert "2 letters" in text(browser.get("/search?q=desks&show=people"))
    assert "plan.pdf" in text(browser.get("/search?q=desks&show=files"))


def test_people_and_files_say_where_they_end(browser, deliver, monkeypatch):
    for number in range(3):
        file = (f"{number}.pdf", "application/pdf", b"%PDF", "")
        deliver(raw_letter("Desks", sender=f"a{number}@x.example", files=[file]))
    for show in ("people", "files"):
        page = text(browser.get(f"/search?q=desks&show={show}"))
        assert "there are more" not in page and "Taken from" not in page
        with monkeypatch.context() as short:
            short.setattr("letterdesk.web.search.page.PAGE", 2)
            page = text(browser.get(f"/search?q=desks&show={show}"))
            assert page.count('class="found-line"') == 2 and "The first 2 are shown, and there are more." in page
        with monkeypatch.context() as short:
            short.setattr("letterdesk.mailboxes.search.letters.MOST_LOOKED_AT", 2)
            page = text(browser.get(f"/search?q=desks&show={show}"))
            assert page.count('class="found-line"') == 2 and "Taken from the newest 2 letters that fit." in page


def test_says_how_many_letters_were_searched_and_since_when(browser, deliver, now):
    deliver(raw_letter("Desks"), raw_letter("Chairs"), at=now - timedelta(days=3))
    assert "Searched 2 letters kept here since" in text(browser.get("/search?q=desks"))


def test_where_nothing_is_found_each_part_can_be_left_out(browser, deliver):
    deliver(raw_letter("Desks"), raw_letter("Desks two"))
    page = text(browser.get("/search?q=desks from:nobody"))
    assert "Without “From: nobody”" in page and "2 conversations" in page
    assert "Without “desks”" not in page  # would find nothing either


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('from:"Amara Okafor" has:attachment -draft', ["From: Amara Okafor", "with files", "-draft"]),
        ("desks OR chairs", []),
        ("(desks OR chairs) is:unread", ["(desks OR chairs)", "unread"]),
        ("-from:ana x", ["not: From: ana", "x"]),
        ("from: ana b", ["From: ana", "b"]),
        ("word", []),
        ('"open phrase', []),
    ],
)
def test_the_parts_of_a_query_are_chips(query, words):
    assert [chip.text for chip in chips(query, lambda rest: rest)] == words


def test_a_chip_taken_away_leaves_the_others():
    assert [chip.without for chip in chips('from:"a b" (c OR d) e', lambda rest: rest)] == [
        "(c OR d) e",
        'from:"a b" e',
        'from:"a b" (c OR d)',
    ]
    assert in_words("nonsense:x") == "nonsense:x"


def test_what_is_not_here_can_be_asked_from_the_server(browser, mailbox, deliver):
    deliver(raw_letter("Desks"))
    page = text(browser.get(f"/search?q=from:ana chairs&mailbox={mailbox.public_id}"))
    assert f'action="/mailboxes/{mailbox.public_id}/where"' in page and 'name="q" value="ana"' in page
    assert for_server("forty desks has:attachment -draft") == ("forty desks", "subject")
    assert for_server("is:unread") == ("", "")


def test_the_form_for_those_who_do_not_type_makes_a_query(browser):
    fields = {"build": "1", "words": "desks", "from": "Amara Okafor", "has": "1", "is": "unread", "without": "draft x"}
    assert built(fields) == 'desks from:"Amara Okafor" -draft -x has:attachment is:unread'
    answer = browser.get("/search", {**fields, "mailbox": ""})
    assert answer.status_code == 302 and "build" not in answer["Location"]


def test_searches_are_remembered_saved_and_forgotten_for_oneself_alone(browser, sign_in, jonas, ines, deliver):
    deliver(raw_letter("Desks"))
    for number in range(30):
        browser.get(f"/search?q=word{number}")
    assert SavedSearch.objects.visible_to(ines).count() == 20
    browser.post("/searches", {"q": "word1", "name": "My desks"})
    assert "My desks" in text(browser.get("/search"))
    assert "My desks" in text(browser.get("/search/suggestions?q=desk"))
    assert "My desks" not in text(sign_in(jonas).get("/search"))
    kept = SavedSearch.objects.get(name="My desks")
    assert sign_in(jonas).post(f"/searches/{kept.public_id}/removal").status_code == 404
    browser.post(f"/searches/{kept.public_id}/removal")
    assert "My desks" not in text(browser.get("/search"))


def test_suggestions_are_people_and_subjects(browser, deliver):
    deliver(raw_letter("Standing desks"))
    assert "amara@okafor.example" in text(browser.get("/search/suggestions?q=ama"))
    assert "Standing desks" in text(browser.get("/search/suggestions?q=stand"))


def test_names_with_markup_are_text_everywhere(browser, deliver):
    """C05"""
    letter = raw_letter("<i>desks</i>", sender='"<img src=x>" <a@b.example>',
                        files=[("<img src=y>.pdf", "application/pdf", b"%PDF", "")])  # fmt: skip
    deliver(letter)
    for address in ("/search?q=desks", "/search?q=desks&show=people", "/search?q=desks&show=files",
                    "/search/suggestions?q=des", "/search?q=%3Ci%3E x", "/palette?q=img"):  # fmt: skip
        page = text(browser.get(address))
        assert "<img src=x" not in page and "<img src=y" not in page and "<i>" not in page


@pytest.mark.parametrize("show", ["", "people", "files", "crm"])
def test_takes_few_queries_whatever_is_found(browser, deliver, show):
    deliver(*(raw_letter(f"Desks {number}") for number in range(60)))
    browser.get("/search", {"q": "desks"})
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/search", {"q": "desks", "show": show}).status_code == 200
    assert len(asked) <= 30
