"""Views: saved searches that are shared with a mailbox's people or with everyone, each in a person's own order."""

import re

import pytest

from letterdesk.mailboxes.models import Grant, SavedSearch
from letterdesk.mailboxes.search import saved as saved_searches
from letterdesk.mailboxes.search.saved import save, views_of

from .conftest import raw_letter


@pytest.fixture
def team(account, mailbox, people):
    """Lea reads Ines' mailbox; Jonas and the administrator do not."""
    return people


def names(client):
    page = client.get("/search").content.decode()
    return re.findall(r'class="view-words"><a[^>]*><bdi>([^<]*)</bdi>', page)


def test_a_view_is_shared_with_who_reads_the_mailbox_or_with_everyone(browser, sign_in, team, mailbox, stranger):
    browser.post("/searches", {"q": "is:waiting", "name": "Waiting", "share": mailbox.public_id})
    browser.post("/searches", {"q": "is:open", "name": "Open", "share": "all"})
    browser.post("/searches", {"q": "salary", "name": "Mine"})
    assert names(browser) == ["Mine", "Open", "Waiting"]
    assert names(sign_in(team["reader"])) == ["Open", "Waiting"]
    assert names(sign_in(team["mate"])) == names(sign_in(team["administrator"])) == ["Open"]
    assert names(sign_in(stranger)) == []
    assert "Open" in sign_in(team["mate"]).get("/search/suggestions?q=op").content.decode()
    Grant.objects.all().delete()
    assert names(sign_in(team["reader"])) == ["Open"]


def test_its_author_and_administrators_change_it_and_nobody_else(browser, sign_in, team, ines, now, mailbox):
    view = save(ines, "is:open", name="Open", now=now, is_everyones=True)
    address = f"/searches/{view.public_id}"
    mate, administrator = sign_in(team["mate"]), sign_in(team["administrator"])
    assert mate.post(address, {"name": "Mine now"}).status_code == 404
    assert mate.post(f"{address}/removal").status_code == 404
    administrator.post(address, {"name": "All open", "share": "all"})
    assert names(mate) == ["All open"] and SavedSearch.objects.get().employee_id == ines.pk
    assert administrator.post(address, {"share": mailbox.public_id}).status_code == 404  # which they do not read
    browser.post(address, {"name": "Open", "share": mailbox.public_id})
    assert (names(mate), names(administrator), names(sign_in(team["reader"]))) == ([], [], ["Open"])
    assert administrator.post(address, {"name": "x"}).status_code == 404
    browser.post(address, {"name": "Open", "share": ""})
    assert names(sign_in(team["reader"])) == [] and names(browser) == ["Open"]


def test_what_it_finds_are_the_readers_own_letters(browser, sign_in, team, deliver, ines, now):
    deliver(raw_letter("Salaries"))
    save(ines, "subject:salaries", name="Money", now=now, is_everyones=True)
    assert "1" in browser.get("/search?q=subject:salaries").content.decode()
    assert "Amara" not in sign_in(team["mate"]).get("/search?q=subject:salaries").content.decode()


def test_each_has_an_order_of_their_own(browser, sign_in, team, ines, now):
    views = [save(ines, f"is:{name}", name=name, now=now, is_everyones=True) for name in ("a", "b", "c")]
    mate = sign_in(team["mate"])
    mate.post(f"/searches/{views[2].public_id}/place", {"to": "up"})
    assert names(mate) == ["a", "c", "b"] and names(browser) == ["a", "b", "c"]
    answer = mate.post(f"/searches/{views[2].public_id}/place", {"to": "up"}, follow=True)
    assert "autofocus" not in answer.content.decode().split("view-line")[1].split("view-moves")[0]
    mate.post(f"/searches/{views[2].public_id}/place", {"to": "up"})  # it is the first already
    assert names(mate) == ["c", "a", "b"]
    save(team["mate"], "is:d", name="aa", now=now)
    assert names(mate) == ["c", "a", "b", "aa"]  # what is new comes last
    mate.post(f"/searches/{views[0].public_id}/place", {"to": "down"})
    assert names(mate) == ["c", "b", "a", "aa"]
    assert mate.post(f"/searches/{views[0].public_id}/place", {"to": "aside"}).status_code == 404


def test_a_view_beyond_those_that_are_shown_stays_where_it_is(browser, ines, now, monkeypatch):
    first, beyond = (save(ines, f"is:{name}", name=name, now=now) for name in ("a", "b"))
    monkeypatch.setattr(saved_searches, "MOST_SHOWN", 1)
    assert browser.post(f"/searches/{beyond.public_id}/place", {"to": "up"}).status_code == 302
    assert views_of(ines) == [first]


def test_the_page_takes_as_many_queries_for_fifty_views(browser, ines, now, django_assert_max_num_queries):
    browser.get("/search")
    for number in range(50):
        save(ines, f"word{number}", name="", now=now, is_everyones=True)
    with django_assert_max_num_queries(13):
        assert len(names(browser)) == 50
    assert len(views_of(ines)) == 50


def test_ones_own_stay_in_sight_beside_all_that_others_share(team, ines, now, monkeypatch):
    monkeypatch.setattr(saved_searches, "MOST_SHOWN", 2)
    for number in range(3):
        save(team["mate"], f"word{number}", name="Theirs", now=now, is_everyones=True)
    save(ines, "is:open", name="Mine", now=now)
    assert [each.name for each in views_of(ines)] == ["Mine", "Theirs"]


def test_a_query_that_a_colleague_shares_can_be_saved_as_ones_own(browser, team, now):
    save(team["mate"], "is:open", name="Theirs", now=now, is_everyones=True)
    assert "Save this search</button>" in browser.get("/search?q=is:open").content.decode()
    browser.post("/searches", {"q": "is:open", "name": "Mine"})
    assert "Save this search</button>" not in browser.get("/search?q=is:open").content.decode()


def test_it_stays_shared_when_its_author_renames_it_and_has_lost_the_mailbox(sign_in, team, mailbox, now, browser):
    reader = sign_in(team["reader"])
    view = save(team["reader"], "is:open", name="Open", now=now, mailbox=mailbox)
    Grant.objects.all().delete()
    chosen = re.findall(r'<option value="([^"]*)" selected>', reader.get("/search").content.decode())
    assert chosen == [mailbox.public_id]
    reader.post(f"/searches/{view.public_id}", {"name": "All open", "share": chosen[0]})
    assert names(browser) == ["All open"]
    reader.post(f"/searches/{view.public_id}", {"name": "All open", "share": ""})
    assert reader.post(f"/searches/{view.public_id}", {"share": mailbox.public_id}).status_code == 404
