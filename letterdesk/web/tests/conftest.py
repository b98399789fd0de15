"""A small company that looks at its mail: an owner, one with access, team-mates without, and a stranger."""

import re
from datetime import timedelta
from email.message import EmailMessage
from types import SimpleNamespace

import dns.resolver
import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.utils.translation import trans_real

from letterdesk.accounts.models import Department, Invitation, Role
from letterdesk.crm.models import Exclusion, OwnField, PolledFolder, PolledLetter, PolledMailbox
from letterdesk.crm.records.change_many import Wish as Many
from letterdesk.crm.records.change_many import begin as begin_many
from letterdesk.crm.records.labels import give as give_label
from letterdesk.crm.records.notes import Said
from letterdesk.crm.records.notes import write as write_note
from letterdesk.crm.records.stages import first_stage
from letterdesk.crm.records.take_in import begin as begin_import
from letterdesk.crm.records.views import save as save_list_view
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.intake.models import Arrived
from letterdesk.lib.blobs import put_many
from letterdesk.mail import dkim
from letterdesk.mail.letters import Fetched
from letterdesk.mail.tests.test_dkim import KEY
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.labels import make_label
from letterdesk.mailboxes.models import AccessRequest, Grant, Quarantined
from letterdesk.mailboxes.receive import receive
from letterdesk.mailboxes.retention.legal import place as place_hold
from letterdesk.mailboxes.retention.periods import Own
from letterdesk.mailboxes.search.saved import save
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
from letterdesk.notifications.models import Kind, Notification, PushBrowser
from letterdesk.outbound.answering import reply
from letterdesk.outbound.files import Given
from letterdesk.outbound.files import attach as attach_to_draft
from letterdesk.outbound.models import Draft, SigningKey, Suppressed, VerifiedSender
from letterdesk.outbound.send import send
from letterdesk.outbound.templates import keep_with_files
from letterdesk.tasks.checklist import add_item
from letterdesk.tasks.create import create
from letterdesk.tasks.files import attach
from letterdesk.tasks.models import Comment, Guest
from letterdesk.tasks.notices import tell_due
from letterdesk.tasks.reminders import remind_at
from letterdesk.team.comments import add as add_comment


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


