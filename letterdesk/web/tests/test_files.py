"""All files of a letter in one zip, pictures as thumbnails, the way a letter came, letters on paper."""

import asyncio
import io
import zipfile

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from letterdesk.web.mail import attachments
from letterdesk.web.mail.attachments import names_in_zip
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_body import PIXEL


def test_names_in_a_zip_are_safe_and_differ():
    names = names_in_zip(["a.pdf", "A.PDF", "../../etc/passwd", "a.pdf", "C:\\x\\y.txt", "", "x\u202egnp.exe", ".env"])
    assert (names[:2] == ["a.pdf", "A (2).PDF"] and names[3] == "a (2).pdf") or names[3] == "a (3).pdf"
    assert len({name.casefold() for name in names}) == len(names)
    assert not [name for name in names if "/" in name or "\\" in name or ".." in name[:2] or "\u202e" in name]


@pytest.mark.django_db(transaction=True)
def test_all_files_come_in_one_zip_byte_for_byte(ines, deliver):
    files = [("a.pdf", "application/pdf", b"%PDF-1", ""), ("a.pdf", "application/pdf", b"%PDF-2", ""),
             ("logo.png", "image/png", PIXEL, "logo")]  # fmt: skip
    letter = deliver(raw_letter("Files: <all>", html='<img src="cid:logo">', files=files))[0]

    async def story():
        client = AsyncClient(HTTP_HOST="127.0.0.1")
        await sync_to_async(client.force_login)(ines)
        answer = await client.get(f"/messages/{letter.public_id}/attachments.zip")
        return answer, b"".join([piece async for piece in answer.streaming_content])

    answer, content = asyncio.run(story())
    assert answer["Content-Type"] == "application/zip" and "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Disposition"].startswith("attachment") and "<" not in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {"a.pdf": b"%PDF-1", "a (2).pdf": b"%PDF-2"}


def test_too_much_for_one_zip_is_refused(browser, deliver, monkeypatch):
    letter = deliver(raw_letter(files=[("a.pdf", "application/pdf", b"x" * 100, "")]))[0]
    monkeypatch.setattr(attachments, "MOST_ZIPPED", 50)
    assert browser.get(f"/messages/{letter.public_id}/attachments.zip").status_code == 404


@pytest.mark.case("C07")
def test_pictures_alone_have_thumbnails(browser, inbox, deliver):
    files = [
        ("a.png", "image/png", PIXEL, ""),
        ("b.svg", "image/svg+xml", b"<svg/>", ""),
        ("c.html", "text/html", b"x", ""),
    ]
    letter = deliver(raw_letter(files=files))[0]
    page = browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()
    assert page.count('<img src="/messages/') == 1
    assert "Download all 3" in page


def test_what_calls_itself_a_picture_and_is_none_is_not_shown(browser, deliver, inbox):
    letter = deliver(raw_letter(files=[("a.png", "image/png", b"<svg onload='alert(1)'/>", "")]))[0]
    page = browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()
    address = page.split('<img src="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    assert browser.get(address).status_code == 404


def test_the_way_a_letter_came_is_told_by_whom_it_is_said(browser, deliver):
    results = "mx.acme.example; spf=pass smtp.mailfrom=x.example; dkim=fail header.d=x.example; dmarc=pass"
    raw = raw_letter(Received="from a.example by mx.acme.example with ESMTPS id 1; Tue, 3 Nov 2026 10:00:00 +0000",
                     Authentication_Results=results)  # fmt: skip
    field = b"Authentication-Results"
    forged = raw.replace(field, field + b": mx.acme.example; spf=fail\n" + field)
    letter = deliver(raw)[0]
    topmost = deliver(forged.replace(b"Offer", b"Forged"))[0]
    assert "SPF fail." in browser.get(f"/messages/{topmost.public_id}/security").content.decode()
    page = browser.get(f"/messages/{letter.public_id}/security").content.decode()
    assert "Encrypted on its last way, to mx.acme.example." in page
    assert "mx.acme.example wrote: SPF pass, DKIM fail, DMARC pass." in page
    bare = deliver(raw_letter("Bare"))[0]
    told = browser.get(f"/messages/{bare.public_id}/security", headers={"HX-Request": "true"}).content.decode()
    assert "does not say over which way" in told and "No server wrote" in told and "<html" not in told


def test_a_conversation_is_printed_whole_or_one_letter(browser, deliver):
    first = raw_letter("Desks", Message_ID="<1@x.example>", html="<p>one <script>alert(1)</script></p>")
    second = raw_letter("Re: Desks", In_Reply_To="<1@x.example>", text="two", files=[("a.pdf", "a/b", b"x", "")])
    one, two = deliver(first, second)
    answer = browser.get(f"/conversations/{one.conversation.public_id}/print")
    page = answer.content.decode()
    assert page.count("<article>") == 2 and "a.pdf" in page and page.count("<script") == 1
    assert "sandbox allow-scripts" in answer["Content-Security-Policy"]
    assert "allow-same-origin" not in answer["Content-Security-Policy"]
    alone = browser.get(
        f"/conversations/{one.conversation.public_id}/print", {"letter": two.public_id}
    ).content.decode()
    assert alone.count("<article>") == 1 and "one" not in alone.split("<article>")[1]
    assert browser.get(f"/conversations/{one.conversation.public_id}/print", {"letter": "x"}).status_code == 404
