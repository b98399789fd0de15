"""A small company that looks at its mail: an owner, one with access, team-mates without, and a stranger."""

from datetime import timedelta
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client

from letterdesk.accounts.models import Department, Invitation, Role
from letterdesk.crm.models import Exclusion
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.labels import make_label
from letterdesk.mailboxes.legal import place as place_hold
from letterdesk.mailboxes.models import AccessRequest, Grant, Quarantined
from letterdesk.mailboxes.periods import Own
from letterdesk.mailboxes.receive import receive
from letterdesk.mailboxes.saved_searches import save
from letterdesk.mailboxes.tests.conftest import (  # noqa: F401  fixtures
    account,
    archive,
    blobs_folder,
    employ,
    inbox,
    ines,
    jonas,
    mailbox,
    sold_plans,
    stranger,
    trash,
)
from letterdesk.mailboxes.tests.test_own_times import rule
from letterdesk.outbound.answering import reply
from letterdesk.outbound.files import attach as attach_to_draft
from letterdesk.outbound.send import send
from letterdesk.tasks.checklist import add_item
from letterdesk.tasks.create import create
from letterdesk.tasks.files import attach
from letterdesk.tasks.notices import tell_due
from letterdesk.tasks.reminders import remind_at


@pytest.fixture
def now():
    from django.utils import timezone

    return timezone.now()


def raw_letter(subject="Offer", *, text="Hello", html=None, sender="Amara <amara@okafor.example>", files=(), **headers):
    """A letter as a server would hand it out; files are (name, content type, bytes, content id or "")."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "ines@acme.example", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    for name, kind, content, content_id in files:
        maintype, _slash, subtype = kind.partition("/")
        more = {"cid": f"<{content_id}>"} if content_id else {}
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name, **more)
    return message.as_bytes()


@pytest.fixture
def deliver(inbox, now):  # noqa: F811
    """Put letters into a folder through the real receiving; returns the messages, oldest first."""
    uids = iter(range(1, 10_000))

    def put(*raws, folder=None, at=None, flags=()):
        folder = folder or inbox
        letters = [Fetched(next(uids), raw, at or now, frozenset(flags)) for raw in raws]
        with transaction.atomic():
            return receive(folder, letters, uidvalidity=1, now=now).stored

    return put


@pytest.fixture
def sign_in():
    """A browser in which somebody is signed in."""

    def enter(employee):
        client = Client(HTTP_HOST="127.0.0.1")
        if employee is not None:
            client.force_login(employee)
        return client

    return enter


@pytest.fixture
def browser(sign_in, ines):  # noqa: F811
    return sign_in(ines)


@pytest.fixture
def people(account, ines, jonas, stranger, mailbox):  # noqa: F811
    """All who may knock: anonymous, owner, reader (granted, reads alone), mate, administrator, stranger."""
    reader = employ(account, "Lea")
    Grant.objects.create(account=account, mailbox=mailbox, employee=reader, may_reply=False)
    return {
        "anonymous": None,
        "owner": ines,
        "reader": reader,
        "mate": jonas,
        "administrator": employ(account, "Admin", Role.ADMINISTRATOR),
        "stranger": stranger,
    }


@pytest.fixture
def things(people, deliver, mailbox, inbox, archive, trash, now):  # noqa: F811
    """One of everything that an address can name."""
    letter = deliver(raw_letter(files=[("a.pdf", "application/pdf", b"%PDF-1", "")]))[0]
    account = mailbox.account  # noqa: F811
    quarantined = Quarantined.objects.create(
        account=account, folder=inbox, uidvalidity=1, uid=99, reason="unreadable", blob=letter.blob, size=5
    )
    Department.objects.create(account=account, name="Sales")
    invitation = Invitation.objects.create(
        account=account, email="new@acme.example", token_hash="0" * 64, created_at=now, expires_at=now
    )
    asked = AccessRequest.objects.create(account=account, mailbox=mailbox, employee=people["mate"])
    task = create("Renew contract", by=people["owner"], now=now, letters=[letter])
    tomorrow = now + timedelta(days=1)
    reminder = remind_at(task, tomorrow, by=people["owner"], now=now)
    other = remind_at(task, now + timedelta(hours=1), by=people["owner"], now=now)
    tell_due(now=other.due_at)
    file = attach(task, b"list", filename="prices.txt", content_type="text/plain", by=people["owner"], now=now)
    contact = record_of(people["owner"], "Amara Okafor", "amara@okafor.example")
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    answer, sent = (reply(letter, by=people["owner"], now=now) for _ in range(2))
    kept = attach_to_draft(answer, b"list", filename="a.txt", content_type="text/plain", by=people["owner"], now=now)
    return SimpleNamespace(
        draft_id=answer.public_id,
        draft_file_id=kept.public_id,
        delivery_id=send(sent, by=people["owner"], seen=sent.version, now=now).public_id,
        letter=letter,
        plural="contacts",
        exclusion_id=Exclusion.objects.create(account=account, pattern="@news.example").public_id,
        record_id=contact.public_id,
        activity_id=activity_at(contact, letter=letter).public_id,
        task=task,
        task_id=task.public_id,
        item_id=add_item(task, "Ask for the number").pk,
        file_id=file.public_id,
        reminder_id=reminder.pk,
        notice_id=task.notices.get().pk,
        folder_id=inbox.public_id,
        conversation_id=letter.conversation.public_id,
        message_id=letter.public_id,
        day="2026-12-24",
        attachment_id=letter.attachments.get().public_id,
        index=1,
        mailbox_id=mailbox.public_id,
        grant_id=mailbox.grants.get().pk,
        letter_id=quarantined.public_id,
        request_id=asked.pk,
        invitation_id=invitation.pk,
        hold_id=place_hold(account, address="x@y.example", reason="Case 7", by=None, now=now).public_id,
        rule_id=rule(account, Own(300), begins_at=now + timedelta(days=3650)).public_id,
        search_id=save(people["owner"], "offer", name="", now=now).public_id,
        label_id=make_label(mailbox, "Urgent").public_id,
        action_id=act([Chosen(letter.conversation_id, None)], Wish("pin", people["owner"], now)).public_id,
        employee_id=people["mate"].public_id,
        account_id=account.public_id,
        export_id="aaaaaaaaaaaaaaaa",
        token="not-a-token",
        uidb36="1",
        key="k",
        pk=1,
    )
