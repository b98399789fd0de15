"""Text out of HTML, plain text as HTML, and snippets: right, harmless, and never slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from letterdesk.mail.html import clean_html
from letterdesk.mail.quotes import fold_quotes
from letterdesk.mail.text import MOST_TEXT, html_to_text, snippet, text_to_html

MEGABYTE = 1_000_000
PIECES = [
    "http://",
    "http://a(",
    "http://a)",
    "https://a]]]",
    "a@",
    "a@a.",
    "www.",
    "mailto:",
    "@",
    "%",
    "+",
    "a.",
    "é+",
    " ",
    "\n",
    "\t",
    ">",
    "> \n",
    ">\n",
    "-",
    "-----Original Message-----\n",
    "From: x\n",
    "From: a\nSent: b\n",
    "On 1 Jan 2026 x wrote:\n",
    "<a@b>:\n",
    "_" * 70 + "\n",
    "-- \n",
    "a\n> b\n",
    "\u200b",
    "hello world ",
    ":",
    "&#9",
    "<",
    "<a ",
    "<!--",
    "<style>",
    "<p>From: x</p>",
    "<blockquote>x</blockquote>",
]


@pytest.mark.case("B16")
@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_of_anything_takes_at_most_200_ms(piece):
    text = piece * (MEGABYTE // len(piece))
    for slow in (text_to_html, snippet, lambda source: fold_quotes(source, is_html=False)):
        started = time.process_time()
        slow(text)
        assert time.process_time() - started < 0.2, slow


@pytest.mark.case("B16")
@pytest.mark.parametrize("piece", PIECES)
def test_the_longest_text_that_is_folded_takes_at_most_200_ms(piece):
    lines = ((piece.strip("\n") or "x") * 3)[:90]
    for text in ("\n".join([lines] * 9_990), "\n".join([lines] * 9_900 + ["> x"] * 90)):
        started = time.process_time()
        fold_quotes(text, is_html=False)
        assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hello <b>W</b>orld</p>", "Hello World"),
        ("a<br>b<p>c</p>d", "a b c d"),
        ("<td>1</td><td>2</td>", "1 2"),
        ("a &amp; b &lt;c&gt; &eacute;&#233;&#xE9;", "a & b <c> ééé"),
        ("<head><title>no</title><style>p{}</style></head>yes", "yes"),
        ("yes<script>no</script> yes<!-- no -->", "yes yes"),
        ("yes<style>no", "yes"),
        ("yes<!-- no", "yes"),
        ("<!--[if mso]>no<![endif]-->yes", "yes"),
        ("<![if !mso]>yes<![endif]>", "yes"),
        ("so\u00adft zero\u200bwidth", "soft zerowidth"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("&#99999999999999999999;x", "x"),
        ("&#xD800;x", "\ufffdx"),
        ("İ<STYLE>no</STYLE>yes", "İ yes"),
    ],
)
def test_the_words_of_html(source, text):
    assert html_to_text(source) == text


@pytest.mark.parametrize(
    "piece", ["<", "<a", "<a ", "<!--", "<style></style>", "&", "&#9", "&lt", "&aaaa", "<svg ", " ", "x"]
)
def test_words_are_taken_out_of_any_megabyte_quickly(piece):
    started = time.process_time()
    assert len(html_to_text(piece * (MEGABYTE // len(piece)))) <= MOST_TEXT
    assert time.process_time() - started < 2


@pytest.mark.case("C06")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("data:text/html,x vbscript:x file:///x", "data:text/html,x vbscript:x file:///x"),
        ("a\r\nb\rc", "a<br>\nb<br>\nc"),
        ("a  b", "a &nbsp;b"),
    ],
)
def test_plain_text_is_escaped_and_other_schemes_stay_text(text, html):
    assert text_to_html(text) == html


@pytest.mark.case("C06")
@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("see https://example.com/a?b=c&d=e.", ["https://example.com/a?b=c&d=e"]),
        ("(http://example.com)", ["http://example.com"]),
        ("http://en.example.org/wiki/A_(b)", ["http://en.example.org/wiki/A_(b)"]),
        ("<https://example.com>, www.example.org!", ["https://example.com", "https://www.example.org"]),
        ("write to ann@example.com.", ["mailto:ann@example.com"]),
        ("mailto:ann@example.com?subject=x", ["mailto:ann@example.com?subject=x"]),
        ('https://example.com/"onmouseover="alert(1)', ["https://example.com/"]),
        ("https://example.com/<script>", ["https://example.com/"]),
        ("HTTPS://EXAMPLE.COM", ["HTTPS://EXAMPLE.COM"]),
        ("javascript://example.com/%0aalert(1)", []),
        ("xhttp://example.com", []),
        ("https://", []),
    ],
)
def test_only_web_and_mail_addresses_become_links(text, targets):
    body = LexborHTMLParser(text_to_html(text)).body
    assert [link.attributes["href"] for link in body.css("a")] == targets
    assert {node.tag for node in body.traverse()} <= {"body", "a"}
    assert body.text() == text


@pytest.mark.case("C06", "C02")
@given(st.text(st.sampled_from("<>\"'&:/ .@wahtps()\n\t;=#%"), max_size=200))
def test_plain_text_as_html_needs_no_cleaning(text):
    shown = text_to_html(text)
    assert clean_html(shown).html == clean_html(clean_html(shown).html).html
    body = LexborHTMLParser(f"<body>{shown}").body
    assert {node.tag for node in body.traverse()} <= {"body", "a", "br"}
    assert re.sub(r"\s", "", body.text()) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello,\n\nhow are you?", "Hello, how are you?"),
        ("New.\n\nOn 1 Jan 2026 Ann wrote:\n> old", "New."),
        ("On 1 Jan 2026 at 10:00, Ann Lee\n<a@x.org> wrote:\n\n> old\n\nNew.", "New."),
        ("The deadline is 23 Nov 2026.\n\nJohn wrote:\n> old", "The deadline is 23 Nov 2026."),
        ("New.\n-- \nAnn\n", "New."),
        ("New.\n-----Original Message-----\nFrom: x\n", "New."),
        ("New.\n\nVon: Ann\nGesendet: heute\nAn: Ben\nBetreff: x\n\nold", "New."),
        ("> old\n> older", "old older"),
        ("[cid:image001.png@01D]\nHello <https://example.com/long>", "Hello"),
        ("\u200b\u00ad Hello", "Hello"),
        ("", ""),
    ],
)
def test_a_snippet_begins_with_what_is_new(text, shown):
    assert snippet(text) == shown
