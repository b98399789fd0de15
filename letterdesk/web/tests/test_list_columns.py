"""The order and the columns of CRM's lists: chosen by plain links and forms, kept by views, followed by files."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.crm.models import ListView, Phone
from letterdesk.crm.own.fields import FieldSaid, make_field
from letterdesk.crm.own.said import Said
from letterdesk.crm.own.values import own_fields_of, write_own
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import record_of


def names(answer):
    return re.findall(r'class="crm-row-name">\s*<a [^>]*><bdi[^>]*>([^<]*)<', answer.content.decode())


def heads(answer):
    """Each column of the list: its name, the address behind it, how the list stands by it."""
    found = {}
    for order, inner in re.findall(r'<th scope="col"[^>]*?(?: aria-sort="(\w+)")?>(.*?)</th>', answer.content.decode()):
        link = re.search(r'href="([^"]*)"', inner)
        label = re.sub(r"<[^>]*>|[↑↓]", "", inner).strip()
        found[label] = (unescape(link[1]) if link else "", order)
    return found


@pytest.fixture
def seats(people):
    make_field("deal", FieldSaid("Seats"), type="number", by=people["administrator"])
    make_field("deal", FieldSaid("Story"), type="long", by=people["administrator"])
    return own_fields_of(people["administrator"].account, "deal")[0]


@pytest.fixture
def deals(ines, seats):
    stage, now = stages_of(ines.account, "deal")[0], timezone.now()
    made = {}
    for place, (name, amount, many) in enumerate((("Roof", 300, 9), ("attic", None, 40), ("Cellar", 20, None))):
        deal = record_of(
            ines, name, kind="deal", stage=stage, amount=amount and Decimal(amount),
            active_at=now - timedelta(days=place), created_at=now - timedelta(days=9 - place),
        )  # fmt: skip
        if many is not None:
            write_own(deal, {seats: Said(number=Decimal(many))})
        made[name] = deal
    return made


def test_a_click_on_a_column_puts_the_list_in_its_order_and_the_next_one_turns_it(browser, deals):
    page = browser.get("/crm/deals")
    assert names(page) == ["Roof", "attic", "Cellar"]
    assert heads(page)["Last activity"] == ("?sort=active", "descending")
    assert heads(page)["Amount"] == ("?sort=-amount", "none")  # the largest first
    by_name = browser.get(f"/crm/deals{heads(page)['Name'][0]}")
    assert (names(by_name), heads(by_name)["Name"]) == (["attic", "Cellar", "Roof"], ("?sort=-name", "ascending"))
    turned = browser.get("/crm/deals?sort=-name")
    assert (names(turned), heads(turned)["Name"]) == (["Roof", "Cellar", "attic"], ("?sort=name", "descending"))
    assert names(browser.get("/crm/deals?sort=amount")) == ["Cellar", "Roof", "attic"]
    assert names(browser.get("/crm/deals?sort=-amount")) == ["Roof", "Cellar", "attic"]
    assert names(browser.get("/crm/deals?sort=created")) == ["Roof", "attic", "Cellar"]
    for nonsense in ("x", "-", "own-x", "position", "--name"):
        assert names(browser.get(f"/crm/deals?sort={nonsense}")) == ["Roof", "attic", "Cellar"]
    assert names(browser.get("/crm/contacts?sort=amount")) == []


def test_own_fields_are_columns_and_have_an_order(browser, deals, seats):
    column = f"own-{seats.public_id}"
    page = browser.get(f"/crm/deals?column=stage&column={column}&sort={column}&q=e")
    assert list(heads(page)) == ["Name", "Stage", "Seats"] and heads(page)["Seats"][1] == "ascending"
    assert f"sort=-{column}" in heads(page)["Seats"][0] and "q=e" in heads(page)["Seats"][0]
    page = browser.get(f"/crm/deals?sort=-{column}")
    assert names(page) == ["attic", "Roof", "Cellar"] and "Seats" not in heads(page)
    story = own_fields_of(seats.account, "deal")[1]
    page = browser.get(f"/crm/deals?column=own-{story.public_id}&sort=own-{story.public_id}")
    assert heads(page)["Story"] == ("", "") and names(page) == ["Roof", "attic", "Cellar"]


def test_pages_of_an_order_go_on_in_it_and_ask_the_same(browser, ines, deals, seats):
    stage, column = stages_of(ines.account, "deal")[0], f"own-{seats.public_id}"
    for number in range(60):
        deal = record_of(ines, f"Deal {number:02}", kind="deal", stage=stage, amount=Decimal(number))
        write_own(deal, {seats: Said(number=Decimal(number))})
    for sort, most in (("", 15), ("name", 15), ("-amount", 15), ("responsible", 15), ("stage", 16), (column, 16)):
        address, found = f"/crm/deals?sort={sort}&column={column}", []
        while address:
            with CaptureQueriesContext(connection) as queries:
                page = browser.get(address)
            assert len(queries) <= most + 1, sort  # one for what the own field says
            found += names(page)
            older = re.search(r'href="(\?[^"]*before=[^"]*)"', page.content.decode())
            address = f"/crm/deals{unescape(older[1])}" if older else ""
        assert len(found) == len(set(found)) == 63, sort
    assert browser.get("/crm/deals?sort=amount&before=x").status_code == 302


def test_a_file_has_the_order_of_the_list(browser, deals):
    page = browser.get("/crm/deals?sort=-name")
    link = re.search(r'href="(/crm/deals/export\?form=csv[^"]*)"', page.content.decode())
    lines = browser.get(unescape(link[1])).content.decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["Roof", "Cellar", "attic"]


def test_columns_are_chosen_on_this_device_for_each_kind(browser, ines, deals):
    record_of(ines, "Amara")
    assert list(heads(browser.get("/crm/deals"))) == [
        "Name", "Stage", "Amount", "Labels", "Responsible", "Last activity",
    ]  # fmt: skip
    answer = browser.get("/crm/deals?who=me&sort=name&columns=device&column=created&column=nothing")
    assert answer["Location"] == "/crm/deals?who=me&sort=name"
    assert list(heads(browser.get(answer["Location"]))) == ["Name", "Made"]
    assert "Made" not in heads(browser.get("/crm/contacts"))
    browser.get("/crm/deals?columns=device")
    assert list(heads(browser.get("/crm/deals"))) == ["Name"]
    assert browser.get("/crm/deals?columns=usual")["Location"] == "/crm/deals"
    assert "Amount" in heads(browser.get("/crm/deals"))


def test_a_view_keeps_order_and_columns_for_everyone(browser, sign_in, people, deals):
    browser.get("/crm/deals?columns=device&column=created")
    page = browser.get("/crm/deals?sort=-amount")
    assert "Keep as a view" in page.content.decode()
    kept = unescape(re.search(r'name="query" value="([^"]*)"', page.content.decode())[1])
    browser.post("/crm/views", {"of": "deals", "query": kept, "name": "Largest", "share": "all"})
    assert ListView.objects.get().query == "column=created&column=name&sort=-amount"
    administrator = sign_in(people["administrator"])
    page = administrator.get(f"/crm/deals?{kept}")
    assert list(heads(page)) == ["Name", "Made"] and names(page) == ["Roof", "Cellar", "attic"]
    assert "View “Largest”" in page.content.decode()
    assert "Amount" in heads(administrator.get("/crm/deals"))  # what a view shows is no choice of the device
    answer = administrator.get(f"/crm/deals?{kept}&columns=here")
    assert answer["Location"] == "/crm/deals?sort=-amount&column=name&column=created"
    assert "columns_deals" not in administrator.cookies


def test_a_telephone_is_asked_for_where_it_is_shown(browser, ines):
    for number in range(3):
        record = record_of(ines, f"Person {number}")
        Phone.objects.create(account=ines.account, record=record, number=f"+49 30 {number}")
    page = browser.get("/crm/contacts?column=phone&column=position&column=source&column=labels")
    assert "+49 30 2" in page.content.decode()
    assert list(heads(page)) == ["Name", "Position", "Telephone", "Labels", "Source"]
