"""Folding quotes: never a new word out of sight."""

import tomllib
from pathlib import Path

import pytest

from letterdesk.mail.quotes import fold_quotes

CORPUS = tomllib.loads(Path(__file__).with_name("quotes.toml").read_text("utf-8"))
CASES = [pytest.param(kind == "html", one, id=one["name"]) for kind in ("text", "html") for one in CORPUS[kind]]


@pytest.mark.case("B15")
@pytest.mark.parametrize(("is_html", "letter"), CASES)
def test_new_words_stay_in_sight_and_quotes_are_folded(is_html, letter):
    folded = fold_quotes(letter["body"], is_html=is_html, subject=letter.get("subject", ""))
    for words in letter["kept"]:
        assert words in folded.new
        assert words not in folded.quoted or not letter["folded"]
    for words in letter["folded"]:
        assert words in folded.quoted
        assert words not in folded.new
    assert bool(folded.quoted) is bool(letter["folded"])


def test_the_corpus_is_large_and_speaks_many_languages():
    assert len(CASES) >= 60
