"""Web Push to the end: a browser subscribes, our worker in it shows what was pushed, and a click leads to the letter.

The browser here has no maker's push service. What the page is given by one comes from the rig, which reads what we send
as a browser would (RFC 8291) and hands it to the worker through the debugging protocol, as that service does.
"""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.rig.dovecot import wait_until
from tests.rig.pushing import PushService, Receiver

from .test_list import users  # noqa: F401  fixtures
from .test_new_letter import letter
from .test_reminder import stored
from .test_writing import page, sink  # noqa: F401  fixtures

GIVEN = """
window.Notification.requestPermission = async () => "granted";
PushManager.prototype.subscribe = async function (wanted) {
  if (!wanted.userVisibleOnly || wanted.applicationServerKey.length !== 65) throw new Error("not as RFC 8292 wants it");
  const keys = KEYS;
  const plain = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = (text) => Uint8Array.from(plain(text), (sign) => sign.charCodeAt(0));
  return { endpoint: keys.endpoint, getKey: (name) => bytes(keys[name]).buffer };
};
"""
PUSH = """
from django.utils import timezone
from letterdesk.notifications.pushing import due, push_to
for key in due(now=timezone.now()): push_to(key, now=timezone.now())
"""
SHOWN = "self.registration.getNotifications().then((all) => all.map(({title, body}) => ({title, body})))"
CLICK = """async (title) => {
  const led = new Promise((done) => { clients.openWindow = async (address) => done(address); });
  const [shown] = (await self.registration.getNotifications()).filter((each) => each.title === title);
  dispatchEvent(new NotificationEvent("notificationclick", { notification: shown }));
  return led;
}"""


@pytest.fixture
def service(authority):
    with PushService(authority.pair()) as running:
        yield running


def test_a_browser_subscribes_shows_what_is_pushed_and_leads_to_the_letter(page, house, service, users, dovecot):  # noqa: F811
    receiver = Receiver()
    page.context.grant_permissions(["notifications"], origin=house.address)
    page.context.add_init_script(GIVEN.replace("KEYS", json.dumps(receiver.form(service.address()))))
    browser = Worker(page, house.address)
    page.goto("/settings/notifications")
    page.get_by_role("button", name="Push to this browser").click()
    expect(page.get_by_role("button", name="Send a test")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    browser.deliver(receiver.read(pushed(service, 1)))
    test = {"title": "This is a test", "body": "Pushes from Letterdesk reach this browser."}
    wait_until(lambda: browser.shows(test), timeout=60)
    assert urlsplit(browser.click("This is a test")).path == "/notifications"

    nobody_looks(page, house)
    stored(house, "UPDATE notifications_notification SET seen_at = at, pushed_at = at")  # of the journeys before
    dovecot.deliver(users[-1], letter("Twelve lamps"))
    new = "SELECT 1 FROM notifications_notification WHERE kind = 'letters' AND seen_at IS NULL"
    wait_until(lambda: stored(house, new), timeout=60)
    nobody_looks(page, house)
    push(house)
    browser.deliver(receiver.read(pushed(service, 2)))
    told = {"title": "1 new letter in Ines", "body": "Amara Okafor: Twelve lamps"}
    wait_until(lambda: browser.shows(told), timeout=60)
    page.goto(browser.click(told["title"]))
    expect(page.get_by_role("heading", name="Twelve lamps").first).to_be_visible()
    assert not browser.shows(told)  # a click takes it away


class Worker:
    """Our worker in this page's browser, and the push service's way to it."""

    def __init__(self, window, origin):
        self.page, self.origin, self.known = window, origin, []
        self.protocol = window.context.new_cdp_session(window)
        self.protocol.on(
            "ServiceWorker.workerRegistrationUpdated", lambda told: self.known.extend(told["registrations"])
        )
        self.protocol.send("ServiceWorker.enable")

    @property
    def script(self):
        return next(each for each in self.page.context.service_workers if "push-worker" in each.url)

    def deliver(self, message):
        registration = next(each for each in self.known if each["scopeURL"].startswith(self.origin))
        facts = {"origin": self.origin, "registrationId": registration["registrationId"], "data": message.decode()}
        self.protocol.send("ServiceWorker.deliverPushMessage", facts)

    def shows(self, wanted):
        return wanted in self.script.evaluate(SHOWN)

    def click(self, title):
        """Where a click on this notification leads."""
        return self.script.evaluate(CLICK, title)


def pushed(service, count):
    """What the service was handed, when it is so many."""
    wait_until(lambda: len(service.got) >= count, timeout=60)
    return service.got[count - 1].body


def nobody_looks(window, house):
    """The window shows something else, for longer than pushes are held back for who looks; the push is due."""
    window.goto("about:blank")
    past = str(datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=2))
    stored(house, "UPDATE notifications_telling SET present_at = NULL, pushed_at = NULL, push_due_at = ?", past)


def push(house):
    house.commands.python(PUSH)
