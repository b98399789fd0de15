"""A mailbox polled for CRM alone, against servers that lie, lag, drop answers or drip: no letter is lost (R30)."""

import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from letterdesk.crm.models import PolledLetter, PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.claim import LEASE, claim, held
from letterdesk.crm.polled.look import NotOurs
from letterdesk.crm.polled.turn import TOLD_AFTER, take_turn
from letterdesk.crm.polled.watch import polling
from letterdesk.events.models import Event
from letterdesk.intake.models import Arrived
from tests.rig.liar import Liar
from tests.rig.polled import Dripping

pytestmark = pytest.mark.usefixtures("quiet")
DAY = timedelta(days=1)


class SilentSearch(Liar):
    """UID SEARCH ends in OK and names nothing."""

    def alter(self, session, command, chunk):
        return None if chunk[:9].upper() in {b"* SEARCH\r", b"* SEARCH ", b"* ESEARCH"} else chunk


class LaggingNext(Liar):
    """UIDNEXT stays what it was at first, as an index that is not refreshed."""

    capabilities = "IMAP4rev1 LITERAL+ UIDPLUS"

    def alter(self, session, command, chunk):
        return re.sub(rb"UIDNEXT \d+", b"UIDNEXT 1", chunk)


class Holes(Liar):
    """Answers about letter 2 are lost, as long as `striking`: size and date, or the letter itself."""

    striking = b"RFC822.SIZE"

    def alter(self, session, command, chunk):
        lost = self.striking and b" FETCH " in chunk and re.search(rb"\(UID 2 ", chunk) and self.striking in chunk
        return None if lost else chunk


@pytest.mark.parametrize("script", [SilentSearch, LaggingNext])
def test_what_a_server_does_not_say_by_search_or_uidnext_is_not_lost(poll, script):  # A06, A22
    house = poll(script).connect()
    house.look()
    house.come(1, 2)
    house.look()
    house.come(3)
    house.look()
    assert house.kept() == [1, 2, 3]


def test_a_letter_whose_date_was_not_told_comes_when_numbers_are_compared(poll):  # A28
    house = poll(Holes).connect()
    house.look()
    house.come(1, 2, 3)
    house.look()
    assert (house.kept(), house.folder().read_to) == ([1, 3], 3)
    house.server.striking = None
    house.look()
    assert house.kept() == [1, 3]
    house.later = DAY * 1.1
    house.look()
    assert house.kept() == [1, 2, 3]


class WithoutSizes(Liar):
    """Tells no size where a letter itself is not asked for."""

    def alter(self, session, command, chunk):
        return chunk if b"BODY[]" in chunk else re.sub(rb" RFC822\.SIZE \d+", b"", chunk)


def test_a_letter_whose_size_is_not_told_comes_as_well(poll):  # A37
    house = poll(WithoutSizes).connect()
    house.come(1, 2)
    house.look()
    assert (house.kept(), house.folder().read_to) == ([1, 2], 2)


def test_a_letter_that_is_named_and_does_not_come_is_shown(poll):  # A10
    house = poll(Holes).connect()
    house.server.striking = b"BODY[]"
    house.come(1, 2, 3)
    house.look()
    [shown] = PolledLetter.objects.visible_to(house.admin).exclude(trouble="")
    assert (house.kept(), shown.uid, shown.trouble) == ([1, 3], 2, "refused")
    house.server.striking = None
    polled.try_letter(shown, now=house.now)
    house.look()
    assert house.kept() == [1, 2, 3]


def test_a_letter_that_appears_under_a_lower_number_comes_within_a_day(poll):  # A22
    house = poll().connect()
    house.come(1, uid=1)
    house.come(5, uid=5)
    house.look()
    house.come(3, uid=3)
    house.look()
    house.later = DAY * 1.1
    house.look()
    assert house.kept() == [1, 3, 5]


