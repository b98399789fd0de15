"""Views of CRM's lists: filters under a name, for oneself or everyone, each person in an order of their own."""

import re

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import ListView
from letterdesk.crm.own.fields import FieldSaid, delete_field, make_field
from letterdesk.crm.records import labels
from letterdesk.crm.records.views import MOST, BadView, query_of, save, views_of
from letterdesk.crm.tests.seeding import record_of
from letterdesk.plans.models import Subscription


def text(answer):
    return " ".join(answer.content.decode().split())


def names(client, address="/crm/contacts"):
    tabs = re.search(
        r'<nav class="tabs" aria-label="Views">(.*?)</nav>', client.get(address).content.decode(), re.DOTALL
    )
    return re.findall(r"<bdi>([^<]*)</bdi>", tabs[1]) if tabs else []


def keep(client, query, name, **more):
    return client.post("/crm/views", {"of": "contacts", "query": query, "name": name, **more})


def test_a_list_is_kept_under_a_name_with_all_that_it_is_filtered_by(browser, ines):
    record_of(ines, "Amara Okafor")
    page = text(browser.get("/crm/contacts?who=me&q=ama&before="))
    assert 'name="query" value="q=ama&amp;who=me"' in page
    answer = keep(browser, "who=me&q=ama&before=1.2&f_x=a&f_x=b&stage=", "Mine")
    assert answer["Location"] == "/crm/contacts?f_x=a&f_x=b&q=ama&who=me"  # also what other builds filter by
    assert names(browser) == ["Mine"] and names(browser, "/crm/leads") == []
    page = text(browser.get("/crm/contacts?q=ama&who=me&f_x=b&f_x=a"))
    assert "View “Mine”" in page and "Keep as a view" not in page  # whatever order the filters come in
    assert "Mine" in text(browser.get("/palette?q=mine"))
    keep(browser, "q=ama&who=me&f_x=a&f_x=b", "Renamed")
    assert names(browser) == ["Renamed"]
    assert "A name is needed." in text(browser.post("/crm/views", {"of": "contacts", "query": "q=x"}, follow=True))
    assert browser.post("/crm/views", {"of": "nothing", "query": "q=x", "name": "x"}).status_code == 404


def test_views_are_kept_renamed_and_forgotten_where_the_plan_has_no_webmail(browser, account):
    """R2: CRM is on every plan."""
    Subscription.objects.filter(account=account).update(plan="free")
    assert browser.get("/mail").status_code == 403
    keep(browser, "label=gone", "Old")  # what it asks for is not there, and it can be forgotten all the same
    view = ListView.objects.get()
    page = text(browser.get("/crm/contacts?label=gone"))
    assert "is no longer there" in page and "Forget this view" in page and 'value="Old"' in page
    browser.post(f"/crm/views/{view.public_id}", {"name": "New"})
    assert names(browser) == ["New"]
    browser.post(f"/crm/views/{view.public_id}/removal")
    assert names(browser) == []


def test_shared_with_everyone_its_author_and_administrators_change_it(browser, sign_in, people, stranger, ines):
    keep(browser, "q=own", "Own")
    keep(browser, "q=all", "All of us", share="all")
    mate, administrator = sign_in(people["mate"]), sign_in(people["administrator"])
    assert names(browser) == ["All of us", "Own"]
    assert names(mate) == names(administrator) == ["All of us"]
    assert names(sign_in(stranger)) == []
    shared, own = (ListView.objects.get(name=name) for name in ("All of us", "Own"))
    assert "Forget this view" not in text(mate.get("/crm/contacts?q=all"))
    for client, view in ((mate, shared), (mate, own), (administrator, own), (sign_in(stranger), shared)):
        assert client.post(f"/crm/views/{view.public_id}", {"name": "x"}).status_code == 404
        assert client.post(f"/crm/views/{view.public_id}/removal").status_code == 404
    administrator.post(f"/crm/views/{shared.public_id}", {"name": "Everyone’s", "share": "all"})
    assert names(mate) == ["Everyone’s"] and ListView.objects.get(pk=shared.pk).employee_id == ines.pk
    administrator.post(f"/crm/views/{shared.public_id}", {"name": "Everyone’s"})
    assert names(mate) == [] and names(browser) == ["Everyone’s", "Own"]
    browser.post(f"/crm/views/{shared.public_id}/removal")
    assert names(browser) == ["Own"]


def test_what_a_view_shows_is_what_its_reader_may_see(browser, sign_in, people, ines):
    """P9"""
    record_of(ines, "Amara Okafor")
    keep(browser, "who=me", "Mine", share="all")
    assert "Amara" in text(browser.get("/crm/contacts?who=me"))
    assert "Amara" not in text(sign_in(people["mate"]).get("/crm/contacts?who=me"))


