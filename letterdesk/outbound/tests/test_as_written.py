"""People of the account read letters as they were written; letters of others stay as they came."""

import pytest

from letterdesk.mail.parse import Body
from letterdesk.mailboxes.tests.conftest import open_account_on
from letterdesk.outbound.as_written import as_written
from letterdesk.outbound.models import TrackedLetter
from letterdesk.outbound.tracked_address import link_address, picture_address

pytestmark = pytest.mark.django_db
URL = "https://acme.example/?a=1&b=2"


@pytest.fixture
def letter(account):
    return TrackedLetter.objects.create(account=account, about="deal:x")


def body_of(public_id):
    link, picture = link_address(public_id, 1, URL), picture_address(public_id)
    html = f"<p><a href='{link}'>x</a></p><IMG width=1 src={picture} alt=''><img src='https://a.example/x.gif'>"
    return Body(html, f"see <{link}>", {})


@pytest.mark.parametrize("is_old", [True, False])
def test_an_answer_that_quotes_ours_leads_where_that_led(letter, account, is_old):
    """Also one that left before addresses named their account."""
    found = as_written(body_of(letter.public_id + ("" if is_old else account.public_id)), account.pk)
    assert found.html == "<p><a href='https://acme.example/?a=1&amp;b=2'>x</a></p><img src='https://a.example/x.gif'>"
    assert found.text == f"see <{URL}>"


def test_what_another_account_wrote_stays_as_it_came(letter):
    body = body_of(letter.public_id)
    assert as_written(body, open_account_on("free", "Other").pk) == body


def test_a_letter_without_an_address_of_ours_asks_nothing(account, django_assert_num_queries):
    body = Body("<p>https://elsewhere.example/t/x</p>", None, {})
    with django_assert_num_queries(0):
        assert as_written(body, account.pk) is body


def test_a_letter_of_many_open_tags_is_read_at_once(letter, account):
    """A linear look, whatever a stranger quotes ours in."""
    body = body_of(letter.public_id)
    hostile = Body("<img src=" * 200_000 + (body.html or ""), None, {})
    assert picture_address(letter.public_id) not in (as_written(hostile, account.pk).html or "")
