"""The search field finds what colleagues said, for who may read the conversation, and nothing of what has left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import Grant, Placement
from letterdesk.mailboxes.search.letters import BadQuery, parse_query
from letterdesk.team import comments
from letterdesk.team.search import find_comments
from letterdesk.team.sharing import share

from .conftest import raw_letter


@pytest.fixture
def offer(deliver):
    return deliver(raw_letter("Offer"))[0].conversation


@pytest.fixture
def find(mailbox):
    """What somebody finds, as the texts of comments, the newest first."""

    def look(employee, query, *, now=None, **more):
        at = now or timezone.now()
        tree = parse_query(query, now=at, zone=at.tzinfo, me=employee.pk)
        return [each.text.text for each in find_comments(employee, tree, now=at, most=10, **more)]

    return look


@pytest.fixture
def say(ines, now):
    return lambda conversation, text, by=ines, at=now: comments.add(conversation, text, by=by, now=at)


def test_words_are_found_as_in_letters(find, say, offer, ines, now):
    say(offer, "Ask the CAFÉ about Straße 5, 100%_done", at=now - timedelta(minutes=1))
    say(offer, "報告書を送ってください")
    cafe = ["Ask the CAFÉ about Straße 5, 100%_done"]
    assert find(ines, "cafe") == find(ines, "ask café") == find(ines, '"the cafe about"') == cafe
    assert find(ines, "caf") == find(ines, "100 done") == find(ines, "nothing OR cafe") == cafe
    assert find(ines, "報告") == ["報告書を送ってください"]
    for other in ('"cafe the"', "cafe -straße", "from:cafe", "subject:cafe", "cafe has:attachment", "%", "k_the"):
        try:
            assert find(ines, other) == [], other
        except BadQuery:
            assert other in {"%"}
    assert find(ines, "straße OR 報告") == ["報告書を送ってください", *cafe]


def test_a_comment_that_was_changed_or_deleted_is_found_as_it_is(find, say, offer, ines, now):
    said = say(offer, "Price too high")
    comments.change(said, "Price is fine", by=ines, now=now)
    assert (find(ines, "high"), find(ines, "fine")) == ([], ["Price is fine"])
    comments.remove(said, by=ines)
    assert find(ines, "fine") == []


def test_nobody_finds_what_they_may_not_read(find, say, offer, mailbox, account, ines, jonas, stranger, people, now):
    say(offer, "Secret before", at=now - timedelta(hours=1))
    assert find(people["reader"], "secret") == ["Secret before"]
    for each in (jonas, people["administrator"], stranger):
        assert find(each, "secret") == []
    share(offer, to=jonas, by=ines, now=now - timedelta(minutes=5))
    say(offer, "Secret after")
    assert find(jonas, "secret") == ["Secret after"]  # what was said before is not told
    Grant.objects.filter(employee=people["reader"]).delete()
    assert find(people["reader"], "secret") == []


def test_what_lies_in_trash_or_has_left_webmail_is_not_found(find, say, offer, ines, trash, sold_plans):
    """R20"""
    say(offer, "Hidden soon")
    assert find(ines, "hidden") == ["Hidden soon"]
    assert find(ines, "hidden", now=timezone.now() + timedelta(days=400)) == []
    Placement.objects.filter(conversation=offer).update(folder=trash)
    listing.refresh([offer.pk])
    assert find(ines, "hidden") == []


def test_the_page_shows_it_as_a_comment_and_leads_to_it(browser, sign_in, say, offer, inbox, ines, jonas, now):
    said = say(offer, "<b>Ask</b> about chairs")
    page = browser.get("/search", {"q": "chairs"}).content.decode()
    address = f"/mail/{inbox.public_id}/{offer.public_id}#n-{said.public_id}"
    assert address in page and "&lt;b&gt;Ask&lt;/b&gt; about <mark>chairs</mark>" in page
    assert "comment, only your team sees it" in page and "Nothing" not in page.split("found-notes")[1].split("</ul>")[0]
    assert address in browser.get("/search", {"q": "chairs", "show": "comments"}).content.decode()
    share(offer, to=jonas, by=ines, now=now - timedelta(minutes=5))
    theirs = sign_in(jonas).get("/search", {"q": "chairs"}).content.decode()
    assert f"/shared/{offer.public_id}#n-{said.public_id}" in theirs and inbox.public_id not in theirs
