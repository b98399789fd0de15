"""What becomes of letters out of a mailbox polled for CRM alone, without its server (R30, P9)."""

import pytest
from django.db import transaction

from letterdesk.accounts.models import Role
from letterdesk.crm.linking import asked, exclusions
from letterdesk.crm.linking.ground import ours_of
from letterdesk.crm.models import Activity, PolledFolder, PolledLetter, PolledMailbox, Record, Sight
from letterdesk.crm.polled.key import key_of
from letterdesk.crm.polled.look import DOOR
from letterdesk.intake.doors import Place
from letterdesk.intake.jobs import take
from letterdesk.intake.keep import enter, write
from letterdesk.intake.models import State
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes.models import BlobReference
from letterdesk.mailboxes.tests.conftest import employ

KOFI = "Kofi <kofi@mensah.example>"


@pytest.fixture
def mailbox_of(account, now):
    """Somebody connected a mailbox that makes nothing of unknown people, as is set by itself."""

    def connected(by):
        return PolledMailbox.objects.create(
            account=account, address="sales@acme.example", imap_host="mail.acme.example", imap_port=993,
            imap_security="tls", imap_user="sales@acme.example", made_by=by, made_at=now,
        )  # fmt: skip

    return connected


@pytest.fixture
def polled(mailbox_of, administrator):
    return mailbox_of(administrator)


def come(polled, now, *, sender=KOFI, to="sales@acme.example", role="inbox", older=False, above="", raw=b"", **headers):
    """A letter was fetched out of a folder of this role, and is looked at."""
    headers = {"From": sender, "To": to, "Subject": "Secret", "Message-ID": "<1@rig.example>", **headers}
    made = (above + "".join(f"{name.replace('_', '-')}: {told}\r\n" for name, told in headers.items())).encode()
    raw = raw or made + b"\r\nYour new password is swordfish\r\n"
    facts = {"account": polled.account, "mailbox": polled}
    folder, _made = PolledFolder.objects.get_or_create(name=role, wire_name=role, role=role, **facts)
    write(polled.account_id, [raw], now=now)
    with transaction.atomic():
        place = Place(polled.account_id, DOOR, polled.public_id)
        [row] = enter(polled.account_id, [(Handed("", (), raw, ""), place)], now=now)
        PolledLetter.objects.create(
            folder=folder, key=key_of(raw), uid=1, arrived=row, received_at=now, is_older=older, **facts
        )
    take.now(row.pk)
    row.refresh_from_db()
    return row


def test_letters_of_the_mailbox_ask_administrators_and_who_connected_it(account, mailbox_of, administrator, ines, now):
    """R30, P9. Whoever sees all of CRM does not see the mail of a mailbox for that."""
    Sight.objects.create(account=account, role=Role.EMPLOYEE, scope="all")
    second, colleague = employ(account, "Bo", Role.ADMINISTRATOR), employ(account, "Zoe")
    row = come(mailbox_of(ines), now)
    assert row.state == State.LEFT_OUT
    everybody = (administrator, second, ines, colleague)
    assert [list(asked.left_out_of(each)) for each in everybody] == [[row], [row], [row], []]
    type(row).objects.update(state=State.UNREADABLE)
    row.refresh_from_db()
    assert [list(asked.asked_of(each)) for each in everybody] == [[row], [row], [row], []]
    assert set(asked.people_asked(row)) == {administrator, second, ines}
    ines.is_active = False
    ines.save(update_fields=["is_active"])
    assert (list(asked.asked_of(ines)), set(asked.people_asked(row))) == ([], {administrator, second})


