"""Letters that a polled mailbox's server does not get out: they hold up no others, and are not forgotten (R30)."""

import re
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from letterdesk.crm.models import PolledLetter
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.claim import claim
from letterdesk.crm.polled.read import BREAKS_MOST
from letterdesk.crm.polled.turn import TOLD_AFTER
from letterdesk.events.models import Event
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.polled import Dripping

pytestmark = pytest.mark.usefixtures("quiet")


class Hanging(Liar):
    """Goes at letter 3: `how`."""

    strikes = True
    how = "close"

    def alter(self, session, command, chunk):
        if not self.strikes or b"BODY[]" not in chunk or not re.search(rb"\(UID 3 ", chunk):
            return chunk
        if self.how == "close":
            session.close()
        elif self.how == "no number":
            return re.sub(rb"BODY\[\] \{\d+\}", b"BODY[] {-1}", chunk)
        return None


class SayingBad(Liar):
    """BAD, for whatever asks for letter 3."""

    strikes = True

    def before(self, session, command):
        if self.strikes and b"BODY.PEEK[]" in command.raw and re.search(rb"FETCH (\d:)?[35] ", command.raw):
            session.respond(command.raw.split()[0] + b" BAD Internal error\r\n")
            return True
        return None


class Cutting(Hanging):
    """Closes the connection in the middle of letter 3."""


class Lying(Hanging):
    """Tells a length of letter 3 that is none."""

    how = "no number"


@pytest.mark.parametrize("script", [Dripping, Cutting, Lying])
def test_a_letter_that_never_ends_is_put_aside_and_its_folder_goes_on(poll, monkeypatch, script):  # A10, A12
    for name in ("LONGEST", "LONGEST_AFTER_FAILURE"):
        monkeypatch.setattr(f"letterdesk.crm.polled.look.{name}", 1.0)
    monkeypatch.setattr("letterdesk.crm.polled.patience.TO_BEGIN", 0.1)
    house = poll(script).connect()
    house.come(1, 2, 3, 4, 5)
    failures = []
    for _ in range(BREAKS_MOST):
        house.look()
        failures.append(house.mailbox.failures)
        assert house.mailbox.leased_until is None
    assert failures == [1, 2, 3] and house.mailbox.due_at <= house.now  # it goes on at once, with others
    [aside] = PolledLetter.objects.visible_to(house.admin).exclude(trouble="")
    assert (aside.uid, aside.trouble, aside.size) == (3, "broke_off", len(letter(3)))
    house.look()
    assert (house.kept(), house.folder().read_to, house.mailbox.error_code) == ([1, 2, 4, 5], 5, "")
    house.server.strikes = False
    polled.try_letter(aside, now=house.now)
    house.look()
    assert house.kept() == [1, 2, 3, 4, 5] and not PolledLetter.objects.exclude(trouble="").exists()


def test_a_server_that_refuses_all_because_of_one_is_asked_for_each_alone(poll):
    house = poll(SayingBad).connect()
    house.come(1, 2, 3, 4, 5)
    for _ in range(9):
        house.look()
    assert house.kept() == [1, 2, 4]  # 5 is what this script says BAD to as well
    troubles = PolledLetter.objects.exclude(trouble="").order_by("uid")
    assert [(each.uid, each.trouble) for each in troubles] == [(3, "broke_off"), (5, "broke_off")]


def test_tried_again_in_vain_it_holds_up_nothing_and_is_told_when_that_is_over(poll):
    house = poll(Cutting).connect()
    house.come(1, 2, 3)
    for _ in range(BREAKS_MOST):
        house.look()
    for tries, minutes in enumerate((11, 75, 1_600), 2):
        house.later = timedelta(minutes=minutes)
        house.come(10 + tries)
        house.look()  # it breaks off in the letter that is asked for again,
        house.look()  # and others come at once
        assert PolledLetter.objects.exclude(trouble="").get().tries == tries
    assert house.kept() == [1, 2, 12, 13, 14]
    [told] = Event.objects.filter(kind="polled.failing", facts__code="not_handed")
    assert told.facts["letters"] == 1


def test_a_server_that_hands_out_nothing_at_all_is_told_as_one_that_fails(poll):
    house = poll(Cutting)
    house.server.alter = lambda session, _command, chunk: session.close() if b"BODY[]" in chunk else chunk
    house.connect().come(1, 2, 3)
    for _ in range(TOLD_AFTER):
        house.look()
    [told] = Event.objects.filter(kind="polled.failing")
    assert (told.facts["code"], house.mailbox.failures) == ("disconnected", TOLD_AFTER)
    assert house.mailbox.due_at > timezone.now() + timedelta(minutes=10)


def test_a_long_look_that_fails_is_not_tried_again_at_once(poll, monkeypatch):
    """A quarter of an hour may go by in a large letter: then the time until the next try is not over yet."""
    monkeypatch.setattr("letterdesk.crm.polled.look.LONGEST", 1.0)
    monkeypatch.setattr("letterdesk.crm.polled.patience.TO_BEGIN", 0.1)
    monkeypatch.setattr("letterdesk.crm.polled.turn.EVERY", timedelta(seconds=0.4))
    house = poll(Dripping).connect()
    house.come(1, 2, 3)
    began = house.now
    house.look()
    assert house.mailbox.failures == 1
    assert house.mailbox.due_at > began + timedelta(seconds=1.5)  # the look takes one, and the next waits for more


class Leisurely(Liar):
    """Hands letters out at some kilobytes a second, and calls `ends` after each."""

    ends = staticmethod(lambda: None)

    def alter(self, session, command, chunk):
        if b"BODY[]" in chunk:
            session.drip(chunk[:-1], size=200, pause=0.01)
            self.ends()
            connections.close_all()
            return chunk[-1:]
        return chunk


def test_a_large_letter_has_time_of_its_own_and_nobody_looks_meanwhile(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.look.LONGEST", 1.0)
    monkeypatch.setattr("letterdesk.crm.polled.patience.TO_BEGIN", 0.1)
    monkeypatch.setattr("letterdesk.crm.polled.patience.SLOWEST", 40)
    house = poll(Leisurely).connect()
    monkeypatch.setattr("letterdesk.crm.polled.claim.LEASE", timedelta(seconds=1))
    monkeypatch.setattr("letterdesk.crm.polled.claim.RENEWED_EVERY", 0.2)
    others = []
    house.server.ends = lambda: others.append(claim(house.mailbox.pk, now=house.now))
    house.server.inbox.add(letter(1, "x" * 30_000), date=house.now)  # needs two seconds, and may have some minutes
    house.look()
    assert (house.kept(), house.mailbox.failures, house.mailbox.leased_until) == ([1], 0, None)
    assert others == [None]


def test_one_that_is_larger_than_what_is_ever_taken_is_not_asked_for(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.read.LARGEST", 500)
    monkeypatch.setattr("letterdesk.crm.polled.read.LARGEST_ASKED", 2_000)
    house = poll().connect()
    house.server.inbox.add(letter(1, "x" * 1_000), date=house.now)
    house.server.inbox.add(letter(2, "x" * 4_000), date=house.now)
    house.look()
    for each in PolledLetter.objects.exclude(trouble=""):
        assert each.trouble == "too_large"
        polled.try_letter(each, now=house.now)
    house.look()
    assert (house.kept(), PolledLetter.objects.get(trouble="too_large").uid) == ([1], 2)
    bodies = [each for each in house.server.received if b"BODY.PEEK[]" in each]
    assert len(bodies) == 1 and b"FETCH 1 " in bodies[0]
