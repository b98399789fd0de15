"""A tracked letter that its provider files as it travelled: CRM has ours, whichever comes first (R6, 0036)."""

from datetime import timedelta

import pytest

from letterdesk.accounts.models import Role
from letterdesk.crm.activities.reading import raw
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Kind
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.crm.writing import write
from letterdesk.crm.writing.written import keep_written
from letterdesk.lib import blobs
from letterdesk.mail.parse import read_body
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.models import Message, PendingChange
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound import drafts, tracking
from letterdesk.outbound.as_written import as_written
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.filing import PROVIDER_FIRST, file_rest
from letterdesk.outbound.models import TrackedLetter
from letterdesk.outbound.send import send
from tests.rig.crashes import Point, dies
from tests.rig.sink import Sink

pytestmark = pytest.mark.dovecot
# So short a text beside so long links that what travels is not read by its plain text any more.
HTML = "".join(f'<p><a href="https://acme.example/{"x" * 300}/{n}">Offer {n}</a></p>' for n in (1, 2, 3))


def as_it_came(letter):
    """Google: the same with lines above it."""
    return b"Received: by provider\r\n" + letter


def with_text_of_its_own(letter):
    """Exchange writes the plain text anew."""
    return b"Received: by provider\r\n" + letter.replace(b"Offer 1", b"Offer  1 *", 1)


@pytest.fixture
def copy(connected, dovecot):
    copy = connected(dovecot)
    copy.deliver([b"Subject: x\r\n\r\nx\r\n"], folder="Sent")
    copy.settle()
    tracking.switch(by=employ(copy.mailbox.account, "Maria", Role.ADMINISTRATOR), on=True)
    return copy


@pytest.fixture
def leave(copy):
    """A tracked letter of a record leaves, and the provider files it; `dead`: our worker is, before we have."""

    def made(provider, *, dead):
        by = copy.mailbox.owner
        amara = create(Kind.CONTACT, Fields("Amara", by, addresses=("amara@okafor.example",)), by=by, now=copy.now)
        with Sink() as sink:
            sink.reach(copy.mailbox)
            draft = write.begin(amara, by=by, now=copy.now)
            more = {"subject": "Offer", "body_html": HTML, "is_tracked": True}
            draft = drafts.save(draft, by=by, seen=draft.version, now=copy.now, **more)
            send(draft, by=by, seen=draft.version, now=copy.now)
            copy.later = timedelta(seconds=13)
            go = lambda: deliver(now=copy.now, patience=1)  # noqa: E731
            if dead:
                dies(go, Point("filing.prepared", 1))
            else:
                go()
            PendingChange.objects.update(due_at=copy.now + PROVIDER_FIRST)  # as at Google and Microsoft
            travelled = sink.taken[0].raw.replace(b"\r\n..", b"\r\n.")  # RFC 5321 4.5.2
            copy.deliver([provider(travelled)], folder="Sent")

    return made


def look(copy):
    copy.settle()
    copy.mailbox.refresh_from_db()
    link_new(copy.mailbox, now=copy.now)


@pytest.mark.parametrize("provider", [as_it_came, with_text_of_its_own])
@pytest.mark.parametrize("first", ["ours", "kept", "theirs"])
def test_crm_has_our_own_copy_whichever_comes_first(copy, leave, provider, first):
    leave(provider, dead=first == "theirs")
    if first == "ours":
        link_new(copy.mailbox, now=copy.now)
    if first == "kept":
        keep_written(now=copy.now)
    look(copy)
    file_rest(now=copy.now)
    look(copy)
    keep_written(now=copy.now)
    look(copy)
    activity = Activity.objects.get()
    assert b"/t/" not in raw(activity) and read_body(raw(activity)).html.count("https://acme.example/") == 3
    [there] = Message.objects.filter(mailbox=copy.mailbox, subject="Offer")
    assert there.in_crm and not PendingChange.objects.exists()
    while collect(now=copy.now + timedelta(days=2)):
        pass
    assert b"/t/" not in raw(activity)


def test_the_providers_copy_is_read_as_it_was_written(copy, leave):
    leave(as_it_came, dead=False)
    look(copy)
    file_rest(now=copy.now)
    there = Message.objects.get(mailbox=copy.mailbox, subject="Offer")
    body = read_body(blobs.get(there.account_id, there.blob))
    assert body.html.count(TrackedLetter.objects.get().public_id) == 4
    shown = as_written(body, there.account_id).html
    assert "/t/" not in shown and "<img" not in shown and shown.count("https://acme.example/") == 3
