"""When letters of a polled mailbox came, on servers that tell no date of receipt, or one that cannot be (R30, A35)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from letterdesk.crm.models import PolledLetter
from letterdesk.crm.polled import connect as polled
from tests.rig.boxes import letter
from tests.rig.liar import Liar

pytestmark = pytest.mark.usefixtures("quiet")
DAY = timedelta(days=1)
DATES = {"none": b"NIL", "1970": b'"01-Jan-1970 00:00:00 +0000"', "2099": b'"01-Jan-2099 00:00:00 +0000"'}


class Undated(Liar):
    """Tells `told` of letters, by number, for their dates of receipt."""

    def setup(self):
        self.told = {}

    def alter(self, session, command, chunk):
        found = re.search(rb"\(UID (\d+) ", chunk)
        if found and (told := self.told.get(int(found[1]))):
            return re.sub(rb'INTERNALDATE "[^"]*"', b"INTERNALDATE " + told, chunk, count=1)
        return chunk


@pytest.fixture
def house(poll):
    made = poll(Undated)

    def come(number, told, *, written):
        headers = {"Date": None if written is None else format_datetime(written)}
        kept = made.server.inbox.add(letter(number, **headers), date=made.now)
        made.server.told[kept.uid] = DATES[told]

    made.come = come
    return made


@pytest.mark.parametrize("told", DATES)
def test_a_letter_whose_date_of_receipt_says_nothing_is_told_by_its_number_and_its_own_date(house, told):
    house.come(1, told, written=house.now - 300 * DAY)
    house.come(2, told, written=None)
    house.come(3, told, written=house.now)  # a date to come, or of whoever's wrong clock
    house.connect()
    house.look()
    assert house.kept() == []  # what lay there before comes by choice alone
    house.come(4, told, written=house.now - DAY)
    house.come(5, told, written=None)
    house.come(6, told, written=datetime(2099, 1, 1, tzinfo=UTC))
    house.come(7, told, written=house.now - 200 * DAY)  # a person moved it here
    house.look()
    assert house.kept() == [4, 5, 6]
    lines = PolledLetter.objects.exclude(arrived=None)
    assert not lines.filter(is_older=True).exists() and not lines.filter(received_at__gt=house.now).exists()
    bodies = house.server.received.copy()
    house.later = 1.1 * DAY
    house.look()
    house.look()
    assert not [each for each in house.server.received[len(bodies) :] if b"BODY.PEEK[]" in each]
    older = polled.Older(house.now - 250 * DAY)
    polled.choose_older(house.mailbox, older, by=house.admin, now=house.now)
    house.look()
    assert house.kept() == [2, 3, 4, 5, 6, 7]
    assert sorted(lines.filter(is_older=True).values_list("uid", flat=True)) == [2, 3, 7]
    polled.choose_older(house.mailbox, polled.Older(house.now - 400 * DAY), by=house.admin, now=house.now)
    house.look()
    assert house.kept() == [1, 2, 3, 4, 5, 6, 7]
    assert lines.get(uid=1).received_at.date() == (house.now - 301.1 * DAY).date()


def test_under_other_numbers_a_letter_without_any_date_is_taken_rather_than_lost(house):
    house.connect()
    house.server.inbox.uidvalidity += 1
    house.come(1, "none", written=house.now - 300 * DAY)
    house.come(2, "none", written=house.now)
    house.come(3, "none", written=None)
    house.look()
    assert house.kept() == [2, 3]
    assert dict(PolledLetter.objects.exclude(arrived=None).values_list("uid", "is_older")) == {2: False, 3: True}


def test_the_date_of_receipt_holds_where_there_is_one_whatever_the_letter_says_of_itself(poll):
    """A letter that is passed on keeps its old date and came now; one that is moved here keeps its date of receipt."""
    house = poll().connect()
    house.server.inbox.add(letter(1, Date=format_datetime(house.now - 300 * DAY)), date=house.now)
    house.server.inbox.add(letter(2, Date=format_datetime(house.now)), date=house.now - 300 * DAY)
    house.look()
    assert house.kept() == [1]
    assert not PolledLetter.objects.get().is_older
