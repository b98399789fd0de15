"""Hostile letters do nothing in the real page: nothing runs, nothing is fetched, nothing leaves its frame."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.rig.leakpage import NAMES, Leakpage, corpus, maildir

from .conftest import CHROMIUM, sign_in
from .house import House

TOGETHER = 33  # letters in one conversation
LEAKS_AT_LEAST = 40  # of the corpus, in a bare page of this browser; the rest is against others
MARKED = r"marker\d+end|everywhere\d"  # what each letter says
EVERYWHERE = [
    '"><img src=x onerror=top.PWNED=1 id=pwned>',
    "</title></textarea></script><script id=pwned>top.PWNED=2</script>",
    "' onmouseover='top.PWNED=3' autofocus onfocus='top.PWNED=4",
    "<svg onload=top.PWNED=5 id=pwned>{{ 7|add:7 }}{% load x %}${top.PWNED=6}",
    "javascript:top.PWNED=7//<a href=javascript:top.PWNED=8 id=pwned>x</a>",
    "\u202egnp.exe\u202c <b id=pwned>&lt;img src=x onerror=top.PWNED=9&gt;</b>",
]


@pytest.fixture(scope="module")
def leakpage(chromium, tmp_path_factory):
    rig = Leakpage(chromium, CHROMIUM, tmp_path_factory.mktemp("leakpage"))
    yield rig
    rig.stop()


@pytest.fixture(scope="module")
def letters(leakpage):
    return leakpage.letters()


def conversations(letters):
    """The corpus in conversations of some letters each, as raw letters."""
    for start in range(0, len(letters), TOGETHER):
        group = letters[start : start + TOGETHER]
        first = f"<hostile-{group[0].number}@mail.example>"
        asks = {"Disposition_Notification_To": "spy@mail.example", "Return_Receipt_To": "spy@mail.example"}
        yield from (letter.raw(first="" if letter is group[0] else first, **asks) for letter in group)


def everywhere(text, number):
    """A letter with `text` in each place that a letter has."""
    safe = re.sub(r"[\r\n]", "", text)
    name = safe.replace('"', "")
    head = f'From: "{name}" <mallory@mail.example>\r\nTo: "{name}" <ines@acme.example>\r\n'
    head += f"Subject: {safe}\r\nMessage-ID: <{safe.replace(' ', '')}@x>\r\nList-Id: {safe} <l.mail.example>\r\n"
    head += "List-Unsubscribe: <http://unsubscribe.leak.test/x>\r\nMIME-Version: 1.0\r\n"
    head += "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    file = "--b\r\nContent-Type: image/png; name=\"a\"\r\nContent-Disposition: attachment; filename*=utf-8''"
    name = "".join(f"%{byte:02X}" for byte in safe.encode())
    return f"{head}everywhere{number} {safe}\r\n{file}{name}\r\n\r\nx\r\n--b--\r\n".encode()


@pytest.fixture(scope="module")
def hostile_house(tmp_path_factory, letters):
    """A company with hostile names, one mailbox with the corpus and one with hostile text in every place."""
    running = House(tmp_path_factory.mktemp("hostile-house"), process="web")
    running.start()
    box = maildir(tmp_path_factory.mktemp("box"), list(conversations(letters)))
    running.command("import", str(box), "--owner", "ines@acme.example", "--into", "hostile@acme.example")
    texts = [everywhere(text, number) for number, text in enumerate(EVERYWHERE)]
    named = maildir(tmp_path_factory.mktemp("named"), texts)
    maildir(named, [texts[0]], name="<img src=x onerror=PWNED=1 id=pwned>")
    running.command("import", str(named), "--owner", "ines@acme.example", "--into", "named@acme.example")
    yield running
    running.stop()


@pytest.fixture
def watched(leakpage, hostile_house):
    """A page of Ines in the browser that logs, and who watches it."""
    leakpage.canary.asked.clear()
    context = leakpage.browser.new_context(base_url=hostile_house.address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page, "ines@acme.example", at=hostile_house.address)
    watch = leakpage.watch(page, hostile_house.address)
    yield page, watch
    context.close()


def conversation_addresses(page, mailbox):
    """Addresses of the conversations of a mailbox's folders."""
    found = []
    page.goto("/")
    group = page.locator("#folders .nav-group", has_text=mailbox)
    for folder in group.locator("a[href^='/mail/']").evaluate_all("all => all.map(a => a.getAttribute('href'))"):
        page.goto(folder)
        found += page.locator("#rows .row-subj a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    return found


def press_all(summaries):
    """Open them. By script: a frame above that grows moves a summary away under a click of the pointer."""
    summaries.evaluate_all("all => all.forEach(each => each.click())")


def bring_into_sight(frame):
    """So that it loads."""
    frame.evaluate("frame => frame.scrollIntoView({ block: 'center' })")


def open_letters(page, choose=lambda messages: messages):
    """Open the letters of a conversation that `choose` leaves, wait until each frame has loaded; returns the frames."""
    press_all(page.locator(".earlier:not([open]) > summary"))
    press_all(choose(page.locator("details.message:not([open])")).locator("> summary"))
    frames = choose(page.locator("details.message")).locator("iframe.mail-frame")
    for frame in frames.all():  # they load side by side
        bring_into_sight(frame)
    for frame in frames.all():
        bring_into_sight(frame)
        expect(frame.content_frame.locator("body")).to_contain_text(re.compile(MARKED), timeout=20_000)
    return frames


def frames_of(page, letters):
    """(letter, its frame, opened and loaded) of those of these letters that are in the open conversation."""
    of = {letter.marker: letter for letter in letters}
    snippet = page.locator(".message-snippet", has_text=re.compile("|".join(of)))
    for frame in open_letters(page, lambda messages: messages.filter(has=snippet)).all():
        bring_into_sight(frame)
        yield of[re.search(MARKED, frame.content_frame.locator("body").text_content())[0]], frame


def close_popups(watch):
    """None of the open popups knows who opened it; then they are closed."""
    for popup in [popup for popup in watch.popups if not popup.is_closed()]:
        assert popup.evaluate("window.opener") is None
        popup.close()


@pytest.mark.case("C01", "C02", "C03", "C04", "C08", "C10", "C12", "C13")
def test_no_letter_of_the_corpus_runs_or_fetches_anything(watched, leakpage, letters):
    page, watch = watched
    shown = 0
    for address in conversation_addresses(page, "hostile@acme.example"):
        page.goto(address)
        shown += open_letters(page).count()
        page.wait_for_timeout(2500)  # what waits, waits at most that long
        assert watch.harm() == []
        assert page.url.endswith(address)
    assert shown == len(letters) >= 60
    assert leakpage.canary.asked == []


def test_the_same_letters_leak_where_nothing_protects_them(chromium, leakpage, letters):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(leakpage.bare(letters))
    page.wait_for_timeout(4000)
    paths = " ".join(asked.path for asked in leakpage.canary.asked)
    fetched = {int(number) for number in re.findall(r"/leak/(\d+)", paths)}
    ran = {number - 1 for number in page.evaluate("ran")}
    context.close()
    leaking = fetched | ran
    print(f"\n{len(leaking)} of {len(letters)} letters act in a bare page: {len(fetched)} fetch, {len(ran)} run")
    assert len(leaking) >= LEAKS_AT_LEAST
    for case in ("C01", "C02", "C03", "C04", "C08", "C10", "C11", "C12"):
        assert [letter for letter in letters if case in letter.cases and letter.number in leaking], case


@pytest.mark.case("C12")
def test_every_link_opens_elsewhere_and_learns_nothing(watched, leakpage, letters):
    page, watch = watched
    linking = [letter for letter in letters if "href" in letter.html]
    for address in conversation_addresses(page, "hostile@acme.example"):
        page.goto(address)
        for _letter, frame in frames_of(page, linking):
            links = frame.content_frame.locator("a[href]")
            for which in range(links.count()):
                links.nth(which).click(force=True, timeout=5000)
            page.wait_for_timeout(200)
            close_popups(watch)
            page.bring_to_front()  # behind its popups the page would not load its next frames
        assert page.url.endswith(address)
        assert not page.evaluate("'PWNED' in window")
    page.wait_for_timeout(500)
    close_popups(watch)
    assert watch.popups
    heard = [asked for asked in leakpage.canary.asked if "/leak/" in asked.path]  # not its own favicon
    for asked in heard:  # a person clicked: the host hears of it, and of nothing else
        assert asked.method == "GET" and not asked.headers.keys() & {"referer", "cookie", "origin"}


@pytest.mark.case("C09")
def test_what_leaves_its_place_stays_in_its_frame(watched, letters):
    page, watch = watched
    wanted = [letter for letter in letters if "C09" in letter.cases]
    looked_at = []
    for address in conversation_addresses(page, "hostile@acme.example"):
        page.goto(address)
        for letter, frame in frames_of(page, wanted):
            assert frame.bounding_box()["height"] <= 30_000
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            bar = page.locator(".conversation > .toolbar")
            page.wait_for_timeout(300)
            with_letter = bar.screenshot()
            frame.evaluate("frame => { frame.style.visibility = 'hidden' }")
            assert bar.screenshot() == with_letter
            looked_at.append(letter)
        assert watch.harm() == []
    assert len(looked_at) == len(wanted)


@pytest.mark.case("C05")
def test_hostile_text_is_text_wherever_it_is_shown(watched, leakpage):
    page, watch = watched
    addresses = conversation_addresses(page, "named@acme.example")
    assert len(addresses) == len(EVERYWHERE) + 1
    for address in addresses:
        page.goto(address)
        open_letters(page)
        page.locator(".message-details > summary").first.click()
        assert watch.harm() == []
    places = ["/", "/mailboxes", "/people", "/plans", "/settings", "/search"]
    for number, text in enumerate(EVERYWHERE):
        places += [f"/search?q=everywhere{number}"]
        page.goto(f"/search?{urlencode({'q': text})}")
        assert watch.harm() == []
    for place in places:
        page.goto(place)
        page.mouse.move(700, 400)
        assert watch.harm() == [], place
    assert leakpage.canary.asked == []


@pytest.mark.case("C05")
def test_hostile_text_is_text_in_what_is_said_at_the_bottom(watched):
    page, watch = watched
    for address in conversation_addresses(page, "named@acme.example")[:3]:
        page.goto(address)
        page.locator(
            ".conversation .toolbar button[value=star], .conversation .toolbar button[value=archive]"
        ).first.click()
        page.wait_for_load_state()
        assert watch.harm() == []


@pytest.mark.case("C11", "C13")
def test_no_name_of_a_letter_is_ever_looked_up(leakpage, letters):
    """The last test here: it closes the browser, whose log says what names it asked for in all the others."""
    page = leakpage.browser.new_page()
    page.goto(leakpage.canary.page("/control", f"<!doctype html><img src=//control.{NAMES}>"))
    page.wait_for_timeout(500)
    clicked = {f"d{letter.number}.{NAMES}" for letter in letters if "href" in letter.html}  # by the test of links
    assert leakpage.names_asked() - clicked == {f"control.{NAMES}"}


def test_the_corpus_is_large_and_names_its_cases():
    lines = list(corpus())
    assert len(lines) >= 60 and all(cases for cases, _line in lines)
