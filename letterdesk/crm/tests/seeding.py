"""Records and activities as rows, for tests that read them."""

import itertools

from django.utils import timezone

from letterdesk.crm.models import Activity, Binding, Direction, EmailAddress, LetterCopy, Reason, Record, Thread
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.search.index import index_letters, index_record, texts_of
from letterdesk.lib.alphabet import sort_key
from letterdesk.mailboxes import collect

_numbers = itertools.count(1)


def record_of(responsible, name="Amara Okafor", *emails, kind="contact", **fields):
    """A record of somebody, with addresses."""
    made = Record.objects.create(
        account=responsible.account, kind=kind, name=name, name_key=sort_key(name), responsible=responsible,
        created_by=responsible, **fields,
    )  # fmt: skip
    EmailAddress.objects.bulk_create(
        EmailAddress(account=made.account, record=made, email=email, key=email.lower(), position=place)
        for place, email in enumerate(emails)
    )
    index_record(made, fields_of(made))
    return made


def activity_at(*records, letter=None, subject="Offer", thread=None, reason=Reason.ADDRESS, **fields):
    """An activity at these records; of a letter that was received it holds the bytes."""
    account = records[0].account
    thread = thread or Thread.objects.create(account=account, subject=subject)
    said = {
        "identity": f"test-{next(_numbers)}",
        "direction": Direction.INCOMING,
        "blob": letter.blob if letter else "0" * 64,
        "size": letter.size if letter else 0,
        "from_name": "Amara",
        "from_address": "amara@okafor.example",
        "recipients": {"to": [["Ines", "ines@acme.example"]]},
        "snippet": "Hello",
        "received_at": timezone.now(),
    }
    if letter is not None:
        copied = ("from_name", "from_address", "recipients", "snippet", "received_at", "message_id")
        said |= {name: getattr(letter, name) for name in copied}
        subject = letter.subject
    made = Activity.objects.create(account=account, thread=thread, subject=subject, **said | fields)
    index_letters([made], texts_of({made.pk: letter}) if letter is not None else {})
    if letter is not None:
        collect.hold(account.pk, [letter.blob], holder=made.holder, now=made.received_at)
        LetterCopy.objects.create(account=account, activity=made, mailbox=letter.mailbox, blob=letter.blob)
    for record in records:
        Binding.objects.create(
            account=account, activity=made, record=record, reason=reason, received_at=made.received_at
        )
    return made
