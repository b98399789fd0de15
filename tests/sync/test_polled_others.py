"""What a polled mailbox in trouble, or its server, does to others: nothing (R30, D13)."""

import time

import pytest

from letterdesk.crm.models import PolledFolder
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.folders import REFUSED_TOLD
from letterdesk.events.models import Event
from letterdesk.mail.errors import Disconnected
from tests.rig.liar import Liar

pytestmark = pytest.mark.usefixtures("quiet")


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