def polled_with_letter(account, now):  # noqa: F811
    """A mailbox polled for CRM alone that is paused, and a letter that its server did not hand over."""
    server = {"imap_host": "mail.acme.example", "imap_port": 993, "imap_security": "tls", "imap_user": "sales"}
    paused = PolledMailbox.objects.create(account=account, address="sales@acme.example", state="paused", **server)
    folder = PolledFolder.objects.create(account=account, mailbox=paused, name="INBOX", wire_name="INBOX", is_on=True)
    letter = PolledLetter.objects.create(
        account=account, mailbox=paused, folder=folder, key="0" * 64, uid=1, received_at=now, trouble="too_large",
        size=60_000_000,
    )  # fmt: skip
    return paused, letter


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
    line = Notification.objects.create(
        account=account, employee=people["owner"], kind=Kind.LETTERS, about=mailbox.topic, mailbox=mailbox, at=now
    )
    pushed = PushBrowser.objects.create(
        account=account, employee=people["owner"], endpoint_hash="0" * 64, keys={}, session_secret="none"
    )
    refused = Suppressed.objects.create(account=account, mailbox=mailbox, address="gone@client.example")
    Draft.objects.filter(pk=answer.pk).update(bcc=[["", refused.address]])
    secret = sendsave.make(by=people["owner"], of_account=False, now=now)
    arrived = Arrived.objects.create(
        account=account, door="sendsave", address=secret.public_id, blob=letter.blob, size=letter.size, state="asked"
    )
    polled, polled_letter = polled_with_letter(account, now)
    guest = Guest.objects.create(
        account=account, task=task, address="bo@b.example", key="bo@b.example", invited_by=people["owner"]
    )
    [words] = put_many(account.pk, [b"From: bo@b.example\r\nSubject: Re: Renew contract\r\n\r\nYes\r\n"])
    answer_of_guest = Arrived.objects.create(
        account=account, door="guest", address=guest.public_id, blob=words, size=60, state="asked"
    )
    answered = Comment.objects.create(account=account, task=task, guest=guest, text="Thanks", letter=words)
    said = {"name": "Thanks", "subject": "", "text": "Thank you", "share": "all"}
    template = keep_with_files(people["owner"], [Given("a.txt", "text/plain", b"a")], now=now, **said)
    return SimpleNamespace(
        guest_id=guest.public_id,
        said_id=answered.pk,
        guest_letter_id=answer_of_guest.public_id,
        address_id=secret.public_id,
        arrived_id=arrived.public_id,
        polled_id=polled.public_id,
        polled_letter_id=polled_letter.public_id,
        suppressed_id=refused.public_id,
        draft_id=answer.public_id,
        template_id=template.public_id,
        template_file_id=template.files.get().public_id,
        draft_file_id=kept.public_id,
        comment_id=add_comment(letter.conversation, "Hello", by=people["owner"], now=now).public_id,
        delivery_id=send(sent, by=people["owner"], seen=sent.version, now=now).public_id,
        letter=letter,
        plural="contacts",
        view="unassigned",
        import_id=begin_import("contact", b"Name\nBo", "people.csv", by=people["owner"]).public_id,
        exclusion_id=Exclusion.objects.create(account=account, pattern="@news.example").public_id,
        record_id=contact.public_id,
        own_field_id=OwnField.objects.create(
            account=account, kind="contact", name="Customer number", key="customer number", type="text"
        ).public_id,
        pipeline_id=first_stage(account, "deal").pipeline.public_id,
        record_label_id=give_label(contact, ["Customer"], by=people["owner"])[0].public_id,
        note_id=write_note(contact, Said("Prefers mornings"), by=people["owner"], now=now).public_id,
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
        domain_id=SigningKey.objects.create(
            account=account, domain="acme.example", selector="ld202611", key=KEY, made_at=now
        ).public_id,
        sender_id=VerifiedSender.objects.create(
            account=account,
            address="sales@acme.example",
            key="sales@acme.example",
            smtp_host="x.example",
            smtp_port=465,
        ).public_id,
        rule_id=rule(account, Own(300), begins_at=now + timedelta(days=3650)).public_id,
        list_view_id=save_list_view(people["owner"], "contact", "who=me", name="Mine").public_id,
        change_of_many_id=begin_many(
            Many("label", label="Customer"), [contact.pk], kind="contact", by=people["owner"]
        ).public_id,
        search_id=save(people["owner"], "offer", name="", now=now).public_id,
        label_id=make_label(mailbox, "Urgent").public_id,
        action_id=act([Chosen(letter.conversation_id, None)], Wish("pin", people["owner"], now)).public_id,
        employee_id=people["mate"].public_id,
        account_id=account.public_id,
        provider_key="google",
        export_id="aaaaaaaaaaaaaaaa",
        notification_id=line.pk,
        browser_id=pushed.pk,
        token="not-a-token",
        uidb36="1",
        key="k",
        pk=1,
    )


# Letters; what is filled in, tags and formats of dates stay as they are.
PLAIN = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+>|&\w+;|^(?:[DljFMY][ ,:HiY]*)+$|([A-Za-z])")


class Pseudo(trans_real.DjangoTranslation):
    """A language in which every text is marked: what stays unmarked on a page was not translated."""

    def gettext(self, message):
        return PLAIN.sub(
            lambda found: chr(ord(found[1].lower()) - ord("a") + ord("ⓐ")) if found[1] else found[0], message or ""
        )

    def ngettext(self, singular, plural, number):
        return self.gettext(singular if number == 1 else plural)

    def pgettext(self, _context, message):
        return self.gettext(message)

    def npgettext(self, _context, singular, plural, number):
        return self.ngettext(singular, plural, number)


@pytest.fixture
def pseudo(monkeypatch):
    """German, for once, is the pseudo-language."""
    with override_settings(LANGUAGES=[("en", "English"), ("de", "Pseudo")]):
        monkeypatch.setitem(trans_real._translations, "de", Pseudo("de"))
        yield "de"


@pytest.fixture(autouse=True)
def no_dns(monkeypatch):
    """Nobody is asked outside: a port on which nobody listens answers at once that it does not."""
    nobody = dns.resolver.Resolver(configure=False)
    nobody.nameservers, nobody.port, nobody.lifetime = ["127.0.0.1"], 9, 0.2
    monkeypatch.setattr(dns.resolver, "default_resolver", nobody)
    monkeypatch.setattr(dkim, "SECONDS", 0.2)
