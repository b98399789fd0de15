"""German and Russian are complete: every text, with its blanks and its tags; and compiled as they are written."""

import re

import pytest

from tests.rig import messages

TAGS = re.compile(r"</?\w+|%\(\w+\)[sd]|%[sd]|\{\w*\}")
LOOSE = {"%(n)s", "%(n)d", "%(count)s", "%(count)d", "%d"}  # a singular may say "one"


@pytest.fixture(scope="module")
def texts():
    return messages.collect()


def texts_of(message):
    return list(message.string) if isinstance(message.string, tuple) else [message.string]


def test_the_product_speaks_three_languages():
    assert messages.languages() == ["de", "ru"]


@pytest.mark.parametrize("language", messages.languages())
def test_every_text_is_translated(texts, language):
    there = messages.translated(language)
    wanted = {(message.id, message.context) for message in texts if message.id}
    said = {(message.id, message.context): message for message in there if message.id}
    told = "`make messages` collects the texts; then translate what is empty"
    assert [each for each in wanted if each not in said] == [], told
    assert [each for each in said if each not in wanted] == [], told
    assert [key for key, message in said.items() if message.fuzzy or not all(texts_of(message))] == [], told
    assert {len(texts_of(message)) for message in said.values()} == {1, there.num_plurals}


@pytest.mark.parametrize("language", messages.languages())
def test_a_translation_fills_in_what_the_text_fills_in(language):
    """A blank that is lost or misspelt breaks the page that shows it; a tag that is lost breaks its layout."""
    there = messages.translated(language)
    for message in there:
        if message.id:
            wanted = TAGS.findall(message.id[1] if isinstance(message.id, tuple) else message.id)
            for text in texts_of(message):
                lost, added = set(wanted) - set(TAGS.findall(text)), set(TAGS.findall(text)) - set(wanted)
                assert not added and not (lost - LOOSE if isinstance(message.id, tuple) else lost), (message.id, text)


@pytest.mark.parametrize(
    ("language", "mixed"),
    [("de", r"\bBrief(e|en|s)?\b|Konversation|\bStufe|Unternehmen"), ("ru", r"\bэтап(?!н)|сообщени")],
)
def test_one_thing_has_one_name(language, mixed):
    """A letter is a "Nachricht", a conversation an "Unterhaltung", a stage a "Phase", the company a "Firma"."""
    said = [text for message in messages.translated(language) if message.id for text in texts_of(message)]
    assert [text for text in said if re.search(mixed, text, re.IGNORECASE)] == []


def test_no_other_language_stands_in_the_russian():
    """What reads the same in both, such as a name, may stay."""
    foreign = re.compile(r"^(?=.*[A-Za-zÄÖÜäöüß]{3})[^А-яЁё]*$", re.DOTALL)  # a pattern of dates has letters, too
    for message in messages.translated("ru"):
        for text in texts_of(message) if message.id else ():
            assert text in message.id or not foreign.match(TAGS.sub("", text)), (message.id, text)


@pytest.mark.parametrize("language", messages.languages())
def test_what_is_compiled_is_what_is_written(language):
    compiled = messages.LOCALE / language / "LC_MESSAGES/django.mo"
    assert compiled.read_bytes() == messages.mo(messages.translated(language))


def test_a_new_text_is_found_missing(texts):
    texts.add("A text that nobody has translated")
    wanted = {(message.id, message.context) for message in texts if message.id}
    said = {(message.id, message.context) for message in messages.translated("de") if message.id}
    assert ("A text that nobody has translated", None) in wanted - said
