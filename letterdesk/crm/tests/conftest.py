"""The store's small company, with the people around a customer."""

import pytest

from letterdesk.accounts.models import Department, Role
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Binding, Direction, Kind, LetterCopy, Reason, Thread
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.lib import blobs
from letterdesk.mailboxes import collect, in_crm
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.arriving import fetched, raw, receive
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


@pytest.fixture
def amara(make):
    return make(addresses=("amara@okafor.example",))


@pytest.fixture
def come(inbox, now):  # noqa: F811
    """Letters arrive over the wire and are looked at."""
    uids = iter(range(1, 1000))

    def came(*raws, folder=inbox, at=now, history=False, look=True):
        letters = [fetched(next(uids), content, at=at) for content in raws]
        receipt = receive(folder, *letters, now=now, initial=history)
        if look:
            link_new(folder.mailbox, now=now)
        return list(Message.objects.filter(pk__in=[each.pk for each in receipt.stored]).order_by("pk"))

    return came


@pytest.fixture
def committed(django_capture_on_commit_callbacks, settings):
    """What a commit wakes is done at its end."""
    settings.JOBS_URL = "memory://"
    return django_capture_on_commit_callbacks(execute=True)


def from_amara(subject="Offer", **fields):
    fields.setdefault("message_id", f"{subject}@okafor.example")
    return raw(subject, sender="Amara Okafor <Amara@Okafor.example>", **fields)


def standing(activity):
    return set(activity.bindings.values_list("record", "reason"))


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
