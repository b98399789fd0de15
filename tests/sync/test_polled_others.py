"""What a polled mailbox in trouble, or its server, does to others: nothing (R30, D13)."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.crm.models import PolledFolder, PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.claim import SICK, Due, claim, next_due
from letterdesk.crm.polled.folders import REFUSED_TOLD
from letterdesk.crm.polled.turn import take_turn
from letterdesk.crm.polled.watch import polling
from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.mail.errors import Disconnected
from letterdesk.notifications.models import Notification
from tests.rig.liar import Liar

pytestmark = pytest.mark.usefixtures("quiet")
DAY = timedelta(days=1)


class Talking(Liar):
    """Answers LIST with what has no end, never silent, while it `strikes`."""

    strikes = True

    def before(self, session, command):
        while self.strikes and command.name == "LIST" and not self.stopping.is_set():
            session.raw(b"* OK wait\r\n")
            session.stall(0.05)


def test_a_server_that_talks_for_ever_holds_no_request(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.connect.WITHIN", 1.0)
    began = time.monotonic()
    with pytest.raises(Disconnected):
        poll(Talking).connect()
    assert time.monotonic() - began < 8


class Closed(Liar):
    """Refuses to open `shut` folders."""

    shut: tuple[str, ...] = ("Clients",)

    def setup(self):
        self.boxes.make("Clients")

    def before(self, session, command):
        if command.name == "EXAMINE" and any(name.encode() in command.raw for name in self.shut):
            session.respond(command.raw.split()[0] + b" NO [NOPERM] not for you\r\n")
            return True
        return None


def test_a_folder_that_its_server_refuses_holds_up_no_other_and_is_told(poll):
    house = poll(Closed).connect()
    folders = PolledFolder.objects.filter(name__in=["INBOX", "Clients"])
    polled.choose_folders(house.mailbox, folders.values_list("pk", flat=True), by=house.admin, now=house.now)
    house.come(1)
    for _ in range(REFUSED_TOLD + 1):
        house.look()
    closed = PolledFolder.objects.get(name="Clients")
    assert (house.kept(), house.mailbox.error_code, closed.refused_text) == ([1], "", "not for you")
    told = Event.objects.filter(kind__in=["polled.failing", "polled.recovered"])
    assert [each.facts["code"] for each in told] == ["folder_refused"]
    house.server.shut = ()
    house.look()
    closed.refresh_from_db()
    assert (closed.refused, closed.refused_text) == (0, "")
    assert told.order_by("pk").last().kind == "polled.recovered"


def test_a_server_that_refuses_every_folder_is_one_that_fails(poll):
    house = poll(Closed).connect()
    house.server.shut = ("INBOX", "Sent", "Clients")
    house.look()
    assert (house.mailbox.error_code, house.mailbox.failures) == ("server_says_no", 1)


def test_a_secret_that_no_key_opens_is_named_and_stops_no_other_mailbox(poll, client):
    spoiled, other = poll().connect(), poll().connect()
    earlier = spoiled.now - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_polledmailbox SET secret = 'x', due_at = %s WHERE id = %s", [earlier, spoiled.mailbox.pk]
        )
    looked = other.server.commands["LOGOUT"]
    with polling(threading.Event(), looks=1, every=30):
        until = time.monotonic() + 15
        while other.server.commands["LOGOUT"] == looked and time.monotonic() < until:
            time.sleep(0.05)
    assert other.server.commands["LOGOUT"] > looked
    found = PolledMailbox.objects.get(pk=spoiled.mailbox.pk)
    assert (found.error_code, found.failures, found.leased_until) == ("key_missing", 1, None)
    assert "key" in found.error_text and found.due_at > spoiled.now
    client.force_login(spoiled.admin)
    assert client.get(f"/settings/sendsave/mailboxes/{found.public_id}").status_code == 200
    polled.mend(found, spoiled.at(), by=spoiled.admin, now=spoiled.now)
    spoiled.look()
    assert spoiled.mailbox.error_code == ""


def test_a_look_whose_process_was_killed_is_made_up_for_within_two_minutes(poll):
    house = poll().connect()
    house.come(1)
    claim(house.mailbox.pk, now=house.now)  # and the process is killed
    assert polled.look_now(house.mailbox, by=house.admin, now=house.now)  # people are told that somebody looks
    house.later = timedelta(minutes=2, seconds=1)
    take_turn(house.mailbox.pk, now=house.now)
    assert house.kept() == [1]
    assert not polled.look_now(house.mailbox, by=house.admin, now=house.now)


def test_nobody_is_needed_any_more_as_soon_as_somebody_looks_again(poll):
    house = poll().connect()
    PolledMailbox.objects.update(secret={"password": "changed"})
    house.look()
    PolledMailbox.objects.update(secret={"password": "secret"})
    polled.look_now(house.mailbox, by=house.admin, now=house.now)
    house.look()
    told = Event.objects.filter(kind__startswith="polled.").order_by("pk").values_list("kind", flat=True)
    assert list(told) == ["polled.connected", "polled.failing", "polled.resumed"]
    dispatch(house.now)
    assert (house.mailbox.state, Notification.objects.filter(kind="polled", seen_at=None).count()) == ("connected", 0)


def test_two_accounts_with_slow_servers_hold_up_no_third(poll, monkeypatch):
    for name in ("LONGEST", "LONGEST_AFTER_FAILURE"):
        monkeypatch.setattr(f"letterdesk.crm.polled.look.{name}", 3.0)
    monkeypatch.setattr(Talking, "strikes", False)
    slow, other = [poll(Talking).connect(), poll(Talking).connect()], poll().connect()
    for house in slow:
        same = {"account": house.account, "imap_host": house.server.host, "imap_port": house.server.port}
        for number in range(6):
            PolledMailbox.objects.create(
                address="x@acme.example", imap_security="none", imap_user=f"liar{number}",
                secret={"password": "secret"}, due_at=house.now - timedelta(minutes=9), **same,
            )  # fmt: skip
    monkeypatch.setattr(Talking, "strikes", True)
    other.come(1)
    with polling(threading.Event(), looks=4, every=0.1):
        until = time.monotonic() + 20
        while not other.kept() and time.monotonic() < until:
            time.sleep(0.05)
        failed = PolledMailbox.objects.filter(failures__gt=0).count()
        for house in slow:
            house.server.stop()
    assert (other.kept(), failed <= 8) == ([1], True)


def test_whose_turn_it_is(poll):
    now = timezone.now()
    first, second = poll().connect().mailbox, poll().connect().mailbox
    PolledMailbox.objects.filter(pk=first.pk).update(due_at=now - timedelta(minutes=2), failures=1)
    PolledMailbox.objects.filter(pk=second.pk).update(due_at=now - timedelta(minutes=1))
    assert next_due(now) == Due(first.pk, first.account_id, is_ailing=True)
    for without in ({"busy": [first.pk]}, {"full": [first.account_id]}, {"ailing": False}):
        assert next_due(now, **without) == Due(second.pk, second.account_id, is_ailing=False)
    for number in range(SICK):
        PolledMailbox.objects.create(
            account=second.account, address="x@acme.example", imap_user=str(number), failures=1, due_at=now + DAY
        )
    assert next_due(now, ailing=False) is None
