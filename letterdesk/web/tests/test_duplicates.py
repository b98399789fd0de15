"""Pairs that look like one: shown, compared, made one or told apart, as far as one may see them."""

import pytest

from letterdesk.crm.models import NotTheSame, Record
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.web.tests.test_records import asked, text_of


@pytest.fixture
def pair(ines):
    """Two contacts of Ines with one address, the second with a letter."""
    first = record_of(ines, "Amara Okafor", "amara@okafor.example", position="Buyer")
    second = record_of(ines, "A. Okafor", "amara@okafor.example", "boss@okafor.example", position="Head of buying")
    activity_at(second)
    return first, second


def test_a_pair_is_compared_and_made_one(browser, pair):
    first, second = pair
    page = browser.get("/crm/duplicates")
    assert "The same address: amara@okafor.example" in text_of(page)
    at = f"/crm/records/{first.public_id}/merging"
    assert f"{at}?with={second.public_id}" in page.content.decode()
    assert "A. Okafor" in text_of(browser.get(at))
    told = text_of(browser.get(f"{at}?with={second.public_id}"))
    for words in ("What is right?", "Head of buying", "boss@okafor.example", "1 letter of the other one comes along."):
        assert words in told
    answer = browser.post(at, {"other": second.public_id, "position": "other", "name": "mine"}, follow=True)
    assert "They are one now" in text_of(answer)
    first.refresh_from_db()
    assert (first.name, first.position, first.bindings.count()) == ("Amara Okafor", "Head of buying", 1)
    page = text_of(browser.get(f"/crm/records/{second.public_id}"))
    assert "It was merged into: Amara Okafor" in page
    assert "No duplicates" in text_of(browser.get("/crm/duplicates"))


def test_the_page_of_a_record_names_who_looks_like_it(browser, pair, sign_in, jonas):
    first, second = pair
    at = f"/crm/records/{first.public_id}/doubles"
    assert f'hx-get="{at}"' in browser.get(f"/crm/records/{first.public_id}").content.decode()
    said = browser.get(at)
    assert "A. Okafor The same address: amara@okafor.example" in text_of(said)
    assert f"/crm/records/{first.public_id}/merging?with={second.public_id}" in said.content.decode()
    assert asked(browser, at) <= 14
    assert sign_in(jonas).get(at).status_code == 404
    assert "Perhaps the same" in text_of(browser.get(f"/crm/records/{first.public_id}/merging"))
    browser.post("/crm/duplicates", {"record": first.public_id, "other": second.public_id})
    assert text_of(browser.get(at)).strip() == ""


def test_a_pair_is_told_apart(browser, pair):
    first, second = pair
    answer = browser.post("/crm/duplicates", {"record": first.public_id, "other": second.public_id}, follow=True)
    assert "Amara Okafor is not A. Okafor." in text_of(answer) and "No duplicates" in text_of(answer)
    assert NotTheSame.objects.count() == 1


def test_nobody_merges_or_compares_what_they_do_not_see(browser, sign_in, pair, ines, jonas, people):
    theirs = record_of(jonas, "Of Jonas", "amara@okafor.example", position="Secret")
    at = f"/crm/records/{pair[0].public_id}/merging"
    assert "Of Jonas" not in text_of(browser.get("/crm/duplicates"))
    assert browser.get(f"{at}?with={theirs.public_id}").status_code == 404
    assert browser.post(at, {"other": theirs.public_id}).status_code == 404
    said = {"record": pair[0].public_id, "other": theirs.public_id}
    assert browser.post("/crm/duplicates", said).status_code == 404
    for who in (jonas, people["stranger"]):
        assert sign_in(who).post(at, {"other": pair[1].public_id}).status_code == 404
    hidden = record_of(jonas, "Hidden Holding", kind="company")
    Record.objects.filter(pk=pair[1].pk).update(company=hidden)
    Record.objects.filter(pk=pair[0].pk).update(company=record_of(ines, "Open", kind="company"))
    page = text_of(browser.get(f"{at}?with={pair[1].public_id}"))
    assert "Hidden Holding" not in page and "Head of buying" in page
    assert Record.objects.present().count() == 5


def test_what_is_of_another_kind_is_refused_in_words(browser, pair, ines):
    other = record_of(ines, "Okafor", kind="company")
    at = f"/crm/records/{pair[0].public_id}/merging"
    for answer in (
        browser.get(f"{at}?with={other.public_id}", follow=True),
        browser.post(at, {"other": other.public_id}, follow=True),
    ):
        assert "Only two records of the same kind can be one." in text_of(answer)


def test_the_page_asks_the_same_however_many_pairs_there_are(browser, pair, ines):
    few = asked(browser, "/crm/duplicates")
    record_of(ines, "Third Okafor", "amara@okafor.example")
    assert asked(browser, "/crm/duplicates") == few <= 20
