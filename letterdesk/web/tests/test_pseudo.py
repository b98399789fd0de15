"""Every page in an invented language: what is still to be read in English was not translated (ux.md, i18n)."""

import re

import pytest
from django.urls import get_resolver, reverse

from letterdesk.web.tests.test_access import PAGES

ANSWERING = {name: form for name, (method, form, *_answers) in PAGES.items() if method == "GET"}
HIDDEN = re.compile(r"<(script|style|code|kbd|bdi|svg|pre|textarea|template|option)\b.*?</\1>|<!--.*?-->", re.S)
SAID = re.compile(r'\b(?:title|alt|placeholder|aria-label|data-said)="([^"]*)"')
WORD = re.compile(r"[A-Za-z]*[a-z]{2,}[A-Za-z.@'-]*")
# Names of the product, of keys and plans, and what the letters, tasks and people of the tests are called.
SAME = {
    *("Letterdesk", "Esc", "Shift", "Ctrl", "Free", "Start", "Project", "Standard", "Professional", "Demo"),
    *("Ines", "Ines.", "Jonas", "Lea", "Admin", "Acme", "Sales", "Amara", "Okafor", "Offer", "offer", "Urgent"),
    *("Thank", "you", "Hello", "unreadable", "txt", "example"),
    *("Renew", "contract", "Ask", "for", "the", "number", "prices.txt"),
    *("Thanks", "Customer", "Prefers", "mornings"),
}
# What the company called its pipeline and stages, on the pages where one changes their names.
NAMED = {"crm_settings": {"Deals"}, "pipeline": {"Deals", "New", "Proposal", "Negotiation", "Won", "Lost"}}
CODES = re.compile(r"[a-z]+\.[a-z_]+|[a-z]+@[a-z.]+")


@pytest.fixture
def page_of(things, people, sign_in, pseudo):
    """The page of this name for this person, in the invented language; "" where they get none."""
    clients = {who: sign_in(people[who]) for who in ("owner", "administrator")}
    for who, client in clients.items():
        client.post("/settings", {"name": people[who].name, "time_zone": "", "language": pseudo})

    def get(name, who):
        wanted = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
        form = {key: value.format(**vars(things)) for key, value in ANSWERING[name].items()}
        answer = clients[who].get(reverse(name, kwargs={each: getattr(things, each) for each in wanted}), form)
        return answer.content.decode() if answer.status_code == 200 and "html" in answer["Content-Type"] else ""

    return get


def unmarked(page):
    page = HIDDEN.sub(" ", page)
    said = [*SAID.findall(page), re.sub(r"<[^>]*>", " ", page)]
    words = {word for text in said for word in WORD.findall(re.sub(r"&#?\w+;", " ", text))}
    return {word for word in words - SAME if not CODES.fullmatch(word)}


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_every_text_of_every_page_is_translated(who, page_of):
    names = [name for name in ANSWERING if name != "audit"]  # that one names facts as they are
    found = {name: unmarked(page_of(name, who)) - NAMED.get(name, set()) for name in names}
    assert {name: words for name, words in found.items() if words} == {}


def test_a_text_that_was_forgotten_is_found(page_of):
    page = page_of("help", "owner")
    assert page and unmarked(page.replace("</h1>", "</h1><p>Read on</p>")) == {"Read", "on"}
