"""CRM in the browser, with no script at all: its lists, and the page of a record (W6)."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.crm.models import Pipeline, Stage
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.plans.models import Subscription
from letterdesk.web.tests.conftest import raw_letter

DAY = timedelta(days=1)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def names(answer):
    return re.findall(r'class="crm-row-name">\s*<a [^>]*><bdi[^>]*>([^<]*)<', answer.content.decode())


def asked(browser, address, **headers):
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address, headers=headers).status_code == 200
    return len(queries)


@pytest.fixture
def stage(account):
    pipeline = Pipeline.objects.create(account=account, kind="deal", name="Deals")
    return Stage.objects.create(account=account, pipeline=pipeline, name="Proposal")


def test_a_list_has_its_kind_alone_and_what_was_active_last_first(browser, ines):
    now = timezone.now()
    record_of(ines, "Old", active_at=now - DAY)
    record_of(ines, "New", active_at=now)
    record_of(ines, "Okafor Studio", kind="company")
    record_of(ines, "Gone", deleted_at=now)
    assert names(browser.get("/crm/contacts")) == ["New", "Old"]
    assert names(browser.get("/crm/companies")) == ["Okafor Studio"]
    assert browser.get("/crm/others").status_code == 404


def test_words_people_and_stages_narrow_a_list(browser, sign_in, people, ines, jonas, stage):
    record_of(ines, "Amara Okafor", "amara@okafor.example")
    record_of(ines, "Jonas Weber")
    record_of(ines, "40 seats", kind="deal", stage=stage)
    record_of(ines, "Old offer", kind="deal")
    assert names(browser.get("/crm/contacts?q=OKAFOR.ex")) == ["Amara Okafor"]
    assert names(browser.get("/crm/contacts?q=weber+jon")) == ["Jonas Weber"]
    assert names(browser.get(f"/crm/deals?stage={stage.public_id}")) == ["40 seats"]
    assert names(browser.get("/crm/deals?stage=open")) == ["40 seats"]
    assert "Nothing fits" in text_of(browser.get("/crm/contacts?q=nobody"))
    administrator = sign_in(people["administrator"])
    assert len(names(administrator.get("/crm/contacts"))) == 2
    assert names(administrator.get("/crm/contacts?who=me")) == []
    assert len(names(administrator.get(f"/crm/contacts?who={ines.public_id}"))) == 2


def test_a_list_and_its_board_keep_what_they_are_filtered_by(browser, ines, stage):
    page = browser.get(f"/crm/deals?q=seats&who=me&stage={stage.public_id}&sort=name").content.decode()
    assert 'href="/crm/deals?view=board&amp;q=seats&amp;who=me"' in page
    page = browser.get("/crm/deals?view=board&q=seats&who=me").content.decode()
    assert 'href="/crm/deals?q=seats&amp;who=me"' in page


def test_a_long_list_comes_page_by_page_and_asks_the_same(browser, ines, stage):
    company = record_of(ines, "Okafor Studio", kind="company")
    record_of(ines, "First", "first@okafor.example", kind="deal", company=company, stage=stage)
    few = asked(browser, "/crm/deals")
    for number in range(50):
        record_of(ines, f"Deal {number}", f"d{number}@okafor.example", kind="deal", company=company, stage=stage)
    assert asked(browser, "/crm/deals") == few <= 15
    page = browser.get("/crm/deals")
    older = re.search(r'href="(\?before=[^"]*)"', page.content.decode())[1]
    assert (len(names(page)), names(browser.get(f"/crm/deals{older}"))) == (50, ["First"])
    assert browser.get("/crm/deals?before=x").status_code == 302


def test_an_empty_list_says_what_to_do(browser):
    assert "Add one, or make one from a letter" in text_of(browser.get("/crm/contacts"))


def test_the_name_of_a_company_that_one_may_not_see_is_not_told(browser, ines, jonas):
    secret = record_of(jonas, "Secret Holding", kind="company")
    contact = record_of(ines, "Amara", company=secret)
    for address in ("/crm/contacts", f"/crm/records/{contact.public_id}"):
        assert "Secret" not in text_of(browser.get(address))


# The page of a record


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example", "a.okafor@home.example")


def test_the_page_has_fields_letters_grouped_by_conversation_and_deals(browser, ines, contact, stage, deliver):
    letter = deliver(raw_letter("Offer"))[0]
    first = activity_at(contact, letter=letter)
    activity_at(contact, thread=first.thread, subject="Re: Offer", received_at=timezone.now())
    record_of(ines, "40 seats", kind="deal", contact=contact, stage=stage, amount=Decimal(4200), currency="EUR")
    page = text_of(browser.get(f"/crm/records/{contact.public_id}"))
    for said in ("Amara Okafor", "a.okafor@home.example", "2 letters", "40 seats", "4,200 EUR", "Proposal"):
        assert said in page
    assert browser.get(f"/crm/records/{contact.public_id}").content.decode().count('class="crm-talk"') == 1


def test_a_company_shows_its_people_and_their_letters(browser, ines, contact):
    company = record_of(ines, "Okafor Studio", kind="company")
    type(contact).objects.filter(pk=contact.pk).update(company=company)
    activity_at(contact, company, subject="Offer for both")
    page = text_of(browser.get(f"/crm/records/{company.public_id}"))
    assert "Amara Okafor" in page and "Offer for both" in page


def test_it_is_read_where_there_is_no_webmail(browser, account, contact):
    """R8, R2: CRM stays when Webmail goes."""
    activity_at(contact, subject="Kept for ever")
    Subscription.objects.filter(account=account).update(plan="free")
    assert browser.get("/mail").status_code == 403
    for address in ("/crm/activities", f"/crm/records/{contact.public_id}"):
        assert "Kept for ever" in text_of(browser.get(address))


def test_the_page_asks_the_same_however_many_letters_it_has(browser, ines, contact):
    few = record_of(ines, "Few")
    for record, count in ((few, 2), (contact, 20)):
        for number in range(count):
            activity_at(record, subject=f"Letter {number}")
    addresses = [f"/crm/records/{record.public_id}" for record in (few, contact)]
    assert asked(browser, addresses[0]) == asked(browser, addresses[1]) <= 18


def test_past_its_thirty_days_in_the_bin_it_is_gone(browser, contact):
    for days, status in ((29, 200), (31, 404)):
        type(contact).objects.filter(pk=contact.pk).update(deleted_at=timezone.now() - days * DAY)
        assert browser.get(f"/crm/records/{contact.public_id}").status_code == status
    type(contact).objects.filter(pk=contact.pk).update(deleted_at=timezone.now())
    assert names(browser.get("/crm/bin")) == ["Amara Okafor"]


def test_the_palette_finds_records_that_one_may_see(browser, ines, jonas):
    mine = record_of(ines, "Amara Okafor", "amara@okafor.example")
    record_of(jonas, "Okafor of Jonas")
    page = browser.get("/palette?q=okafor").content.decode()
    assert f"/crm/records/{mine.public_id}" in page and "of Jonas" not in page


def test_the_page_of_a_record_asks_the_same_however_much_there_is(browser, ines, stage):
    now = timezone.now()
    company = record_of(ines, "Okafor Studio", "hi@okafor.example", kind="company")
    address = f"/crm/records/{company.public_id}"
    empty = asked(browser, address)
    for number in range(60):
        activity_at(company, subject=f"Letter {number}", received_at=now - number * DAY)
    for number in range(20):
        record_of(ines, f"Person {number}", f"{number}@okafor.example", company=company)
        record_of(ines, f"Deal {number}", kind="deal", company=company, stage=stage)
    assert "Letter 49" in text_of(browser.get(address))
    assert "Letter 50" not in text_of(browser.get(address))
    assert asked(browser, address) <= empty + 1 <= 20  # more: whether one of the letters is in Webmail
