"""A shared mailbox: its owner, one who answers, one who only reads, one without access, a stranger."""

import pytest

from letterdesk.accounts.models import Department
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.models import Grant
from letterdesk.mailboxes.tests.conftest import (  # noqa: F401  fixtures
    account,
    archive,
    blobs_folder,
    employ,
    inbox,
    ines,
    jonas,
    mailbox,
    now,
    sold_plans,
    stranger,
    trash,
)
from letterdesk.mailboxes.tests.letters import ago, folder_of, letter


@pytest.fixture
def sales(account):  # noqa: F811
    return Department.objects.create(account=account, name="Sales")


@pytest.fixture
def lea(account, mailbox, sales):  # noqa: F811
    """A member: her department answers from the mailbox."""
    Grant.objects.create(account=account, mailbox=mailbox, department=sales)
    return employ(account, "Lea", department=sales)


@pytest.fixture
def omar(account, mailbox):  # noqa: F811
    """An observer."""
    person = employ(account, "Omar")
    Grant.objects.create(account=account, mailbox=mailbox, employee=person, may_reply=False)
    return person


@pytest.fixture
def sent(mailbox):  # noqa: F811
    return folder_of(mailbox, "Sent", "sent")


@pytest.fixture
def offer(inbox, archive, lea, now):  # noqa: F811
    """A conversation that is open and nobody's."""
    found = letter(inbox, received_at=ago(now, hours=2), subject="Offer").conversation
    found.status = "open"
    found.save(update_fields=["status"])
    return found


def do(verb, *conversations, by, at, folder=None):
    """Act on conversations as the faces do."""
    chosen = [Chosen(each.pk, folder.pk if folder else None) for each in conversations]
    action = act(chosen, verb(Wish("", by, at)))
    for each in conversations:
        each.refresh_from_db()
    return action
