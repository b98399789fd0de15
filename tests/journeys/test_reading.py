"""Read a conversation: images on demand, folded, printed, taken apart, by keyboard, on a telephone, without script."""

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.rig.leakpage import Canary, maildir

from .conftest import sign_in
from .house import House

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "narrowest": {"viewport": {"width": 320, "height": 640}},  # WCAG 1.4.10
}
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
OBSERVE = "window.__shift=0;new PerformanceObserver(l=>{for(const e of l.getEntries())if(!e.hadRecentInput)__shift+=e.value}).observe({type:'layout-shift',buffered:true})"  # noqa: E501


def letter(number, subject, text, *, html=None, reply=None, sender="Amara Okafor <amara@okafor.example>", files=()):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "Ines <ines@acme.example>", subject
    message["Message-ID"] = f"<{number}@x.example>"
    if reply:
        message["In-Reply-To"] = message["References"] = f"<{reply}@x.example>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


@pytest.fixture(scope="module")
def pictures():
    canary = Canary()
    yield canary
    canary.stop()


@pytest.fixture(scope="module")
def library(tmp_path_factory, pictures):
    """A company whose Ines has a long conversation, right-to-left letters and very long words; nobody's server."""
    running = House(tmp_path_factory.mktemp("library"), process="web")
    running.environment["LETTERDESK_IMAGE_NETWORKS"] = "127.0.0.0/8"
    running.start()
    read = [letter(1, "Desks", "first words")]
    read += [letter(number, "Re: Desks", f"answer {number}", reply=number - 1) for number in range(2, 8)]
    html = (
        f'<p style="font-size:20px">Our offer</p><img src="{pictures.address}/logo.gif" alt="Logo" width=300 height=90>'
    )
    unread = [
        letter(8, "Re: Desks", "-", html=html, reply=7, files=[("a.pdf", b"x"), ("b.pdf", b"y")]),
        letter(9, "Re: Desks", "last words\n\nOn Monday Amara wrote:\n> our offer\n> for you\n", reply=8),
        letter(20, "Re: عرض السعر لأربعين مقعدا", "مرحبا إينس\n\nHello, too.", sender='"عمار" <a@okafor.example>'),
        letter(30, LONG, f"{LONG} https://x.example/{'a/' * 150}", sender=f"{LONG} <{'a' * 60}@{'b' * 60}.example>"),
    ]
    for name, letters, age in (("read", read, 7200), ("unread", unread, 3600)):
        box = maildir(tmp_path_factory.mktemp(name), letters, seen=name == "read", age=age)
        running.command("import", str(box), "--owner", "ines@acme.example", "--into", "ines@acme.example")
    yield running
    running.stop()


@pytest.fixture
def reader(chromium, library):
    """Pages of Ines that may not complain."""
    opened = []

    def enter(path="/", **options):
        options = {"viewport": {"width": 1440, "height": 900}, **options}
        context = chromium.new_context(base_url=library.address, **options)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.add_init_script(OBSERVE)
        sign_in(page, "ines@acme.example", at=library.address)
        page.goto(path)
        opened.append((context, page))
        return page

    yield enter
    for context, page in opened:
        complaints = page.complaints
        context.close()
        assert not complaints


def address_of(page, words):
    page.goto("/")
    return page.locator("#rows .row-subj a", has_text=words).first.get_attribute("href")


def loaded(page, words):
    frames = page.locator(".message[open] iframe.mail-frame")
    expect(frames.last.content_frame.get_by_text(words)).to_be_visible()


def offer(page):
    """The letter with files and an image, opened."""
    message = page.locator(".message", has_text="a.pdf")
    if message.get_attribute("open") is None:
        message.locator("> summary").click()
    return message


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("subject", "words"), [("Desks", "last words"), ("عرض", "Hello, too."), ("Donau", "Donau")])
def test_an_open_conversation_is_accessible_and_fits(reader, axe, look, subject, words):
    page = reader(**LOOKS[look])
    page.goto(address_of(page, subject))
    loaded(page, words)
    if subject == "Desks":
        page.locator(".message[open] .message-details > summary").first.click()
        expect(page.get_by_text("does not say over which way").first).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert (
        page.evaluate("(() => { const r = document.querySelector('.read'); return r.scrollWidth - r.clientWidth })()")
        <= 0
    )
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_at_twice_the_size_everything_is_still_there(reader):
    page = reader(viewport={"width": 640, "height": 450}, device_scale_factor=2)  # 1280 pixels at 200 %
    page.goto(address_of(page, "Desks"))
    loaded(page, "last words")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    expect(page.locator(".conversation h1")).to_be_visible()


def test_images_come_when_they_are_wanted_and_through_us_alone(reader, pictures):
    page = reader()
    page.goto(address_of(page, "Desks"))
    message = offer(page)
    gate = message.locator(".gate")
    expect(gate).to_contain_text("1 remote image is blocked")
    assert pictures.asked == []
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    gate.get_by_role("button", name="Show", exact=True).click()
    frame = message.locator("iframe.mail-frame").content_frame
    expect(message.locator(".gate")).to_have_count(0)
    expect(frame.locator("img")).to_have_js_property("naturalWidth", 1)
    assert not [url for url in asked if not url.startswith(page.url.split("/mail/")[0])]
    [fetched] = pictures.asked
    assert not fetched.headers.keys() & {"cookie", "referer"}


