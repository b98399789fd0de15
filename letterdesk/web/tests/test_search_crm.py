"""The one search field finds what stands in CRM beside conversations, and the operators that ask for it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mailboxes import in_crm
from letterdesk.mailboxes.models import Message
from letterdesk.team.comments import add as add_comment

from .conftest import raw_letter


def text(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def amara(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


@pytest.fixture
def offer(deliver, amara):
    """A letter in Webmail that stands at Amara."""
    [letter] = deliver(raw_letter("Offer", text="forty standing desks"))
    activity_at(amara, letter=letter)
    in_crm.mark(letter.account_id, [letter.pk])
    return letter


def test_records_stand_above_the_conversations_and_on_a_page_of_their_own(browser, offer, amara):
    page = text(browser.get("/search?q=amara"))
    assert f'href="/crm/records/{amara.public_id}"' in page and 'class="row"' in page
    assert "<mark>Amara</mark> Okafor" in page and "Letters in CRM that are not in your mailboxes" not in page
    page = text(browser.get("/search?q=desks&show=crm"))
    assert "Letters in CRM" in page and "<mark>desks</mark>" in page and 'class="row"' not in page


def test_a_letter_that_webmail_has_let_go_is_found_where_it_still_is(browser, offer):
    """R7, R8"""
    Message.objects.filter(pk=offer.pk).delete()
    page = text(browser.get("/search?q=desks"))
    assert "Letters in CRM that are not in your mailboxes" in page and "/crm/activities/" in page
    assert "Nothing found" not in page


def test_others_find_nothing_of_it(sign_in, offer, amara, jonas, stranger):
    """P9"""
    Message.objects.filter(pk=offer.pk).delete()
    for outsider in (jonas, stranger):
        client = sign_in(outsider)
        for address in ("/search?q=okafor", "/search?q=desks&show=crm", "/search?q=in:crm", "/search?q=contact:amara",
                        "/search/suggestions?q=okaf", "/palette?q=okaf"):  # fmt: skip
            page = text(client.get(address))
            assert "Okafor" not in page and "Offer" not in page, address


def test_confined_to_a_mailbox_it_shows_nothing_of_crm(browser, offer, mailbox):
    page = text(browser.get(f"/search?q=amara&mailbox={mailbox.public_id}"))
    assert "/crm/records/" not in page and "show=crm" not in page


def test_the_field_and_the_palette_offer_records_while_one_types(browser, amara):
    for address in ("/search/suggestions?q=okaf", "/palette?q=okaf"):
        assert f"/crm/records/{amara.public_id}" in text(browser.get(address))


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("in:crm", 1), ("contact:amara", 1), ('contact:"amara okafor"', 1), ("deal:amara", 0), ("-contact:amara", 1),
        ("contact:amara desks", 1), ("comment:refund", 1), ("comment:refund is:unread", 1), ("comment:nothing", 0),
        ("-comment:refund", 1), ("comment:refund OR contact:amara", 2), ("comment:refund forty", 0),
    ],
)  # fmt: skip
def test_operators_ask_for_what_other_rooms_know(browser, offer, deliver, ines, now, query, rows):
    [other] = deliver(raw_letter("Complaint"))
    add_comment(other.conversation, "Give them a refund", by=ines, now=now)
    page = text(browser.get("/search", {"q": query}))
    assert page.count('class="row"') == rows
    if query == "comment:refund":
        assert "Give them a <mark>refund</mark>" in page and "Comment: refund" in page
    if query == "contact:amara":
        assert "Contact: amara" in page and "/crm/records/" in page


def test_an_operator_without_a_value_says_what_to_type(browser):
    assert "comment:refund" in text(browser.get("/search?q=comment:"))


def test_pages_of_crm_go_on_and_what_is_left_out_is_told(browser, ines, amara, monkeypatch):
    for number in range(6):
        activity_at(record_of(ines, f"Amara {number}", f"a{number}@x.example"), subject=f"Amara writes {number}")
    monkeypatch.setattr("letterdesk.web.search.page.PAGE", 4)
    page = text(browser.get("/search?q=amara"))
    assert 'href="/search?q=amara&amp;show=crm"' in page and "All in CRM" in page
    page = text(browser.get("/search?q=amara&show=crm"))
    assert page.count('class="found-record"') == 8 and "More results" in page and "do not have" not in page
    page = text(browser.get("/search?q=amara&show=crm&from=4"))
    assert page.count('class="found-record"') == 5 and "More results" not in page
    page = text(browser.get("/search?q=amara+is:unread&show=crm"))
    assert "Nothing of CRM is shown" in page
    page = text(browser.get("/search?q=amara+OR+is:unread&show=crm"))
    assert "A part of the search was left out" in page and "found-record" in page
    assert "No records are shown" in text(browser.get("/search?q=amara+has:attachment&show=crm"))
    assert "No letters in CRM are shown" in text(browser.get("/search?q=amara+label:x&show=crm"))
    assert text(browser.get("/search?q=is:unread&show=crm")).count("“is:unread” was not looked for in CRM") == 1


def test_where_the_letters_of_crm_were_not_all_looked_through_nothing_is_not_said(browser, ines, amara, monkeypatch):
    """Neither above the conversations nor on the page of CRM, which looks further."""
    activity_at(amara, subject="Amara writes", has_attachments=True)
    monkeypatch.setattr("letterdesk.crm.search.letters.FEW", 0)
    monkeypatch.setattr("letterdesk.web.crm.search.LOOKED_AT_BESIDE", 1)
    for number in range(2):
        activity_at(record_of(ines, f"Bert {number}"), subject="Bert writes")
    query = {"q": "subject:writes has:attachment"}
    page = text(browser.get("/search", query))
    assert "Nothing found yet" in page and "Nothing found for" not in page
    assert "the newest 1 were looked through" in page and "Look through more of them" in page and "show=crm" in page
    assert "<mark>writes</mark>" in text(browser.get("/search", {**query, "show": "crm"}))
    monkeypatch.setattr("letterdesk.web.crm.search.MOST_LOOKED_AT", 2)
    page = text(browser.get("/search", {**query, "show": "crm"}))
    assert "Nothing found yet" in page and "the newest 2 were looked through. Add a word" in page
    page = text(browser.get("/search", {"q": "subject:writes nobody", "show": "crm"}))
    assert "Nothing found for" in page


def test_where_pages_end_before_what_was_found_they_say_so(browser, ines, amara, monkeypatch):
    for number in range(6):
        record_of(ines, f"Amara {number}")
    monkeypatch.setattr("letterdesk.web.search.page.PAGE", 2)
    monkeypatch.setattr("letterdesk.web.search.paging.DEEPEST", 4)
    page = text(browser.get("/search?q=amara&show=crm"))
    assert "More results" in page and "there are more" not in page
    page = text(browser.get("/search?q=amara&show=crm&from=2"))
    assert "More results" not in page and "The first 4 are shown, and there are more." in page
    assert "There is nothing more" in text(browser.get("/search?q=okafor&show=crm&from=2"))
    assert "letters kept here" not in page and "Searched contacts" in page


def test_on_the_page_of_crm_a_wider_search_counts_what_crm_has(browser, amara):
    page = text(browser.get("/search?q=amara+nothing&show=crm"))
    assert "Without “nothing”" in page and "1 in CRM" in page and "show=crm" in page
    assert "Without “nothing”" not in text(browser.get("/search?q=amara+nothing"))  # there is no conversation


def test_lists_to_choose_a_record_from_say_where_they_end(browser, ines, amara, monkeypatch):
    """The same that are offered for an activity, a letter, a task, and to merge with."""
    activity, other = activity_at(amara), record_of(ines, "Amara Bello")
    addresses = (f"/crm/activities/{activity.public_id}/places", f"/crm/records/{other.public_id}/merging")
    for most, is_cut in ((9, False), (1, True)):
        record_of(ines, f"Amara {most}")
        monkeypatch.setattr("letterdesk.web.crm.letter.MOST_FOUND", most)
        monkeypatch.setattr("letterdesk.web.crm.duplicates.MOST_FOUND", most)
        for address in addresses:
            page = text(browser.get(f"{address}?q=amara"))
            assert ("The 1 that were active last are shown." in page) == is_cut and "Amara" in page


def test_takes_few_queries_however_much_crm_has(browser, ines, amara, offer):
    for number in range(40):
        activity_at(record_of(ines, f"Amara {number}", f"a{number}@x.example"), subject=f"Amara writes {number}")
    for show, most in (("", 40), ("crm", 34)):
        browser.get("/search", {"q": "amara"})
        with CaptureQueriesContext(connection) as asked:
            page = text(browser.get("/search", {"q": "amara", "show": show}))
        assert "<mark>Amara</mark> writes" in page and len(asked) <= most, len(asked)
