"""A mailbox for CRM alone that is connected once more: what was taken of it is known (R30)."""

import pytest

from letterdesk.crm.models import PolledFolder, PolledLetter
from letterdesk.crm.polled import connect as polled
from letterdesk.mail.imap import RemoteFolder
from letterdesk.mail.imap_types import Login

FOLDERS = [RemoteFolder("INBOX", "INBOX", "/", "inbox"), RemoteFolder("Sent", "Sent", "/", "sent")]


@pytest.fixture
def connect(administrator, now, monkeypatch, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    found = list(FOLDERS)
    monkeypatch.setattr(polled, "_look_round", lambda *_: (found, {}))

    def connected(user="sales", folders=FOLDERS):
        found[:] = folders
        server = Login("127.0.0.1", 1, "none", user, "secret")
        return polled.connect("sales@acme.example", server, by=administrator, now=now, is_tried=True)

    return connected


def line(mailbox, key, now, *, folder="INBOX", trouble=""):
    where = PolledFolder.objects.get(mailbox=mailbox, wire_name=folder)
    facts = {"account": mailbox.account, "mailbox": mailbox, "folder": where, "received_at": now, "trouble": trouble}
    return PolledLetter.objects.create(key=key, uid=7, **facts)


def lines(mailbox):
    return set(PolledLetter.objects.filter(mailbox=mailbox).values_list("key", "folder__wire_name", "uid"))


def test_connected_again_nothing_that_was_dropped_or_purged_comes_back(connect, administrator, now):
    first = connect()
    for key, facts in {"a": {}, "b": {"folder": "Sent"}, "c": {"trouble": "too_large"}}.items():
        line(first, key, now, **facts)
    polled.disconnect(first, by=administrator)
    assert lines(connect("other")) == set()
    second = connect("Sales", FOLDERS[:1])
    assert lines(second) == {("a", "INBOX", 0), ("b", "INBOX", 0)}  # no folder of that name is there any more
    polled.disconnect(second, by=administrator)
    assert lines(connect()) == {("a", "INBOX", 0), ("b", "INBOX", 0)}
    assert lines(first) == set()
