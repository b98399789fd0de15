"""The store's small company, with a mailbox that can send."""

import pytest

from letterdesk.mailboxes.models import Grant
from letterdesk.mailboxes.tests.conftest import (  # noqa: F401  fixtures
    account,
    blobs_folder,
    employ,
    inbox,
    ines,
    jonas,
    now,
    sold_plans,
    stranger,
)
from letterdesk.mailboxes.tests.conftest import mailbox as receiving  # noqa: F401
from letterdesk.outbound import drafts
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import TO


@pytest.fixture
def mailbox(receiving):  # noqa: F811
    receiving.smtp_host = "smtp.acme.example"
    receiving.save(update_fields=["smtp_host"])
    return receiving


@pytest.fixture
def draft(mailbox, ines, now):  # noqa: F811
    """Ines writes to Bo."""
    return drafts.start(mailbox, by=ines, now=now, to=[("Bo", "bo@client.example")], subject="Hi", body_text="Hello")


@pytest.fixture
def colleague(mailbox, jonas):  # noqa: F811
    """Jonas, who may reply in the mailbox."""
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, may_reply=True)
    return jonas


@pytest.fixture
def queued(mailbox, ines, now):  # noqa: F811
    """Queue a letter of Ines; it may leave at `now + SOON`."""

    def made(sink, to=TO, **fields):
        sink.reach(mailbox)
        draft = drafts.start(mailbox, by=ines, now=now, to=to, subject="Hi", body_text="Hello\n.\nBye", **fields)
        return send(draft, by=ines, seen=1, now=now)

    return made
