"""Links of a letter that is written get other addresses, and no other tag is touched."""

import pytest

from letterdesk.mail.html import clean_html
from letterdesk.mail.links import is_web_address, leaves_a_list, rewrite_links

OTHER = "https://desk.example/t/x?a=1&b=2"


def rewritten(html):
    asked = []

    def instead(url, words):
        asked.append((url, words))
        return OTHER if url.startswith("http") else None

    return rewrite_links(clean_html(html).html, instead), asked


def test_links_lead_elsewhere_and_all_else_stays():
    html = '<p title="x>y">Hi <a href="https://a.example/?x=1&amp;y=2" title="t">our <b>offer</b></a> 3 &lt; 4</p>'
    found, asked = rewritten(html)
    assert asked == [("https://a.example/?x=1&y=2", "our offer")]
    assert found == clean_html(html).html.replace(
        "https://a.example/?x=1&amp;y=2", "https://desk.example/t/x?a=1&amp;b=2"
    )
    assert clean_html(found).html == found  # it is as clean as before


def test_what_is_no_web_link_is_asked_and_may_stay():
    html = '<a href="mailto:bo@client.example">b</a><a href="#top">t</a><a>n</a><a href="tel:1">p</a><img src="cid:x">'
    found, _asked = rewritten(html)
    assert found == clean_html(html).html


def test_quoted_links_are_somebody_elses():
    found, asked = rewritten(
        '<a href="https://one.example/">1</a><blockquote><blockquote>x</blockquote><a href="https://two.example/">2</a>'
        '</blockquote><a href="https://three.example/">3</a>'
    )
    assert [url for url, _words in asked] == ["https://one.example/", "https://three.example/"]
    assert "https://two.example/" in found


def test_a_tag_in_an_attribute_is_none():
    html = """<p title='<blockquote><a href="https://evil.example/">'>x</p><a href="https://one.example/">1</a>"""
    _found, asked = rewritten(html)
    assert [url for url, _words in asked] == ["https://one.example/"]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "http://a.example:8080/x?y=z#w",
        "https://a.example/ü?q=п",
        "HTTPS://A.EXAMPLE/",
        "https://[::1]/",
    ],
)
def test_a_browser_may_be_led_there(url):
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "javascript:alert(1)", "data:text/html,x", "mailto:bo@client.example", "ftp://a.example/", "//a.example/",
        "/inner", "https:///x", "https://", "http:a.example", "https://bank.example@evil.example/", "https://a.example\\@b/",
        "https://a.example/\r\nSet-Cookie: a=b", "https://a.example/\n", "https://a.example/ x", "https://[::1",
        "https://a.example:99999/", "https://bü.example/", "file:///etc/passwd", "vbscript:x", "java\tscript:x",
        "https://a.example/" + "x" * 2000, "https://a.example/\x00", "https://a.example/\u2028",
    ],
)  # fmt: skip
def test_a_browser_is_not_led_there(url):
    assert not is_web_address(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a.example/unsubscribe?x", "here"), ("https://a.example/x", "Unsubscribe"),
        ("https://a.example/optout", ""),
        ("https://a.example/", "Newsletter abmelden"), ("https://a.example/", "Отписаться"),
        ("https://a.example/opt-out", "x"),
        ("https://a.example/", "Se désabonner"), ("https://a.example/", "Hier abbestellen"),
        ("https://a.example/", "Отказаться от рассылки"), ("https://a.example/", "Отменить эту подписку"),
        ("https://a.example/", "Manage your preferences"), ("https://a.example/", "退订"),
    ],
)  # fmt: skip
def test_the_way_out_of_a_list_is_known(url, words):
    assert leaves_a_list(url, words)


def test_other_links_are_no_way_out():
    assert not leaves_a_list("https://a.example/subscribers", "Our offer")
