"""R13: an edition of the catalogue acts on mailboxes like a change of plan, from its date on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Mailbox, MailboxState, SweepClock
from letterdesk.plans import catalogue
from letterdesk.plans.models import Subscription

SMALLER, LARGER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SHIPPED = Path(catalogue.__file__).with_name("catalogue.toml").read_text("utf-8")
S, C = MailboxState.SUSPENDED, MailboxState.CONNECTED


def edition(version, begins, mailboxes):
    row = next(each for each in SHIPPED.split("[[plan]]") if 'key = "standard"' in each)
    row = row.replace("mailboxes_per_employee = 5", f"mailboxes_per_employee = {mailboxes}")
    return f"\n[[edition]]\nversion = {version}\nfrom = {begins:%Y-%m-%d}\n[[edition.plan]]{row}"


@pytest.fixture
def three(account, ines, settings, tmp_path, now):
    """Three mailboxes, in a catalogue whose plan has room for one from January and for two from February on."""
    file = tmp_path / "ours.toml"
    file.write_text(SHIPPED + edition(2, SMALLER, 1) + edition(3, LARGER, 2), "utf-8")
    settings.CATALOGUE = str(file)
    return [
        Mailbox.objects.create(
            account=account, owner=ines, address=f"{number}@acme.example", name=str(number),
            imap_host="imap.acme.example", imap_user=str(number), connected_at=now + timedelta(hours=number),
        )
        for number in range(3)
    ]  # fmt: skip


def states(mailboxes):
    return [Mailbox.objects.get(pk=mailbox.pk).state for mailbox in mailboxes]


def steadily(now):
    """Follow with a clock that has come to `now` without a jump."""
    SweepClock.objects.all().delete()
    follow(now=now)


def test_a_smaller_edition_suspends_from_its_date_on_and_a_larger_one_resumes(three):  # R13
    steadily(SMALLER - SECOND)
    assert states(three) == [C, C, C]
    follow(now=SMALLER)
    assert states(three) == [C, S, S]
    steadily(LARGER - SECOND)
    assert states(three) == [C, S, S]
    follow(now=LARGER)
    assert states(three) == [C, C, S]


def test_an_edition_is_followed_once(three, account):
    steadily(SMALLER)
    told = Event.objects.count()
    follow(now=SMALLER + SECOND)
    assert Event.objects.count() == told
    subscription = Subscription.objects.get(account=account)
    assert (subscription.followed, subscription.followed_version) == ("standard", 2)


def test_a_clock_in_doubt_suspends_nothing(three):  # R20
    steadily(SMALLER - timedelta(days=40))
    follow(now=SMALLER)
    assert states(three) == [C, C, C]
