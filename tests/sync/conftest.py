"""What every test of the sync against a rig server has: a real database, its own blobs, loopback allowed."""

from datetime import timedelta

import pytest

from letterdesk.intake import jobs
from letterdesk.mail.authentic import Evidence, Proof
from letterdesk.outbound import drafts
from tests.rig.boxes import letter
from tests.rig.copies import Copy
from tests.rig.liar import Liar
from tests.rig.polled import OnLiar
from tests.rig.world import make_account, make_mailbox
from tests.sync.drafting import write


@pytest.fixture(autouse=True)
def _ground(transactional_db, allow_loopback, blob_folder):
    """Real transactions, blobs of this test, a guard that admits loopback."""


@pytest.fixture
def connected():
    """`connected(server)` makes a user there and a mailbox of ours; `through=` connects by way of a proxy."""

    def connect(server, *, through=None, **fields) -> Copy:
        user = getattr(server, "user", None) or server.add_user()
        return Copy(server, user, make_mailbox(through or server, user, **fields))

    return connect


@pytest.fixture
def nearly_over(connected, settings):
    """`nearly_over(server, 3)`: a mailbox on the plan Standard with so many letters, a day before their period ends."""

    def connect(server, count: int) -> Copy:
        settings.CATALOGUE = "commercial"
        copy = connected(server, account=make_account(plan="standard"))
        copy.deliver([letter(number) for number in range(count)], date=copy.now - timedelta(days=29))
        copy.settle()
        assert len(copy.messages()) == count
        return copy

    return connect


@pytest.fixture
def writing(connected, invent):
    """A mailbox in step, and a draft in it that somebody has paused in."""

    def made(script=Liar):
        copy = connected(invent(script))
        copy.server.inbox.add(letter(1))
        copy.settle()
        copy.mailbox.smtp_host = "smtp.acme.example"
        copy.mailbox.save(update_fields=["smtp_host"])
        by = copy.mailbox.owner
        draft = drafts.start(copy.mailbox, by=by, now=copy.now, to=[("Bo", "bo@client.example"), ("", "half@")])
        return copy, write(copy, draft, "First")

    return made


@pytest.fixture
def quiet(settings, monkeypatch):
    """What is fetched for CRM is taken in at once, and nobody is asked in DNS who wrote it."""
    settings.JOBS_URL = "memory://"
    settings.CATALOGUE = "commercial"
    monkeypatch.setattr(jobs, "evidence_of", lambda _raw, **_: Evidence(Proof.NONE, "", ""))


@pytest.fixture
def poll(invent):
    """`poll(script)`: an account with a mailbox on such a server, not yet connected."""

    def made(script=Liar):
        server = invent(script)
        return OnLiar(server, server.user, make_account(plan="standard"))

    return made
