"""What a polled mailbox in trouble, or its server, does to others: nothing (R30, D13)."""

import time

import pytest

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
