"""Reports of mail servers that lie in a polled mailbox: they reach the letters of ours, and make no records (R30)."""

import pytest

from letterdesk.crm.models import Activity, PolledMailbox, Record
from letterdesk.crm.tests.test_polled_take import come, mailbox_of, polled  # noqa: F401  fixtures
from letterdesk.crm.tests.test_returned import BO, house, wrote  # noqa: F401  fixtures
from letterdesk.events.models import Event
from letterdesk.intake.models import Arrived, State
from letterdesk.mailboxes.models import BlobReference
from letterdesk.outbound.models import Suppressed
from letterdesk.outbound.return_path import return_path
from letterdesk.outbound.tests.test_bounces import HARD, SOFT, bounces, report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]


@pytest.fixture
def making(polled):  # noqa: F811
    """A mailbox that makes leads of unknown people."""
    PolledMailbox.objects.update(unknown_incoming="lead", unknown_outgoing="lead")
    polled.refresh_from_db()
    return polled


def records():
    return Record.objects.exclude(name="Amara Okafor").count()


@pytest.mark.parametrize("by", ["name", "address"])
def test_a_report_reaches_the_letter_of_which_it_speaks_and_is_no_letter_of_a_client(wrote, making, ines, now, by):  # noqa: F811
    made, _sink = wrote(returns_here=by == "address")
    told = report(made.message_id if by == "name" else "whatever@mx.example", (BO, HARD), ("x@elsewhere.example", HARD))
    to = return_path(made).encode() if by == "address" else b"sales@acme.example"
    before = (records(), Activity.objects.count())
    row = come(making, now, raw=b"To: <%s>\n" % to + told)
    assert bounces(made) == ["hard", ""] and Suppressed.objects.get().address == BO
    assert Event.objects.get(kind="letter.bounced").topic == ines.topic
    assert (row.state, row.why, row.facts) == (State.DONE, "report", {})
    assert (records(), Activity.objects.count()) == before
    assert not BlobReference.objects.filter(holder=row.holder).exists()


def test_a_report_about_a_letter_of_another_account_says_nothing(wrote, making, stranger, now):  # noqa: F811
    made, _sink = wrote(returns_here=True)
    PolledMailbox.objects.update(account=stranger.account)
    making.refresh_from_db()
    for number, to in enumerate((return_path(made), "sales@acme.example")):
        raw = f"To: <{to}>\nMessage-ID: <{number}@mx.example>\n".encode() + report(made.message_id, (BO, SOFT))
        assert come(making, now, raw=raw).why == "automatic"
    assert bounces(made) == ["", ""]


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@mx.client.example", "Support <support@provider.example>"])
@pytest.mark.parametrize("kind", ["delivery", "receipt"])
def test_a_report_about_nothing_of_ours_makes_no_records(making, amara, now, sender, kind):
    """Neither of whoever's server wrote it, nor of a program that says when a letter was read (RFC 8098)."""
    raw = report("unknown@acme.example", ("bo@client.example", HARD), sender=sender)
    if kind == "receipt":
        raw = raw.replace(b"message/delivery-status", b"message/disposition-notification")
    row = come(making, now, raw=b"To: sales@acme.example\n" + raw)
    assert (row.state, row.why) == (State.LEFT_OUT, "automatic")
    assert (records(), Activity.objects.count()) == (0, 0)
    assert not BlobReference.objects.exists() and Arrived.objects.count() == 1
