"""An address with a NUL in it, which no text of PostgreSQL takes, is read as if there were a space."""

import pytest

from letterdesk.crm.models import ListView
from letterdesk.crm.own.fields import FieldSaid, make_field
from letterdesk.mailboxes.models import SavedSearch


@pytest.fixture
def own(people):
    return make_field("contact", FieldSaid("Size"), type="text", by=people["administrator"])


@pytest.mark.parametrize(
    "address",
    [
        "/crm/contacts?q=a%00",
        "/crm/contacts?who=%00",
        "/crm/contacts?label=%00&stage=%00x",
        "/crm/contacts?own-{own}=%00x",
        "/crm/contacts/export?form=csv&own-{own}=%00x",
        "/search?q=label:%00x",
        "/palette?q=%00x",
        "/tasks?q=%00x",
        "/crm/contacts?view=%0%000",
    ],
)
def test_a_page_takes_a_nul_for_a_space(browser, own, address):
    answer = browser.get(address.format(own=own.public_id))
    assert answer.status_code == 200 and "\0" not in answer.content.decode()


def test_nothing_has_an_address_with_a_nul_in_it(browser):
    for address in ("/crm/records/%00", "/tasks/x%00", "/crm/%00"):
        assert browser.get(address).status_code == 404


def test_neither_a_view_nor_a_search_keeps_one(browser):
    browser.post("/crm/views", {"of": "contacts", "query": "q=%00a", "name": "A"})
    browser.post("/searches", {"q": "\0amara", "name": "A"})
    assert ListView.objects.get().query == "q=a" and SavedSearch.objects.get().query == "amara"