def test_each_has_an_order_of_their_own_for_each_list(browser, sign_in, people, ines):
    views = [save(ines, "contact", f"q={name}", name=name, is_everyones=True) for name in ("a", "b", "c")]
    save(ines, "lead", "q=z", name="z", is_everyones=True)
    mate = sign_in(people["mate"])
    mate.post(f"/crm/views/{views[2].public_id}/place", {"to": "ahead"})
    assert names(mate) == ["a", "c", "b"] and names(browser) == ["a", "b", "c"]
    for _twice in range(2):
        mate.post(f"/crm/views/{views[2].public_id}/place", {"to": "ahead"})
    assert names(mate) == ["c", "a", "b"] and names(mate, "/crm/leads") == ["z"]
    mate.post(f"/crm/views/{views[2].public_id}/place", {"to": "back"})
    assert names(mate) == ["a", "c", "b"]
    assert mate.post(f"/crm/views/{views[2].public_id}/place", {"to": "away"}).status_code == 404


def test_filters_that_are_no_longer_there_are_left_out_with_a_word(browser, ines, people):
    amara = record_of(ines, "Amara Okafor")
    [label] = labels.give(amara, ["Key"], by=ines)
    record_of(ines, "Bert")
    here = f"/crm/contacts?label={label.public_id}"
    assert "Bert" not in text(browser.get(here)) and "no longer there" not in text(browser.get(here))
    labels.delete_label(label, by=people["administrator"])
    assert "Bert" in text(browser.get(here)) and "A filter of this list is no longer there" in text(browser.get(here))
    assert "2 filters of this list" in text(browser.get(f"{here}&f_gone=1"))
    assert "left out. (<bdi>Label</bdi>)" in text(browser.get(here))
    assert "Bert" in text(browser.get(f"/crm/contacts/export?form=csv&label={label.public_id}"))
    boss = people["administrator"]
    field = make_field("contact", FieldSaid("Tier"), type="text", by=boss)
    here = f"/crm/contacts?own-{field.public_id}=gold"
    assert "no longer there" not in text(browser.get(here)) and "Bert" not in text(browser.get(here))
    delete_field(field, by=boss, seen=0)
    assert "A filter of this list is no longer there" in text(browser.get(here)) and "Bert" in text(browser.get(here))
    for address in ("/crm/deals?stage=gone", "/crm/deals?pipeline=gone", "/crm/deals?view=board&pipeline=gone"):
        assert "A filter of this list is no longer there" in text(browser.get(address)), address


def test_whose_records_they_are_is_still_there_also_of_somebody_who_left(browser, ines, jonas, people):
    record_of(ines, "Amara Okafor")
    record_of(jonas, "Bert")
    for nobody in ("gone", people["stranger"].public_id):
        page = text(browser.get(f"/crm/contacts?who={nobody}"))
        assert "Amara" in page and "A filter of this list is no longer there" in page
    Employee.objects.filter(pk=jonas.pk).update(dismissed_at=timezone.now(), is_active=False)
    page = text(browser.get(f"/crm/contacts?who={jonas.public_id}"))
    assert f'<option value="{jonas.public_id}" selected>{jonas.name}</option>' in page
    assert "Amara" not in page and "no longer there" not in page
    assert jonas.name not in text(browser.get("/crm/contacts"))
    page = text(browser.get(f"/crm/contacts?who={ines.public_id}"))
    assert '<option value="me" selected>' in page and "Amara" in page


def test_yes_and_no_are_asked_for_by_these_words_alone(browser, ines, people):
    record_of(ines, "Amara Okafor")
    field = make_field("contact", FieldSaid("Partner"), type="yes_no", by=people["administrator"])
    for asked, is_there in (("perhaps", False), ("yes", True), ("no", True), ("none", True)):
        page = text(browser.get(f"/crm/contacts?own-{field.public_id}={asked}"))
        assert ("A filter of this list is no longer there" not in page) is is_there
        assert ("Amara" in page) is (asked in {"perhaps", "none"})


def test_no_more_views_than_may_be(ines):
    for number in range(MOST):
        save(ines, "contact", f"q={number}", name=str(number))
    with pytest.raises(BadView):
        save(ines, "contact", "q=more", name="more")
    with pytest.raises(BadView):
        save(ines, "contact", query_of([("q", "x" * 2000)]), name="long")
    save(ines, "contact", "q=1", name="Again")
    assert len(views_of(ines, "contact")) == MOST


def test_a_list_asks_once_for_its_views(browser, ines, django_assert_num_queries):
    browser.get("/crm/contacts")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as before:
        browser.get("/crm/contacts")
    for number in range(20):
        save(ines, "contact", f"q={number}", name=str(number), is_everyones=True)
    with django_assert_num_queries(len(before)):
        browser.get("/crm/contacts")
