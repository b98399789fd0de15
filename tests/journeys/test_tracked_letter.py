"""A letter written at a record is opened and its link followed, by a machine and by a person; then it comes back after
all, by SMTP, to the address in its envelope (R24)."""

import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from letterdesk.mail.parse import read_body
from letterdesk.outbound.tests.test_bounces import HARD, report
from tests.rig.sink import Sink
from tests.rig.wire import hand_over

from .conftest import sign_in
from .house import House
from .test_write_from_crm import add_a_sender, confirm, taken

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
PATIENCE = 120_000  # milliseconds: what was opened is counted a quarter of a minute later, by a job


@pytest.fixture
def post():
    """The mail of the installation itself."""
    with Sink() as running:
        yield running


@pytest.fixture
def house(tmp_path_factory, post):
    address = f"smtp+plain://{post.host}:{post.port}"
    running = House(tmp_path_factory.mktemp("tracked"), plan="free", EMAIL_URL=address)
    running.start()
    yield running
    running.stop()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_request):
        return None


def fetch(address, agent):
    """What stands at the address: its status, and where it leads."""
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(urllib.request.Request(address, headers={"User-Agent": agent}), timeout=30) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("Location", "")


def allow(page, axe):
    page.goto("/settings/crm")
    page.get_by_label("Counted in letters whose writer wants it").check()
    page.locator("#tracking").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    axe(page)


def write(page, axe):
    page.goto("/crm/contacts/new?name=Amara+Okafor&address=amara@okafor.example")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Write", exact=True).click()
    page.wait_for_url("**/drafts/*")
    page.get_by_label("Subject").fill("Forty desks")
    letter = page.get_by_role("textbox", name="Letter")
    letter.click()
    letter.press_sequentially("https://acme.example/offer ")
    page.get_by_label("Count opens and clicks").check()
    axe(page)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/crm/records/*")


def test_who_wrote_a_letter_sees_who_opened_it_and_that_it_came_back(open_page, house, post, axe):
    page = open_page()
    sign_in(page, "ines@acme.example", at=house.address)
    with Sink() as sink:
        add_a_sender(page, sink, axe)
        confirm(open_page(), post, axe)
        allow(page, axe)
        write(page, axe)
        html = read_body(taken(sink)).html
        [letter] = sink.taken
    link, picture = re.findall(r'(?:href|src)="(http[^"]+/t/[^"]+)"', html)
    page.wait_for_timeout(11_000)  # whoever opens it sooner is no person
    assert fetch(picture, "Mozilla/5.0") == (200, "")
    assert fetch(picture, FIREFOX) == (200, "")
    assert fetch(link, FIREFOX) == (302, "https://acme.example/offer")

    entry = page.locator("details.message", has_text="acme.example/offer")
    for _look in range(60):
        if entry.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    entry.locator("summary").click()
    told = entry.locator(".tracked")
    expect(told).to_contain_text("Opened by a person once", timeout=PATIENCE)  # live: nobody loads the page anew
    expect(told).to_contain_text("Apple Mail’s privacy protection (1)")
    expect(told).to_contain_text("https://acme.example/offer: by a person once")
    axe(page)

    assert letter.sender.startswith("bounces+") and letter.sender.endswith("@in.acme.example")
    came_back = report("x@mx.example", ("amara@okafor.example", HARD)).replace(b"\n", b"\r\n")
    assert hand_over(house.inbound_port, "", letter.sender, came_back) == (250, "")
    warning = page.locator(".banner", has_text="did not reach everybody")
    for _look in range(60):
        page.reload()
        if warning.count():
            break
        page.wait_for_timeout(500)
    expect(warning).to_be_visible()
