"""The oracle must notice: each kind of damage, done by hand, is named."""

import pytest

from letterdesk.lib import blobs
from letterdesk.mailboxes.models import BlobReference, Listing, Message, Placement
from letterdesk.sync.models import FolderCursor
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.oracle import fingerprint


def lose(copy):
    Placement.objects.filter(uid=2).delete()


def invent_one(copy):
    Placement.objects.filter(uid=2).update(uid=99)


def mark_seen(copy):
    Placement.objects.filter(uid=2).update(is_seen=True)


def swap(copy):
    other = Message.objects.get(subject="Letter 3")
    Placement.objects.filter(uid=2).update(message=other, conversation=other.conversation_id)


def let_go(copy):
    BlobReference.objects.all().delete()


def miscount(copy):
    Listing.objects.update(unread_count=7)


def misledger(copy):
    FolderCursor.objects.filter(folder=copy.folder()).update(expected=4)


def forget_folder(copy):
    copy.mailbox.folders.filter(wire_name="Sent").delete()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lose, "missing UIDs 2"),
        (invent_one, "invented UIDs 99"),
        (mark_seen, "has flags"),
        (swap, "is another letter"),
        (let_go, "nobody holds"),
        (miscount, "a recount"),
        (misledger, "ledger expects 4"),
        (forget_folder, "on the server only"),
    ],
)
def test_damage_is_named(invent, connected, damage, words):
    server = invent(Liar)
    for number in range(1, 4):
        server.inbox.add(letter(number))
    copy = connected(server)
    copy.settle()
    copy.agrees_and_stays()
    damage(copy)
    assert any(words in each for each in copy.differences()), copy.differences()


def test_a_letter_changed_on_disk_is_noticed(invent, connected):
    server = invent(Liar)
    server.inbox.add(letter(1))
    copy = connected(server)
    copy.settle()
    blobs.remove(copy.mailbox.account_id, copy.messages()[0].blob)
    with pytest.raises(blobs.BlobMissing):
        copy.differences()


def test_any_change_of_what_is_held_changes_the_fingerprint(invent, connected):
    server = invent(Liar)
    server.inbox.add(letter(1))
    copy = connected(server)
    copy.settle()
    before = fingerprint(copy.mailbox)
    Placement.objects.update(is_flagged=True)
    assert fingerprint(copy.mailbox) != before