def test_letters_are_read_by_being_in_sight_and_the_list_hears_of_it(reader):
    page = reader()
    address = address_of(page, "Desks")
    page.goto(address)
    expect(page.locator(".earlier > summary")).to_contain_text("earlier letters")
    last = page.locator(".message").last
    last.scroll_into_view_if_needed()
    with page.expect_response(lambda answer: answer.url.endswith("/seen") and answer.status == 204):
        expect(last).not_to_have_class(re.compile("unread"), timeout=10_000)


def test_from_letter_to_letter_and_from_conversation_to_conversation_by_keys(reader):
    page = reader()
    page.goto(address_of(page, "Desks"))
    loaded(page, "last words")
    page.locator(".message summary").first.focus()
    page.keyboard.press("n")
    expect(page.locator(".message:focus-within")).to_have_count(1)
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.closest('.message') === document.querySelector('.message')")
    step = page.locator("[data-step]:visible").first
    to = step.get_attribute("href")
    step.click()
    page.wait_for_url(f"**{to}")
    expect(page.locator(".conversation")).to_have_attribute("data-id", to.split("/")[-1].split("?")[0])


def test_nothing_moves_when_a_letter_is_opened_again(reader):
    page = reader()
    address = address_of(page, "Desks")
    for _ in range(2):
        page.goto(address)
        loaded(page, "last words")
        page.wait_for_timeout(700)
    shift = page.evaluate("__shift")
    print(f"\nlayout shift of a conversation that was opened before: {shift:.4f}")
    assert shift < 0.02  # ux.md 4.5


def test_without_script_letters_are_read_and_images_shown(chromium, library):
    context = chromium.new_context(base_url=library.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "ines@acme.example", at=library.address)
    address = address_of(page, "Desks")
    page.goto(address)
    loaded(page, "last words")
    offer(page).get_by_role("button", name="Show", exact=True).click()
    assert "images=" in page.url
    picture = page.locator(".message", has_text="a.pdf").locator("iframe.mail-frame")
    assert "?images=" in picture.get_attribute("src")
    page.goto(address)
    page.locator(".conversation > .toolbar .menu > summary").click()
    expect(page.get_by_role("link", name="Print all letters")).to_be_visible()
    context.close()


def test_a_letter_is_taken_out_and_brought_back(reader, axe):
    page = reader()
    page.goto(address_of(page, "Desks"))
    last = page.locator(".message").last
    last.locator(".menu > summary").click()
    axe(page)
    last.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("Taken out.")).to_be_visible()
    expect(page.locator(".message")).to_have_count(1)
    page.locator(".conversation > .toolbar .menu > summary").click()
    page.get_by_role("link", name="Join with another conversation").click()
    axe(page)
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Join them").click()
    expect(page.get_by_text("Joined.")).to_be_visible()
    expect(page.locator(".message")).to_have_count(9)


def test_who_chose_dark_paper_has_it_while_the_page_is_dark(reader):
    darkened = "getComputedStyle(document.body).filter !== 'none'"
    page = reader(color_scheme="dark")
    page.goto("/settings/appearance")
    page.get_by_label("Darkened (colours may look odd)").check()
    page.get_by_role("button", name="Save").click()
    page.goto(address_of(page, "Desks"))
    message = offer(page)
    frame = message.locator("iframe.mail-frame").content_frame
    expect(frame.get_by_text("Our offer")).to_be_visible()
    assert frame.locator("html").evaluate(darkened)
    message.locator(".menu > summary").click()
    expect(message.get_by_role("button", name="Dark paper")).to_have_attribute("aria-pressed", "true")
    message.get_by_role("button", name="Dark paper").click()
    expect(frame.locator("html")).to_have_attribute("data-paper", "white")
    assert not frame.locator("html").evaluate(darkened)
    page.emulate_media(color_scheme="light")
    page.reload()
    offer(page)
    expect(frame.get_by_text("Our offer")).to_be_visible()
    assert not frame.locator("html").evaluate(darkened)
    page.goto("/settings/appearance")
    page.get_by_label("On white paper, as their sender made them").check()
    page.get_by_role("button", name="Save").click()


def test_paper_turns_dark_and_print_is_a_page_of_its_own(reader, axe):
    page = reader(color_scheme="dark")
    page.goto(address_of(page, "Desks"))
    message = offer(page)
    expect(message.locator("iframe.mail-frame").content_frame.get_by_text("Our offer")).to_be_visible()
    message.locator(".menu > summary").click()
    message.get_by_role("button", name="Dark paper").click()
    expect(message.locator("iframe.mail-frame").content_frame.locator("html")).to_have_attribute("data-paper", "dark")
    page.locator(".conversation > .toolbar .menu > summary").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Print all letters").click()
    printed = opened.value
    expect(printed.get_by_text("first words")).to_be_visible()
    expect(printed.locator("article")).to_have_count(9)
    page.goto("/settings/images")
    axe(page)