def test_comparing_fetches_neither_copies_nor_what_is_too_old_again(poll):
    house = poll()
    house.come(9, date=house.now - 30 * DAY)
    house.connect()
    house.come(1, 1, 2)
    house.look()
    asked = house.server.commands["UID FETCH"]
    for days in (1.1, 2.2):
        house.later = DAY * days
        house.look()
    bodies = [each for each in house.server.received if b"BODY.PEEK[]" in each]
    assert (house.kept(), len(bodies)) == ([1, 2], 1)
    assert house.server.commands["UID FETCH"] == asked + 2  # what is new, in the one folder that has letters


def test_numbers_that_lie_far_apart_are_asked_for_in_few_questions(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.read.WIDTH", 2)
    house = poll()
    for number, uid in ((1, 1), (2, 2), (3, 70_000), (4, 3_000_000_000)):
        house.come(number, uid=uid, date=house.now - 9 * DAY)
    house.connect(older=polled.Older(since=house.now - 20 * DAY))
    house.look()
    assert house.kept() == [1, 2, 3, 4]
    assert house.server.commands["UID FETCH"] < 30
    polled.choose_older(house.mailbox, polled.Older(house.now - 30 * DAY), by=house.admin, now=house.now)
    house.come(5, date=house.now - 25 * DAY)
    house.look()
    bodies = [each for each in house.server.received if b"BODY.PEEK[]" in each]
    assert house.kept() == [1, 2, 3, 4, 5] and len(bodies) <= 5  # what is here is not fetched again


class Meddling(Liar):
    """Calls `meddle` once, in the middle of handing out letters."""

    meddle = None

    def before(self, session, command):
        if self.meddle and b"BODY.PEEK[]" in command.raw:
            meddle, self.meddle = self.meddle, None
            try:
                meddle()
            finally:
                connections.close_all()


def test_a_look_ends_in_time_however_steadily_the_server_drips(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.look.LONGEST", 1.5)
    monkeypatch.setattr("letterdesk.crm.polled.patience.TO_BEGIN", 1.0)
    monkeypatch.setattr("letterdesk.crm.polled.read.AT_ONCE", 1)
    house = poll(Dripping).connect()
    house.come(1, 2, 3, 4)
    began = time.monotonic()
    house.look()
    assert time.monotonic() - began < 5
    assert (house.mailbox.error_code, house.mailbox.failures, house.mailbox.leased_until) == ("disconnected", 1, None)
    assert (house.kept(), house.folder().read_to) == ([1, 2], 2)  # what came before is not asked for again


def test_two_never_look_at_the_same_mailbox_and_the_later_one_counts(poll):
    house = poll().connect()
    house.come(1)
    first = claim(house.mailbox.pk, now=house.now)
    assert claim(house.mailbox.pk, now=house.now) is None
    assert take_turn(house.mailbox.pk, now=house.now).letters == 0
    second = claim(house.mailbox.pk, now=house.now + LEASE * 1.1)
    with transaction.atomic(), pytest.raises(NotOurs):
        held(first)
    with transaction.atomic():
        assert held(second) == second


def test_older_letters_that_are_chosen_during_a_look_are_not_lost(poll):
    house = poll(Meddling)
    for number in (1, 2):
        house.come(number, date=house.now - 20 * DAY)
    house.connect(older=polled.Older(house.now - 5 * DAY))
    house.come(3)
    older = polled.Older(house.now - 30 * DAY)
    house.server.meddle = lambda: polled.choose_older(house.mailbox, older, by=house.admin, now=house.now)
    house.look()
    house.mailbox.refresh_from_db()
    assert house.mailbox.due_at <= house.now and house.mailbox.leased_until is None  # it goes on at once
    take_turn(house.mailbox.pk, now=house.now)
    assert house.kept() == [1, 2, 3]


def test_a_mistake_of_ours_is_counted_told_and_tried_later(poll):
    house = poll().connect()
    PolledMailbox.objects.update(secret=["no such shape"])
    for failures in range(1, TOLD_AFTER + 1):
        house.look()
        assert (house.mailbox.error_code, house.mailbox.failures) == ("internal", failures)
    assert house.mailbox.due_at > timezone.now() and "AttributeError" in house.mailbox.error_text
    [told] = Event.objects.filter(kind="polled.failing")
    assert told.facts["code"] == "internal"


def test_the_sync_process_looks_and_a_slow_server_keeps_nobody_waiting(poll, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.watch.CLOSE_WITHIN", 0.1)
    slow, other = poll(Dripping).connect(), poll().connect()
    slow.come(1, 2, 3)
    other.come(1)
    with polling(threading.Event(), looks=2, every=0.05):
        until = time.monotonic() + 20
        while not (other.kept() and slow.server.commands["UID FETCH"]) and time.monotonic() < until:
            time.sleep(0.05)
        slow.mailbox.refresh_from_db()
        assert slow.mailbox.leased_until is not None
        PolledMailbox.objects.filter(pk=other.mailbox.pk).update(due_at=other.now)
        other.come(2)
        while other.kept() != [1, 2] and time.monotonic() < until:
            time.sleep(0.05)
    slow.mailbox.refresh_from_db()
    assert (other.kept(), slow.mailbox.leased_until) == ([1, 2], None)  # another process may look at once
    slow.server.stop()
    for thread in threading.enumerate():
        if thread.name.startswith("poll-"):
            thread.join(10)


class Renumbering(Liar):
    """Another UIDVALIDITY each time the inbox is opened."""

    def before(self, session, command):
        if command.name == "EXAMINE":
            self.inbox.uidvalidity += 1


def test_a_folder_that_is_renumbered_at_each_look_is_switched_off_and_told(poll):  # A04
    house = poll(Renumbering).connect()
    house.come(1)
    for _ in range(9):
        house.look()
    assert (house.kept(), house.folder().is_on, house.folder().is_unsteady) == ([1], False, True)
    assert [each.facts["code"] for each in Event.objects.filter(kind="polled.failing")] == ["renumbered"]
    bodies = [each for each in house.server.received if b"BODY.PEEK[]" in each]
    assert len(bodies) < 8
    polled.choose_folders(house.mailbox, [house.folder().pk], by=house.admin, now=house.now)
    assert not house.folder().is_unsteady


def test_a_long_history_waits_while_its_letters_were_not_looked_at(poll, settings, monkeypatch, tmp_path):  # D13
    settings.JOBS_URL = f"sqlite:///{tmp_path}/jobs"  # nobody works
    monkeypatch.setattr("letterdesk.crm.polled.read.MOST_WAITING", 2)
    monkeypatch.setattr("letterdesk.crm.polled.read.AT_ONCE", 1)
    house = poll().connect()
    house.come(1, 2, 3, 4)
    assert not house.look().is_whole
    assert (house.kept(), house.folder().read_to) == ([1, 2], 2)
    assert house.mailbox.due_at > timezone.now() + timedelta(minutes=1)
    Arrived.objects.update(tries=1)
    house.look()
    assert house.kept() == [1, 2, 3, 4]


@pytest.mark.parametrize("comes_at_last", [True, False])
def test_what_was_refused_is_tried_again_by_itself_and_told_when_that_is_over(poll, comes_at_last):  # A10
    house = poll(Holes).connect()
    house.server.striking = b"BODY[]"
    house.come(1, 2, 3)
    house.look()
    tries = []
    for minutes in (1, 11, 12, 75, 80, 1_600):
        house.later = timedelta(minutes=minutes)
        house.server.striking = None if comes_at_last and minutes == 1_600 else b"BODY[]"
        house.look()
        tries += PolledLetter.objects.exclude(trouble="").values_list("tries", flat=True)
    assert tries == ([1, 2, 2, 3, 3] if comes_at_last else [1, 2, 2, 3, 3, 4])
    assert house.kept() == ([1, 2, 3] if comes_at_last else [1, 3])
    told = [each.facts for each in Event.objects.filter(kind="polled.failing")]
    assert [(each["code"], each["letters"]) for each in told] == ([] if comes_at_last else [("not_handed", 1)])
    house.later = timedelta(days=30)
    house.look()
    assert Event.objects.filter(kind="polled.failing").count() == len(told)
