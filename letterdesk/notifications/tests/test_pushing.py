"""Web Push over a real connection to a push service, read by the browser that subscribed and by nobody else."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from letterdesk.accounts.dismiss import dismiss
from letterdesk.lib.webpush import public_text, signer
from letterdesk.mailboxes.models import Grant
from letterdesk.mailboxes.share import grant
from letterdesk.notifications.browsers import NotABrowser, live_browsers, subscribe
from letterdesk.notifications.decide import GAP
from letterdesk.notifications.jobs import push_what_is_due
from letterdesk.notifications.lines import lines_of
from letterdesk.notifications.models import Level, Notification, PushBrowser, Telling
from letterdesk.notifications.pushing import DEADLINE, LEASE, TIMEOUT, Message, _release, due, push_to, send, send_all
from letterdesk.notifications.seen import be_present, mark, see_all
from letterdesk.notifications.wishes import choose_levels, pause
from letterdesk.tasks.create import create
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.pushing import Receiver, verified

SOON = timedelta(seconds=6)
TEST = Message("Test", "", "/", "test")


def push_due(*, now):
    """As the jobs do it, one after the other; to how many people something went."""
    return sum(push_to(key, now=now) for key in due(now=now))


def read(service, receiver):
    return [json.loads(receiver.read(pushed.body)) for pushed in service.got]


def test_a_letter_is_pushed_to_the_browser_that_subscribed(deliver, told, ines, subscribed, service, settings):
    receiver = subscribed(ines)
    deliver(raw_letter("Offer"))
    told(ines)
    now = timezone.now()
    assert push_due(now=now) == 0  # a moment's patience: what comes together is told together
    assert push_due(now=now + SOON) == 1
    (message,) = read(service, receiver)
    assert (message["title"], message["body"]) == ("1 new letter in Ines", "Amara: Offer")
    assert message["address"] == f"/notifications/{Notification.objects.get().pk}"
    headers = service.got[0].headers
    assert headers["content-encoding"] == "aes128gcm" and int(headers["ttl"]) > 0
    claims = verified(headers["authorization"])
    assert claims["aud"] == service.address("")
    assert headers["authorization"].endswith(public_text(signer(settings.VAPID_SECRET)))
    assert b"Offer" not in service.got[0].body
    assert push_due(now=now + timedelta(hours=1)) == 0  # once


def test_twenty_letters_and_a_task_are_one_push_and_a_minute_has_four(deliver, told, ines, subscribed, service):
    receiver, now = subscribed(ines), timezone.now()
    for number in range(40):
        deliver(raw_letter(f"Order {number}"))
        told(ines)
        push_due(now=now + SOON + timedelta(seconds=1.5 * number))
    assert 2 <= len(service.got) <= 5
    assert read(service, receiver)[-1]["title"].endswith(" new letters in Ines")


def test_what_was_seen_in_the_page_is_not_pushed(deliver, told, ines, subscribed, service):
    subscribed(ines)
    deliver(raw_letter("Offer"))
    told(ines)
    now = timezone.now()
    be_present(ines, now=now)
    assert push_due(now=now + SOON) == 0  # it is held back while somebody looks
    see_all(ines, now=now)
    assert push_due(now=now + timedelta(minutes=5)) == 0
    assert service.got == []
    assert Telling.objects.get(employee=ines).push_due_at is None


def test_quiet_hours_and_a_pause_hold_it_back_and_nothing_is_lost(deliver, told, ines, subscribed, service):
    subscribed(ines)
    hours = timedelta(hours=10)  # in whatever zone, and at whatever time this runs
    begin, end = ((timezone.now() + each).time() for each in (-hours, hours))
    Telling.objects.update(quiet_from=begin, quiet_until=end)
    deliver(raw_letter("Offer"))
    told(ines)
    assert push_due(now=timezone.now() + SOON) == 0
    Telling.objects.update(quiet_from=None, quiet_until=None)
    pause(ines, timezone.now() + timedelta(hours=2))
    due = Telling.objects.get(employee=ines).push_due_at
    assert push_due(now=due) == (1 if due > timezone.now() + timedelta(hours=2) else 0)
    assert push_due(now=timezone.now() + timedelta(days=2)) + len(service.got) >= 1
    assert len(service.got) == 1


def test_hidden_content_stays_hidden(deliver, told, ines, subscribed, service):
    receiver = subscribed(ines)
    Telling.objects.update(hides_content=True)
    deliver(raw_letter("Secret"))
    told(ines)
    push_due(now=timezone.now() + SOON)
    (message,) = read(service, receiver)
    assert (message["title"], message["body"]) == ("New letters", "")  # no names, no subjects


def test_who_lost_the_mailbox_meanwhile_gets_nothing(
    deliver, told, ines, jonas, mailbox, people, subscribed, service, now
):
    """Judged when it is sent, not when it was made."""
    subscribed(jonas)
    grant(mailbox, to=jonas, by=ines, now=now)
    choose_levels(jonas, {mailbox: Level.ALL})
    deliver(raw_letter("Secret"))
    told(jonas)
    Grant.objects.all().delete()
    assert push_due(now=timezone.now() + SOON) == 0
    grant(mailbox, to=jonas, by=ines, now=now)
    told(jonas)
    dismiss(jonas, by=people["administrator"], now=now)
    assert push_due(now=timezone.now() + timedelta(hours=1)) == 0
    assert service.got == []


def test_a_browser_that_was_signed_out_is_pushed_to_no_more(deliver, told, ines, subscribed, service):
    subscribed(ines)
    Session.objects.all().delete()
    deliver(raw_letter("Offer"))
    told(ines)
    assert push_due(now=timezone.now() + SOON) == 0
    assert service.got == [] and not PushBrowser.objects.exists()


@pytest.mark.parametrize("how", ["changed", "reset"])
def test_a_new_password_ends_pushes_to_strangers_and_not_to_its_person(ines, service, mailoutbox, how):
    ines.set_password("old enough 1")
    ines.save(update_fields=["password"])
    here, stranger = Client(), Client()
    for number, client in enumerate((here, stranger)):
        client.post("/accounts/login/", {"login": ines.email, "password": "old enough 1"})
        client.post("/settings/notifications/browsers", Receiver().form(service.address(f"/p/{number}")))
    assert len(live_browsers(ines, timezone.now())) == 2
    wish = {"password1": "quite another one 7", "password2": "quite another one 7"}
    if how == "changed":
        here.post("/accounts/password/change/", {"oldpassword": "old enough 1", **wish})
    else:
        here.post("/accounts/password/reset/", {"email": ines.email})
        link = urlsplit(re.search(r"https?://\S+", mailoutbox[-1].body)[0]).path
        outside = Client()
        outside.post(outside.get(link).url, wish)
    ines.refresh_from_db()
    left = [row.keys["endpoint"].rpartition("/")[2] for row in live_browsers(ines, timezone.now())]
    assert left == (["0"] if how == "changed" else [])
    assert Session.objects.count() == len(left) + (how == "reset")  # who reset it is not signed in by that


def test_a_session_of_before_a_new_password_is_nobodys(ines, subscribed):
    """Also where it was not ended: set by a command, or by hand."""
    subscribed(ines)
    ines.set_password("quite another one 7")
    ines.save(update_fields=["password"])
    assert live_browsers(ines, timezone.now()) == []


@pytest.mark.parametrize(("status", "stays"), [(404, False), (410, False), (500, True), (429, True), (301, True)])
def test_a_browser_that_is_gone_is_forgotten(ines, subscribed, service, status, stays):
    row = subscribed(ines).row
    service.modes = [status]
    assert send(row, TEST, now=datetime.now(UTC)) is False
    assert PushBrowser.objects.exists() is stays
    assert len(service.got) == 1  # no redirect is followed


def test_ten_failures_in_a_row_are_enough(ines, subscribed, service):
    row = subscribed(ines).row
    service.modes = [500] * 9 + [201] + [500] * 10
    for _ in range(19):
        row.refresh_from_db()
        send(row, TEST, now=datetime.now(UTC))
    assert PushBrowser.objects.get().failures == 9
    row.refresh_from_db()
    send(row, TEST, now=datetime.now(UTC))
    assert not PushBrowser.objects.exists()


@pytest.mark.case("D02")
@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254"]
)
def test_no_address_leads_into_our_own_network(ines, subscribed, service, settings, host):
    receiver = subscribed(ines)
    settings.PUSH_NETWORKS = []
    port = service.address("").rpartition(":")[2]
    row = receiver.row
    row.keys = {**row.keys, "endpoint": f"https://{host}:{port}/p/1"}
    assert send(row, TEST, now=datetime.now(UTC)) is False
    assert service.got == []


@pytest.mark.parametrize(
    "endpoint", ["http://push.example/1", "ftp://push.example", "https://", "https://a:b@push.example/", "javascript:1",
                 "https://push.example:99999/", "https://push.example/" + "x" * 2000, ""]
)  # fmt: skip
def test_what_is_no_address_of_a_push_service_is_refused(ines, endpoint):
    receiver = Receiver()
    with pytest.raises(NotABrowser):
        subscribe(ines, **receiver.form(endpoint), session="x", name="")
    with pytest.raises(NotABrowser):
        subscribe(ines, endpoint="https://push.example/1", p256dh="AAAA", auth="", session="x", name="")
    assert not PushBrowser.objects.exists()


def test_a_browser_is_of_who_subscribed_it_last(ines, jonas, service):
    receiver = Receiver()
    for person in (ines, jonas):
        subscribe(person, **receiver.form(service.address()), session="x", name="")
    assert [row.employee for row in PushBrowser.objects.all()] == [jonas]


def test_a_letter_that_comes_while_a_push_is_on_its_way_is_pushed_too(deliver, told, ines, subscribed, service):
    receiver = subscribed(ines)
    deliver(raw_letter("One"))
    told(ines)
    now = timezone.now() + SOON
    row, lines = Telling.objects.get(employee=ines), lines_of(ines, now)
    deliver(raw_letter("Two"))
    told(ines)  # counted on: its line is new again
    mark(lines, pushed_at=now)  # a push that knew of the first letter alone
    _release(row, now, waits=False)
    assert Telling.objects.get(employee=ines).push_due_at is not None
    deliver(raw_letter("Three"))
    told(ines)
    push_due(now=now + timedelta(minutes=1))
    assert [message["title"] for message in read(service, receiver)][-1] == "3 new letters in Ines"
    assert not Notification.objects.filter(pushed_at=None)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_no_push_service_took_is_tried_again_each_time_later(deliver, told, ines, subscribed, service, status):
    receiver, now = subscribed(ines), timezone.now() + SOON
    deliver(raw_letter("Offer"))
    told(ines)
    service.modes = [status, status]
    assert push_due(now=now) == 0
    assert Notification.objects.filter(pushed_at=None).exists()
    first = Telling.objects.get().push_due_at
    assert push_due(now=first) == 0
    second = Telling.objects.get().push_due_at
    assert GAP < first - now < second - first
    assert push_due(now=second) == 1
    assert [message["title"] for message in read(service, receiver)] == ["1 new letter in Ines"] * 3
    assert Telling.objects.get().push_due_at is None and not Notification.objects.filter(pushed_at=None).exists()


def test_a_push_takes_the_place_of_one_about_the_same_alone(deliver, told, ines, jonas, subscribed, service, now):
    """Otherwise a task would vanish behind a letter, in the push service and on the screen."""
    receiver, at = subscribed(ines), timezone.now()
    for step, happen in enumerate(
        (lambda: deliver(raw_letter("One")), lambda: create("Call", by=jonas, responsible=ines, now=now),
         lambda: deliver(raw_letter("Two")))
    ):  # fmt: skip
        happen()
        told(ines)
        assert push_due(now=at + timedelta(minutes=1 + step)) == 1
    topics = [pushed.headers["topic"] for pushed in service.got]
    assert topics[0] == topics[2] != topics[1]
    assert [message["topic"] for message in read(service, receiver)] == topics
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,32}", topic) for topic in topics)  # RFC 8030 5.4


def test_silent_push_services_hold_a_person_up_no_longer_than_the_patience(ines, subscribed, service):
    subscribed(ines, "/silent/1")
    subscribed(ines, "/silent/2")
    assert not send_all(ines, TEST, now=timezone.now(), within=0.3)
    assert [pushed.path for pushed in service.got] == ["/silent/1"]
    failed = {row.keys["endpoint"].rpartition("/")[2]: row.failures for row in PushBrowser.objects.all()}
    assert failed == {"1": 1, "2": 0}  # who was not asked did not fail, and is the first to be asked next
    assert [row.failures for row in live_browsers(ines, timezone.now())] == [0, 1]
    assert LEASE.total_seconds() > DEADLINE + TIMEOUT


def test_each_person_is_pushed_to_by_a_job_of_their_own(
    ines, jonas, subscribed, service, django_capture_on_commit_callbacks
):
    for person in (ines, jonas):
        subscribed(person, f"/p/{person.pk}")
    Telling.objects.update(push_due_at=timezone.now() - SOON)
    with django_capture_on_commit_callbacks() as woken:
        push_what_is_due.now()
    assert len(woken) == 2 and service.got == []
