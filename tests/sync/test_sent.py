"""What is sent lies in Sent on the server exactly once, whoever files it, and our copy becomes that one (E08, A15)."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import Message, PendingChange, Placement
from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.filing import file_rest
from letterdesk.outbound.send import send
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.sink import Sink


class WithoutUidplus(Liar):
    """Tells no UID of what is appended."""

    capabilities = Liar.capabilities.replace(" UIDPLUS", "")


@pytest.fixture
def sent(connected, invent):
    """A letter that has left, from a mailbox in step with its server; `filing` is what the provider does with it."""

    def made(script=Liar, provider=lambda server, raw: None):
        server = invent(script)
        server.inbox.add(letter(1))
        copy = connected(server)
        copy.settle()
        by = copy.mailbox.owner
        with Sink() as sink:
            sink.reach(copy.mailbox)
            draft = drafts.start(copy.mailbox, by=by, now=copy.now, to=[("", "bo@client.example")], body_text="Hi")
            draft = drafts.save(draft, by=by, seen=1, now=copy.now, bcc=[("", "boss@acme.example")])
            send(draft, by=by, seen=2, now=copy.now)
            deliver(now=copy.now + timedelta(seconds=13), patience=1)
            provider(server, sink.taken[0].raw)
        return copy

    return made


def shown(copy):
    """UIDs and subjects of Sent as a reader sees it."""
    return Placement.objects.filter(folder__mailbox=copy.mailbox, folder__role="sent")


@pytest.mark.parametrize("script", [Liar, WithoutUidplus])
def test_the_copy_is_appended_once_and_our_place_becomes_the_servers(sent, script):
    copy = sent(script)
    [ours] = shown(copy)
    assert ours.uid < 0
    copy.later = timedelta(seconds=14)
    copy.settle()
    [there] = copy.server.boxes["Sent"].letters
    assert there.raw.startswith(b"Bcc: boss@acme.example\r\n") and "\\Seen" in there.flags
    [place] = shown(copy)
    assert (place.pk, place.uid) == (ours.pk, there.uid)
    assert not PendingChange.objects.exists()
    copy.agrees_and_stays()


def test_what_the_provider_has_filed_is_not_appended_again(sent):
    """Google and Microsoft put what they send into Sent, with other bytes."""
    copy = sent(provider=lambda server, raw: server.boxes["Sent"].add(b"Received: by provider\r\n" + raw))
    copy.later = timedelta(seconds=14)
    copy.settle()
    file_rest(now=copy.now)
    copy.settle()
    assert len(copy.server.boxes["Sent"].letters) == 1
    assert shown(copy).count() == 1 and Message.objects.filter(mailbox=copy.mailbox).count() == 2
    assert not PendingChange.objects.exists()


def test_where_there_is_no_sent_folder_one_is_made(sent):
    class Bare(Liar):
        def setup(self):
            del self.boxes.by_name["Sent"]

    copy = sent(Bare)
    copy.later = timedelta(seconds=14)
    copy.settle()
    assert len(copy.server.boxes["Sent"].letters) == 1 and shown(copy).get().uid > 0
    copy.agrees_and_stays()
