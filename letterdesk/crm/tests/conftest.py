"""The store's small company, with the people around a customer."""

import pytest

from letterdesk.accounts.models import Department, Role
from letterdesk.crm.create import create
from letterdesk.crm.models import Activity, Binding, Direction, Kind, LetterCopy, Reason, Thread
from letterdesk.crm.records import Fields
from letterdesk.lib import blobs
from letterdesk.mailboxes import collect, in_crm
from letterdesk.mailboxes.models import Message
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


@pytest.fixture
def administrator(account):  # noqa: F811
    return employ(account, "Maria", Role.ADMINISTRATOR)


@pytest.fixture
def supervisor(account, ines):  # noqa: F811
    """Of the department in which Ines works."""
    ines.department = Department.objects.create(account=account, name="Sales")
    ines.save(update_fields=["department"])
    return employ(account, "Sam", Role.SUPERVISOR, department=ines.department)


@pytest.fixture
def make(ines, now):  # noqa: F811
    """Make a record of Ines: `make("deal", "Roof", contact=amara)`."""

    def made(kind=Kind.CONTACT, name="Amara Okafor", *, by=ines, at=now, **fields):
        return create(kind, Fields(name=name, responsible=fields.pop("responsible", by), **fields), by=by, now=at)

    return made


def activity_at(*records, at, message=None, identity="", content=b""):
    """An activity at records with bytes of its own, as linking would write it; of a letter in Webmail if given."""
    account = records[0].account  # noqa: F811
    content = content or f"letter {Activity.objects.count()}".encode()
    blob = message.blob if message else blobs.hash_of(content)
    activity = Activity.objects.create(
        account=account,
        identity=identity or blob,
        thread=Thread.objects.create(account=account),
        direction=Direction.INCOMING,
        blob=blob,
        size=len(content),
        subject="Offer",
        received_at=at,
    )
    collect.announce(account.pk, [blob], now=at)
    blobs.put(account.pk, {blob: content})
    collect.hold(account.pk, [blob], holder=activity.holder, now=at)
    for record in records:
        Binding.objects.create(
            account=account, activity=activity, record=record, reason=Reason.ADDRESS, received_at=activity.received_at
        )
    if message:
        LetterCopy.objects.create(account=account, activity=activity, mailbox=message.mailbox, blob=blob)
        in_crm.mark(account.pk, [message.pk])
    return activity


def says_in_crm(message):
    return Message.objects.values_list("in_crm", flat=True).get(pk=message.pk)
