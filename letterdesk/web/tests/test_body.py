"""A letter's text, made harmless each time it is shown (C01, C03, C04, C06, C10)."""

import re

import pytest
from django.core import signing

from letterdesk.lib import blobs
from letterdesk.web.tests.conftest import raw_letter

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
HOSTILE = """
<script>top.PWNED = 1</script><img src=x onerror="top.PWNED=1"><svg onload="top.PWNED=1"><script>1</script></svg>
<a href="javascript:top.PWNED=1">x</a><iframe src="//evil.example"></iframe><base href="//evil.example">
<meta http-equiv=refresh content="0;url=//evil.example"><form action="//evil.example"><input name=q></form>
<style>@import url(//evil.example/x.css)</style><link rel=stylesheet href="//evil.example/x.css">
<div style="background:url(//evil.example/b.png)">Hello</div><img src="https://evil.example/t.gif">
"""


def shown(browser, letter):
    answer = browser.get(f"/messages/{letter.public_id}/body")
    assert answer.status_code == 200
    page = answer.content.decode()
    return page[page.index("<body") : page.rindex("<script nonce")], page[page.rindex("<script nonce") :]


@pytest.mark.case("C01")
def test_a_hostile_letter_brings_no_script_and_nothing_that_fetches(browser, deliver):
    text, _script = shown(browser, deliver(raw_letter(html=HOSTILE))[0])
    assert "Hello" in text
    assert not re.search(r"<(script|svg|iframe|base|meta|form|input|style|link|object)\b", text, re.IGNORECASE)
    assert "evil.example" not in text and "javascript:" not in text and not re.search(r"\son\w+\s*=", text)


@pytest.mark.case("C10")
def test_remote_images_are_blocked_and_counted(browser, deliver):
    text, script = shown(browser, deliver(raw_letter(html='<img src="https://t.example/a.png"><p>Hi</p>'))[0])
    assert "t.example" not in text
    assert "blockedImages: 1" in script


@pytest.mark.case("C06")
def test_plain_text_is_escaped(browser, deliver):
    text, script = shown(
        browser, deliver(raw_letter(text="<b>x</b> javascript:alert(1) https://a.example/?<script>"))[0]
    )
    assert "&lt;b&gt;x&lt;/b&gt;" in text and "<script>" not in text
    assert 'href="javascript' not in text
    assert "isPlain: true" in script


@pytest.mark.case("C03")
def test_quoted_text_is_folded_and_cleaned_as_well(browser, deliver):
    html = '<p>New</p><blockquote type="cite"><p>Old</p><script>alert(1)</script></blockquote>'
    text, _script = shown(browser, deliver(raw_letter(html=html))[0])
    assert "<details" in text and "Old" in text and "<script" not in text


def test_a_letter_whose_copy_is_lost_says_so(browser, deliver, caplog):
    letter = deliver(raw_letter(text="Hello"))[0]
    blobs.remove(letter.account_id, letter.blob)
    text, _script = shown(browser, letter)
    assert "missing or damaged" in text and "Hello" not in text
    assert letter.public_id in caplog.text


def test_letters_with_a_layout_are_darkened_for_who_chose_that(browser, ines, deliver):
    letter = deliver(raw_letter(html="<p>Hi</p>"))[0]
    address = f"/messages/{letter.public_id}/body"
    assert "data-paper" not in browser.get(address).content.decode().partition("<style>")[0]
    browser.post("/settings/appearance", {"paper": "dark"})
    assert 'data-paper="auto"' in browser.get(address).content.decode()
    assert 'data-paper="white"' in browser.get(f"{address}?paper=white").content.decode()


def pictures(browser, letter):
    text, _script = shown(browser, letter)
    return [address.replace("&amp;", "&") for address in re.findall(r'src="(/messages/[^"]+)"', text)]


def test_a_picture_in_the_letter_is_shown_without_a_cookie(browser, sign_in, deliver):
    """The frame is of no origin, so it sends no cookie: the address is signed."""
    letter = deliver(raw_letter(html='<img src="cid:logo">', files=[("l.png", "image/png", PIXEL, "logo")]))[0]
    [address] = pictures(browser, letter)
    answer = sign_in(None).get(address)
    assert answer.status_code == 200
    assert answer.content == PIXEL and answer.headers["Content-Type"] == "image/png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.case("C07")
@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/xhtml+xml", "application/pdf"])
def test_only_rasters_are_shown_inline(browser, deliver, kind):
    files = [("x", kind, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "logo")]
    letter = deliver(raw_letter(html='<img src="cid:logo">', files=files))[0]
    assert [browser.get(address).status_code for address in pictures(browser, letter)] in ([404], [])


def test_a_signature_for_one_picture_opens_no_other(browser, sign_in, deliver, ines, jonas, mailbox):
    letter = deliver(raw_letter(html='<img src="cid:logo">', files=[("l.png", "image/png", PIXEL, "logo")]))[0]
    [address] = pictures(browser, letter)
    index = letter.attachments.get().index
    base = f"/messages/{letter.public_id}/inline/{index}"
    forged = signing.dumps([letter.pk, index, jonas.pk], salt="inline")
    assert sign_in(None).get(base).status_code == 404
    assert sign_in(None).get(f"{base}?key=x").status_code == 404
    assert sign_in(None).get(f"{base}?key={forged}").status_code == 404  # jonas may not read it
    assert sign_in(None).get(address.replace(f"/inline/{index}", f"/inline/{index + 1}")).status_code == 404
    mailbox.owner = jonas
    mailbox.save()
    assert sign_in(None).get(address).status_code == 404  # ines no longer may


@pytest.mark.case("B19")
def test_eml_is_the_exact_bytes(browser, deliver):
    raw = b"From: a@b.example\nSubject: \xff\xfe raw\r\nX-Odd : y\n\nbody\x00\x80 end"
    letter = deliver(raw)[0]
    answer = browser.get(f"/messages/{letter.public_id}/letter.eml")
    assert answer.content == raw
    assert answer.headers["Content-Disposition"].startswith("attachment")
    source = browser.get(f"/messages/{letter.public_id}/source")
    assert source.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in source.headers["Content-Security-Policy"]