@pytest.mark.parametrize(
    ("why", "letter"),
    [
        ("unknown_off", {}),
        ("internal", {"sender": "sales@acme.example"}),
        ("excluded", {"sender": "bo@private.example"}),
        ("automatic", {"Auto_Submitted": "auto-generated"}),
    ],
)
def test_of_what_is_none_of_crm_s_business_no_bytes_are_kept(polled, administrator, now, why, letter):
    exclusions.exclude("@private.example", by=administrator, now=now)
    row = come(polled, now, **letter)
    assert (row.state, row.why, row.facts["subject"], row.facts["text"]) == (State.LEFT_OUT, why, "Secret", "")
    assert not BlobReference.objects.filter(holder=row.holder).exists()
    assert not asked.is_kept(row)
    assert (asked.answer(row, by=administrator, now=now), Activity.objects.count()) == ([], 0)


def test_what_lay_there_before_is_kept_for_thirty_days_to_be_saved(polled, administrator, now):
    PolledMailbox.objects.update(unknown_incoming="lead")
    row = come(polled, now, older=True)
    assert (row.why, "swordfish" in row.facts["text"], asked.is_kept(row)) == ("history", True, True)
    assert len(asked.answer(row, by=administrator, now=now)) == 1


@pytest.mark.parametrize("role", ["inbox", "folder"])
def test_what_stands_in_a_fetched_letter_about_its_sender_proves_nothing(polled, settings, ines, now, role):
    """D09, D10. Findings are our mail server's where letters came through it alone; here the sender wrote them."""
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0, believed="mx.corp.example")
    PolledMailbox.objects.update(unknown_outgoing="lead")
    above = "Authentication-Results: mx.corp.example; dmarc=pass header.from={}\r\n"
    ours = above.format(ines.email.partition("@")[2])
    row = come(polled, now, sender=ines.email, to=KOFI, above=ours, role=role)
    assert (row.state, Activity.objects.count()) == (State.LEFT_OUT, 0)
    PolledMailbox.objects.update(unknown_incoming="lead")
    come(polled, now, above=above.format("mensah.example"), Message_ID="<2@rig.example>")
    assert Activity.objects.get().is_unverified


def test_our_own_system_s_letters_are_no_client_s_and_no_list_shows_them(polled, administrator, settings, now):
    """Invitations and links to reset passwords come to an address that nobody named as ours, and make nothing."""
    settings.DEFAULT_FROM_EMAIL = "Letterdesk <desk@hosting.example>"
    settings.SERVER_EMAIL = "root@hosting.example"
    PolledMailbox.objects.update(unknown_incoming="lead", unknown_outgoing="lead")
    for number, sender in enumerate((settings.DEFAULT_FROM_EMAIL, settings.SERVER_EMAIL)):
        row = come(polled, now, sender=sender, to="info@acme.example", Message_ID=f"<{number}@rig.example>")
        assert (row.state, row.facts, list(asked.left_out_of(administrator))) == (State.DONE, {}, [])
        assert not BlobReference.objects.filter(holder=row.holder).exists()
    assert (Activity.objects.count(), Record.objects.count()) == (0, 0)
    assert {"desk@hosting.example", "root@hosting.example"} <= ours_of(polled.account_id)


def test_where_letterdesk_writes_from_the_mailbox_itself_its_letters_are_taken(polled, settings, now):
    settings.DEFAULT_FROM_EMAIL = "sales@acme.example"
    PolledMailbox.objects.update(unknown_outgoing="lead")
    assert come(polled, now, sender="sales@acme.example", to=KOFI, role="sent").state == State.DONE
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    ("sender", "is_proved"),
    [("sales@acme.example", True), ("desk@acme.example", True), ("ines", True), ("ceo@corp.example", False)],
)
def test_what_lies_among_sent_letters_is_proved_of_our_own_addresses_alone(polled, ines, now, sender, is_proved):
    """A program or a colleague can put a letter of anybody there."""
    PolledMailbox.objects.update(unknown_outgoing="lead", imap_user="desk@acme.example")
    sender = ines.email if sender == "ines" else sender
    assert come(polled, now, sender=sender, to=f"{KOFI}, Zoe <zoe@z.example>", role="sent").state == State.DONE
    assert Activity.objects.get().is_unverified is not is_proved
