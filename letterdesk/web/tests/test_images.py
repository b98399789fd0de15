"""Remote images: blocked until the reader wants them, then fetched here alone (C10)."""

import re
import time

import pytest
from django.core import signing

from letterdesk.mailboxes.models import FolderRole, ImageConsent
from letterdesk.web.mail import images
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.leakpage import PIXEL, Canary

pytestmark = pytest.mark.case("C10")


@pytest.fixture
def server(settings):
    settings.IMAGE_NETWORKS = ["127.0.0.0/8"]
    canary = Canary()
    yield canary
    canary.stop()
    images._kept.clear()


@pytest.fixture
def letter(server, deliver):
    html = f'<p>Hi</p><img src="{server.address}/a.gif"><p style="background:url({server.address}/b.gif)">x</p>'
    return deliver(raw_letter(html=html))[0]


def text(client, letter, **query):
    return client.get(f"/messages/{letter.public_id}/body", query).content.decode()


def addresses(page):
    return [found.replace("&amp;", "&") for found in re.findall(r"/messages/[a-z2-7]+/image\?key=[^\"')]+", page)]


def show(client, letter, how, **more):
    return client.post(f"/messages/{letter.public_id}/images", {"show": how, **more})


def once(client, letter):
    return re.search(r"images=[a-z2-7]{16}\.([^#]+)", show(client, letter, "once")["Location"])[1]


def test_nothing_is_fetched_before_the_reader_wants_it(browser, letter, server):
    page = text(browser, letter)
    assert not addresses(page) and "blockedImages: 2" in page
    assert server.asked == []


def test_shown_once_they_come_through_us_without_a_cookie(browser, sign_in, letter, server):
    page = text(browser, letter, images=once(browser, letter))
    found = addresses(page)
    assert len(found) == 2 and server.address not in page and "blockedImages: 0" in page
    for address in found:
        answer = sign_in(None).get(address)
        assert answer.status_code == 200 and answer.content == PIXEL
        assert answer["Content-Type"] == "image/gif" and "sandbox" in answer["Content-Security-Policy"]
    assert {asked.path for asked in server.asked} == {"/a.gif", "/b.gif"}
    for asked in server.asked:
        assert not asked.headers.keys() & {"cookie", "referer", "x-forwarded-for"}
        assert asked.headers["user-agent"] == "Letterdesk"
    assert not addresses(text(browser, letter))  # once is once


def test_opened_again_within_minutes_the_sender_is_not_asked_again(browser, letter, server):
    for _ in range(3):
        for address in addresses(text(browser, letter, images=once(browser, letter))):
            assert browser.get(address).status_code == 200
    assert len(server.asked) == 2


@pytest.mark.parametrize(("how", "kept"), [("sender", "amara@okafor.example"), ("domain", "@okafor.example")])
def test_always_is_remembered_and_can_be_taken_back(browser, letter, deliver, ines, how, kept):
    show(browser, letter, how)
    assert [each.sender for each in ImageConsent.objects.visible_to(ines)] == [kept]
    assert len(addresses(text(browser, letter))) == 2
    mate = deliver(raw_letter(html=f'<img src="http://x.example/{how}.gif">', sender="Bo <bo@okafor.example>"))[0]
    assert len(addresses(text(browser, mate))) == (how == "domain")
    assert kept in browser.get("/settings/images").content.decode()
    browser.post("/settings/images", {"forget": kept})
    assert not addresses(text(browser, letter))


def test_a_choice_is_one_s_own(browser, sign_in, people, letter):
    show(browser, letter, "sender")
    reader = sign_in(people["reader"])
    assert not addresses(text(reader, letter))
    assert reader.post("/settings/images", {"forget": "amara@okafor.example"}).status_code == 404


def test_in_spam_no_choice_counts_and_none_is_offered(browser, letter, deliver, archive, ines):
    show(browser, letter, "domain")
    archive.role = FolderRole.SPAM
    archive.save()
    spam = deliver(raw_letter(html='<img src="http://x.example/spam.gif">'), folder=archive)[0]
    assert not addresses(text(browser, spam))
    assert show(browser, spam, "sender").status_code == 404
    page = browser.get(f"/mail/{archive.public_id}/{spam.conversation.public_id}").content.decode()
    assert 'value="once"' in page and 'value="sender"' not in page
    assert ImageConsent.objects.visible_to(ines).count() == 1


def test_an_address_is_for_one_reader_one_letter_and_a_quarter_of_an_hour(
    browser, sign_in, letter, deliver, mailbox, ines, jonas, monkeypatch
):
    other = deliver(raw_letter("Other", html="<p>x</p>"))[0]
    key = once(browser, letter)
    [address, _second] = addresses(text(browser, letter, images=key))
    nobody = sign_in(None)
    assert not addresses(text(browser, other, images=key))
    assert nobody.get(address.replace(letter.public_id, other.public_id)).status_code == 404
    for made_up in ("", "x", signing.dumps([letter.pk, jonas.pk, "http://127.0.0.1/"], salt="remote"),
                    signing.dumps([letter.pk, ines.pk, "http://127.0.0.1/"], salt="inline")):  # fmt: skip
        assert nobody.get(f"/messages/{letter.public_id}/image", {"key": made_up}).status_code == 404
    with monkeypatch.context() as later:
        now = time.time()
        later.setattr("time.time", lambda: now + images.LINK_LIFE + 1)
        assert nobody.get(address).status_code == 404
    mailbox.owner = jonas
    mailbox.save()
    assert nobody.get(address).status_code == 404  # ines no longer may


def test_what_is_no_picture_or_not_to_be_had_is_missing(browser, deliver, server, settings):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        handler.wfile.write(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")

    server.answers["/x.svg"] = answer
    letter = deliver(raw_letter(html=f'<img src="{server.address}/x.svg"><img src="http://127.0.0.1:1/y.png">'))[0]
    found = addresses(text(browser, letter, images=once(browser, letter)))
    assert [browser.get(address).status_code for address in found] == [404, 404]
    settings.IMAGE_NETWORKS = []
    reached = len(server.asked)
    assert [browser.get(address).status_code for address in found] == [404, 404]
    assert len(server.asked) == reached  # loopback is private


def test_with_htmx_the_letter_comes_again_with_its_images(browser, letter):
    part = browser.post(f"/messages/{letter.public_id}/images", {"show": "once"}, headers={"HX-Request": "true"})
    page = part.content.decode()
    address = re.search(r'src="(/messages/[^"]+/body\?images=[^"]+)"', page)[1].replace("&amp;", "&")
    assert len(addresses(browser.get(address).content.decode())) == 2
    assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in page
