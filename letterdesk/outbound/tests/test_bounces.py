"""Reports that arrive: believed of letters of ours and of those to whom they went, and of nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.mailboxes.tests.arriving import fetched, receive
from letterdesk.outbound import suppression
from letterdesk.outbound.bounces import _left_from, read_reports
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.drafts import start
from letterdesk.outbound.models import Delivery, DeliveryRecipient, ReportsRead, State, Suppressed
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import after, states
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]
HARD, SOFT, DELAYED = ("failed", "5.1.1"), ("failed", "5.2.2"), ("delayed", "4.4.1")


def report(message_id, *told, sender="MAILER-DAEMON@mx.client.example", kind="multipart/report"):
    """A report of (address, (action, status)) about a letter."""
    blocks = "\n\n".join(
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} no"
        for address, (action, status) in told
    )
    return (
        f'From: {sender}\nSubject: Undelivered\nMIME-Version: 1.0\nContent-Type: {kind}; boundary="b"\n\n'
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{blocks}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{message_id}>\n\n--b--\n"
    ).encode()


@pytest.fixture
def sent(queued, now):
    """A letter to Bo, Cy and Di that the server took."""
    with Sink() as sink:
        delivery = after(queued(sink), now)
    assert delivery.state == State.SENT
    return delivery


@pytest.fixture
def arrive(inbox, mailbox, now):
    """Letters arrive in the mailbox and are looked through."""
    uids = iter(range(1, 1000))

    def put(*raws, **more):
        receive(inbox, *[fetched(next(uids), raw, at=now) for raw in raws], now=now, **more)
        while read_reports(mailbox, now=now):
            pass

    return put


def bounces(delivery):
    return [each.bounce for each in delivery.recipients.order_by("pk")]


def test_a_report_is_told_at_the_letter_and_puts_the_address_on_the_list(sent, arrive, mailbox):
    arrive(report(sent.message_id, ("bo@client.example", HARD), ("cy@client.example", SOFT)))
    sent.refresh_from_db()
    assert bounces(sent) == ["hard", "soft", ""] and states(sent) == ["accepted"] * 3
    assert sent.trouble_at is not None and sent.state == State.SENT
    assert Suppressed.objects.get().address == "bo@client.example"
    assert "550 5.1.1 no" in sent.recipients.get(address="bo@client.example").bounce_text
    told = Event.objects.get(kind="letter.bounced")
    assert (told.topic, told.facts["hard"], told.facts["soft"]) == (mailbox.topic, 1, 1)


def test_it_is_read_by_itself_when_it_arrives(sent, inbox, now, settings):
    settings.JOBS_URL = "memory://"
    Delivery.objects.update(created_at=timezone.now())
    receive(inbox, fetched(1, report(sent.message_id, ("bo@client.example", HARD)), at=now), now=now)
    dispatch(now)
    assert bounces(sent) == ["hard", "", ""]


def test_a_report_that_is_read_twice_is_news_once(sent, arrive, mailbox):
    arrive(report(sent.message_id, ("bo@client.example", HARD)))
    ReportsRead.objects.update(up_to=0)
    arrive(report(sent.message_id, ("bo@client.example", HARD)) + b"\n")
    assert Event.objects.filter(kind="letter.bounced").count() == 1
    assert Suppressed.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(DELAYED, HARD, "hard"), (HARD, DELAYED, "hard"), (SOFT, HARD, "hard"), (HARD, SOFT, "hard"),
     (DELAYED, ("delivered", "2.0.0"), ""), (HARD, ("delivered", "2.0.0"), "hard")],
)  # fmt: skip
def test_a_warning_never_covers_a_failure(sent, arrive, first, second, expected):
    for told in (first, second):
        arrive(report(sent.message_id, ("bo@client.example", told)))
    assert bounces(sent)[0] == expected


def test_a_letter_that_is_only_late_is_no_trouble(sent, arrive):
    arrive(report(sent.message_id, ("bo@client.example", DELAYED)))
    sent.refresh_from_db()
    assert sent.trouble_at is None and bounces(sent) == ["delayed", "", ""]
    assert not Event.objects.filter(kind="letter.bounced").exists()


@pytest.mark.parametrize(
    "forged",
    [
        lambda sent: report("somebody@else.example", ("bo@client.example", HARD)),  # no letter of ours
        lambda sent: report(sent.message_id, ("boss@client.example", HARD)),  # it never went there
        lambda sent: report(sent.message_id[:-1], ("bo@client.example", HARD)),
        lambda sent: report("", ("bo@client.example", HARD)),
        lambda sent: report(sent.message_id, ("bo@client.example", HARD), sender="x@y.example", kind="multipart/mixed"),
    ],
    ids=["another letter", "another recipient", "a part of the id", "no id", "a person's letter"],
)
def test_a_forged_report_suppresses_nobody(sent, arrive, forged):
    arrive(forged(sent))
    assert bounces(sent) == ["", "", ""]
    assert not Suppressed.objects.exists()


def test_a_report_about_somebody_whom_the_server_refused_is_no_news(queued, arrive, now):
    with Sink("rcpt:bo@client.example:550 no") as sink:
        delivery = after(queued(sink), now)
    arrive(report(delivery.message_id, ("bo@client.example", HARD)))
    assert bounces(delivery) == ["", "", ""] and not Suppressed.objects.exists()


def test_a_report_in_another_mailbox_is_not_about_this_letter(sent, stranger, now):
    from letterdesk.mailboxes.models import Folder, Mailbox

    theirs = Mailbox.objects.create(account=stranger.account, owner=stranger, address="s@other.example", name="S")
    folder = Folder.objects.create(account=stranger.account, mailbox=theirs, name="INBOX", wire_name="INBOX")
    receive(folder, fetched(1, report(sent.message_id, ("bo@client.example", HARD)), at=now), now=now)
    Delivery.objects.filter(pk=sent.pk).update(created_at=now)
    read_reports(theirs, now=now)
    assert bounces(sent) == ["", "", ""] and not Suppressed.objects.exists()


def test_the_letters_that_reports_may_be_about_are_found_by_their_own_indexes(mailbox):
    """A condition over two tables would read every letter that ever left."""
    assert "JOIN" not in str(_left_from(mailbox).query)


def test_what_lay_there_before_acts_on_nothing(sent, arrive):
    """R13"""
    arrive(report(sent.message_id, ("bo@client.example", HARD)), initial=True)
    assert bounces(sent) == ["", "", ""]


@pytest.mark.case("E02")
def test_a_report_proves_that_an_unknown_letter_has_left(queued, arrive, now):
    """E02: the answer was lost; what came back had been taken."""
    with Sink("dot:take+cut#1") as sink:
        delivery = after(queued(sink), now)
        assert delivery.state == State.UNKNOWN
        arrive(report(delivery.message_id, ("bo@client.example", HARD)))
    delivery.refresh_from_db()
    assert delivery.state == State.SENT and delivery.trouble_at is not None
    assert bounces(delivery) == ["hard", "", ""]


# The list


def test_nothing_is_sent_to_an_address_on_the_list_until_it_is_taken_off(sent, arrive, mailbox, ines, now):
    arrive(report(sent.message_id, ("bo@client.example", HARD)))
    draft = start(mailbox, by=ines, now=now, to=[("Bo", "BO@Client.example")], subject="Hi", body_text="Again")
    with pytest.raises(CannotSend, match=r"came back on .*550 5\.1\.1 no") as refusal:
        send(draft, by=ines, seen=1, now=now)
    assert [each.code for each in refusal.value.problems] == ["undeliverable"]
    suppression.release(Suppressed.objects.get(), by=ines)
    assert send(draft, by=ines, seen=1, now=now).state == State.QUEUED
    told = Event.objects.get(kind="address.released")
    assert (told.by, told.facts["address"]) == (ines, "bo@client.example")


def test_the_list_is_the_accounts_own(sent, arrive, stranger, colleague, ines):
    arrive(report(sent.message_id, ("bo@client.example", HARD)))
    assert suppression.suppressed_among(sent.account_id, ["bo@client.example"])
    assert not suppression.suppressed_among(stranger.account_id, ["bo@client.example"])
    assert Suppressed.objects.visible_to(ines).exists() and Suppressed.objects.editable_by(colleague).exists()
    assert not Suppressed.objects.visible_to(stranger).exists()


def test_a_report_is_found_among_many_letters(sent, arrive, monkeypatch):
    monkeypatch.setattr("letterdesk.outbound.bounces.AT_ONCE", 2)
    others = [report(f"other{n}@x.example", ("a@b.example", HARD)) for n in range(5)]
    arrive(*others, report(sent.message_id, ("bo@client.example", HARD)))
    assert bounces(sent) == ["hard", "", ""]


def test_a_letter_in_trouble_is_kept_until_somebody_knows(sent, arrive, ines, now):
    from letterdesk.outbound import trouble
    from letterdesk.outbound.sweep import sweep

    arrive(report(sent.message_id, ("bo@client.example", HARD)))
    later = now + timedelta(days=40)
    sweep(now=later)
    assert Delivery.objects.filter(pk=sent.pk).exists()
    assert trouble.dismiss(sent, by=ines) and not trouble.dismiss(sent, by=ines)
    sweep(now=later)
    assert not DeliveryRecipient.objects.exists()
