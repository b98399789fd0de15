"""Where the plan has no Webmail (R2), the search page and its field find records and letters in CRM (R8)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mailboxes.models import SavedSearch
from letterdesk.mailboxes.search.saved import save
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.models import Subscription

from .conftest import raw_letter


def text(answer):
    return " ".join(answer.content.decode().split())


def start_on_free(account, now):
    Subscription.objects.filter(account=account).update(plan="free")


def go_down(account, now):
    change_plan(account, "free", by=None, now=now - timedelta(days=1))


def end_trial(account, now):
    """By the clock: no job has run, the letters of Webmail lie there yet (R11)."""
    trial = {"plan": "demo", "trial_started_at": now - timedelta(days=30)}
    Subscription.objects.filter(account=account).update(**trial)
    choose_next(account, "project", at=None, by=None, now=now - timedelta(days=1))


@pytest.fixture
def amara(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


@pytest.fixture
def kept(amara, deliver):
    """A letter that lies in Webmail and stands in CRM, and one that lies in Webmail alone."""
    letter, _other = deliver(raw_letter("Offer", text="forty standing desks"), raw_letter("Private", text="desks"))
    return activity_at(amara, letter=letter)


@pytest.fixture(params=[start_on_free, go_down, end_trial])
def without(request, account, kept, now):
    """An account that has no Webmail, never had, or has no longer."""
    request.param(account, now)
    return kept


def test_the_search_finds_what_stands_in_crm_and_nothing_of_webmail(browser, without, amara):
    page = text(browser.get("/search?q=desks"))
    assert f"/crm/activities/{without.public_id}" in page and "<mark>desks</mark>" in page
    assert "Private" not in page and 'class="row"' not in page
    assert f"/crm/records/{amara.public_id}" in text(browser.get("/search?q=okafor"))
    for query in ("from:amara has:attachment OR subject:offer", "in:crm desks", "contact:amara"):
        assert f"/crm/activities/{without.public_id}" in text(browser.get("/search", {"q": query})), query


def test_the_page_says_what_is_searched_and_leads_to_the_plans(browser, account, kept, now):
    before = text(browser.get("/search"))
    assert "Mailboxes are not searched" not in before and "Search mail" in before
    go_down(account, now)
    for address in ("/search", "/search?q=desks", "/search?q=nothing"):
        page = text(browser.get(address))
        assert "Mailboxes are not searched: your plan has no Webmail." in page and 'href="/plans"' in page
        assert "the letters that stand there" in page and "Search CRM" in page and "Search mail" not in page
        assert 'name="is"' not in page and "All I can see" not in page and "letters kept here" not in page


def test_what_is_asked_of_webmail_is_refused_with_the_way_out(browser, without, mailbox):
    """R2, R3"""
    for rest in ("show=people", "show=files", "show=comments", f"mailbox={mailbox.public_id}", "mailbox=unknown"):
        answer = browser.get(f"/search?q=desks&{rest}")
        assert answer.status_code == 403 and "Compare the plans" in answer.content.decode(), rest
    answer = browser.get("/search?build=1&words=desks&from=amara")
    assert answer.status_code == 302 and answer["Location"].startswith("/search?q=desks")


def test_others_find_nothing_of_it(sign_in, without, jonas, stranger):
    """P9"""
    for outsider in (jonas, stranger):
        for address in ("/search?q=okafor", "/search?q=desks", "/search/suggestions?q=okaf", "/palette?q=okaf"):
            page = text(sign_in(outsider).get(address))
            assert "Amara" not in page and "Offer" not in page, address


def test_saved_searches_stay_manageable(browser, ines, without, now):
    view = save(ines, "desks", name="My desks", now=now)
    assert "My desks" in text(browser.get("/search")) and "My desks" in text(browser.get("/search/suggestions?q=desk"))
    assert "My desks" in text(browser.get("/search?q=desks"))  # that this one is saved
    browser.post("/searches", {"q": "okafor", "name": "Amara's", "share": "all"})
    assert "Amara&#x27;s" in text(browser.get("/search"))
    browser.post(f"/searches/{view.public_id}", {"name": "Their desks", "share": ""})
    browser.post(f"/searches/{view.public_id}/place", {"to": "down"})
    assert "Their desks" in text(browser.get("/search"))
    browser.post(f"/searches/{view.public_id}/removal")
    assert set(SavedSearch.objects.filter(is_saved=True).values_list("name", flat=True)) == {"Amara's"}


def test_the_field_and_the_palette_offer_records_and_nothing_of_webmail(browser, without, amara):
    for address in ("/search/suggestions?q=amar", "/palette?q=amar"):
        page = text(browser.get(address))
        assert f"/crm/records/{amara.public_id}" in page and "q=from" not in page
    assert "Private" not in text(browser.get("/search/suggestions?q=priv"))
    page = text(browser.get("/palette?q=in"))
    assert "Search CRM for “in”" in page and 'href="/search?q=in"' in page and "/mail/" not in page


def test_pages_go_on_and_a_query_that_cannot_be_read_says_so(browser, ines, account, now, monkeypatch):
    start_on_free(account, now)
    for number in range(6):
        record_of(ines, f"Amara {number}")
    monkeypatch.setattr("letterdesk.web.search.crm_alone.PAGE", 4)
    page = text(browser.get("/search?q=amara"))
    assert page.count('class="found-record"') == 4 and 'href="/search?q=amara&amp;from=4"' in page
    page = text(browser.get("/search?q=amara&from=4"))
    assert page.count('class="found-record"') == 2 and "More results" not in page
    answer = browser.get("/search?q=before:someday")
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    page = text(browser.get("/search?q=amara nothing"))
    assert "Nothing found" in page and "Without “nothing”" in page and "at least 4 in CRM" in page


def test_it_takes_few_queries(browser, ines, account, kept, now):
    go_down(account, now)
    for number in range(20):
        activity_at(record_of(ines, f"Amara {number}"), subject=f"Amara writes {number}")
    browser.get("/search?q=amara")
    with CaptureQueriesContext(connection) as asked:
        assert "<mark>Amara</mark> writes" in text(browser.get("/search?q=amara"))
    assert len(asked) <= 28, len(asked)
