"""All texts go through gettext: nothing in a template is said in one language alone, and a page can be in another."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings
from django.utils.translation import gettext, override, trans_real

import letterdesk
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


PLAIN = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|([a-z])")  # letters; what is filled in stays as it is


class Pseudo(trans_real.DjangoTranslation):
    """A language in which every text is marked: what stays unmarked on a page was not translated."""

    def gettext(self, message):
        return PLAIN.sub(
            lambda found: chr(ord(found[1]) - ord("a") + ord("ⓐ")) if found[1] else found[0], message or ""
        )

    def ngettext(self, singular, plural, number):
        return singular if number == 1 else plural

    def pgettext(self, _context, message):
        return message


@pytest.fixture
def pseudo(monkeypatch):
    """German, for once, is the pseudo-language."""
    with override_settings(LANGUAGES=[("en", "English"), ("de", "Pseudo")]):
        monkeypatch.setitem(trans_real._translations, "de", Pseudo("de"))
        yield "de"


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


def test_the_messages_can_be_collected(tmp_path):
    command = [sys.executable, "-m", "letterdesk.web.messages", str(tmp_path / "letterdesk.pot")]
    subprocess.run(command, check=True, cwd=PACKAGE.parent, capture_output=True, timeout=120)
    collected = (tmp_path / "letterdesk.pot").read_text("utf-8")
    assert 'msgid "Search mail"' in collected and 'msgid "Archive"' in collected
    assert "msgid_plural" in collected
