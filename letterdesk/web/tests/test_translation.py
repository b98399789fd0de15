"""All texts go through gettext: nothing in a template is said in one language alone, and a page can be in another."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings
from django.utils.translation import gettext, override

import letterdesk
from letterdesk.web.templatetags.letterdesk import long_time
from letterdesk.web.tests.conftest import raw_letter

PACKAGE = Path(letterdesk.__file__).parent
TEMPLATES = sorted((PACKAGE / "web/templates").rglob("*.html"))
SPOKEN = re.compile(r"\b(?:title|alt|placeholder|aria-label|aria-description|data-[a-z]+)=\"([^\"]*)\"")
# What is the same in every language: our name, signs, keys, operators, examples of what can be typed.
SAME = re.compile(r"Letterdesk|Ctrl|Esc|\b[jkouxeznp]\b|code|IMAP|SMTP|Message-ID|CSV|JSON|UTF-8|TLS|UID|\bms\b")


def untranslated(text):
    text = re.sub(r"{% (comment|blocktrans\w*)\b.*?{% end\1 %}", " ", text, flags=re.S)
    text = re.sub(r"<(script|style|code|kbd|svg)\b.*?</\1>", " ", text, flags=re.S)
    text = re.sub(r"{% block (?:\w+_class|body_attributes) %}.*?{% endblock", " {% endblock", text)
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", text, flags=re.S)
    said = [found for found in SPOKEN.findall(text) if " " in found.strip() or found[:1].isupper()]
    said = [found for found in said if not found.lstrip().startswith("?")]  # the end of an address
    text = re.sub(r"<[^>]*>", " ", text, flags=re.S)
    words = re.findall(r"[A-Za-zÄÖÜäöü]{2,}[^<>{}]*", re.sub(r"&\w+;", " ", text))
    found = [SAME.sub("", word).strip() for word in [*words, *said]]
    return [word for word in found if re.search(r"[A-Za-z]{2,}", word)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE / "web/templates")))
def test_no_template_says_anything_that_cannot_be_translated(path):
    assert untranslated(path.read_text("utf-8")) == []


def test_the_check_finds_what_it_looks_for():
    assert untranslated('<p title="Close it">Hello there</p>') == ["Hello there", "Close it"]
    assert untranslated('<p>{% translate "Hello" %}</p>') == []


def test_a_page_is_in_the_language_that_the_reader_chose(browser, pseudo, inbox, deliver, ines):
    deliver(raw_letter())
    browser.post("/settings", {"name": "Ines", "time_zone": "", "language": pseudo})
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    assert 'lang="de"' in page
    with override(pseudo):
        assert gettext("Inbox") in page and gettext("Search mail") in page
    assert ">Inbox<" not in page and ">Unread<" not in page and "Search mail" not in page


def test_a_language_that_reads_from_the_right_turns_the_page(browser, ines):
    with override_settings(LANGUAGES=[("en", "English"), ("ar", "Arabic")]):
        browser.post("/settings", {"name": "Ines", "time_zone": "", "language": "ar"})
        assert 'dir="rtl"' in browser.get("/settings").content.decode()


def test_an_invented_language_is_refused(browser, ines):
    assert browser.post("/settings", {"name": "Ines", "language": "xx"}).status_code == 422


def test_who_chose_no_language_reads_in_that_of_the_browser(browser, ines):
    for wanted, said in (("de-DE,de;q=0.9,en;q=0.5", "de"), ("fr", "en")):
        page = browser.get("/settings", headers={"accept-language": wanted}).content.decode()
        assert f'lang="{said}"' in page


def test_who_is_not_signed_in_reads_in_the_language_of_the_browser(client, db):
    page = client.get("/accounts/login/", headers={"accept-language": "ru"})
    assert 'lang="ru"' in page.content.decode() and "Войти" in page.content.decode()


def test_dates_are_written_as_the_language_writes_them():
    moment = datetime(2026, 3, 3, 10, 38, tzinfo=UTC)
    said = {}
    for language in ("en", "de", "ru"):
        with override(language):
            said[language] = long_time(moment)
    assert said == {"en": "Tue 3 Mar 2026, 10:38", "de": "Di, 3. Mär 2026, 10:38", "ru": "Вт, 3 мар 2026, 10:38"}
