"""Sending queues exactly one letter, within the plan, and undo takes it back whole."""

from datetime import timedelta

import pytest

from letterdesk.lib import blobs
from letterdesk.mail import fields
from letterdesk.mail.parse import parse_letter
from letterdesk.mailboxes.models import BlobReference, MailboxState
from letterdesk.outbound import drafts, files
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.models import Delivery, Draft, State
from letterdesk.outbound.send import TooLate, send, stop
from letterdesk.plans import usage
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.models import Channel, Subscription, Usage

pytestmark = pytest.mark.django_db


def used(account):
    return sum(Usage.objects.filter(account=account).values_list("used", flat=True))


@pytest.mark.case("E01")
def test_a_sent_draft_waits_for_the_undo_window_and_uses_one_unit(draft, ines, now):
    """R22, R23, E01."""
    delivery = send(draft, by=ines, seen=draft.version, now=now)
    assert (delivery.due_at - now).total_seconds() == 10
    assert delivery.next_at - delivery.due_at == timedelta(seconds=2)
    letter = parse_letter(blobs.get(draft.account_id, delivery.blob))
    assert letter.message_id == delivery.message_id and letter.sent_at == delivery.due_at
    assert used(draft.account) == 1
    assert not Draft.objects.open().exists()


@pytest.mark.case("E16")
def test_bcc_stands_in_the_envelope_alone(draft, ines, now):
    """E16."""
    draft = drafts.save(
        draft, by=ines, seen=1, now=now, bcc=[("Secret", "boss@acme.example"), ("", "BO@client.example")]
    )
    delivery = send(draft, by=ines, seen=2, now=now)
    assert b"boss" not in blobs.get(draft.account_id, delivery.blob)
    assert {each.address: each.field for each in delivery.recipients.all()} == {
        "bo@client.example": "to",
        "boss@acme.example": "bcc",
    }


def test_undo_brings_back_draft_quota_and_bytes(draft, ines, now):
    """R23."""
    delivery = send(draft, by=ines, seen=1, now=now)
    again = stop(delivery, by=ines, now=now)
    assert again.sent_at is None and used(draft.account) == 0
    assert not BlobReference.objects.filter(holder=delivery.holder).exists()
    with pytest.raises(TooLate):
        stop(delivery, by=ines, now=now)
    assert used(draft.account) == 0
    send(again, by=ines, seen=again.version, now=now)


@pytest.mark.case("E10")
def test_what_a_worker_has_taken_cannot_be_stopped(draft, ines, now):
    """E10."""
    delivery = send(draft, by=ines, seen=1, now=now)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.SENDING)
    with pytest.raises(TooLate):
        stop(delivery, by=ines, now=now)
    assert used(draft.account) == 1


def test_all_problems_are_named_and_the_draft_is_kept(mailbox, ines, now):
    draft = drafts.start(mailbox, by=ines, now=now, cc=[("", "nobody"), ("", "a b@c.example")])
    with pytest.raises(CannotSend) as told:
        send(draft, by=ines, seen=1, now=now)
    assert [each.code for each in told.value.problems] == ["bad_address", "bad_address"]
    draft = drafts.save(draft, by=ines, seen=1, now=now, cc=[])
    with pytest.raises(CannotSend) as told:
        send(draft, by=ines, seen=2, now=now)
    assert [each.code for each in told.value.problems] == ["no_recipient"]
    assert used(mailbox.account) == 0 and Draft.objects.open().count() == 1


@pytest.mark.case("D05")
@pytest.mark.parametrize("field", ["subject", "name"])
def test_a_line_break_never_becomes_a_header(mailbox, ines, now, field):
    """D05."""
    evil = "Hi\r\nBcc: all@victims.example"
    given = {"subject": evil} if field == "subject" else {"to": [(evil, "bo@client.example")]}
    draft = drafts.start(mailbox, by=ines, now=now, **{"to": [("Bo", "bo@client.example")], **given})
    with pytest.raises(CannotSend) as told:
        send(draft, by=ines, seen=1, now=now)
    assert told.value.problems[0].code == "not_composable"


def test_not_in_your_plan_and_used_up_are_two_errors(draft, ines, now):
    """R24, R25, R2."""
    Usage.objects.create(account=draft.account, month=usage.month_of(draft.account, now), used=50_000)
    with pytest.raises(LimitReached):
        send(draft, by=ines, seen=1, now=now)
    Subscription.objects.filter(account=draft.account).update(plan="free")
    with pytest.raises(NotInPlan, match="CRM"):
        send(draft, by=ines, seen=1, now=now)
    assert Draft.objects.open().count() == 1 and not Delivery.objects.exists()


def test_a_letter_for_later_belongs_to_the_month_in_which_it_is_due(draft, ines, now):
    """R23."""
    send(draft, by=ines, seen=1, now=now, at=now + timedelta(days=10))
    [month] = Usage.objects.values_list("month", flat=True)
    assert f"{month:%Y-%m-%d}" == "2026-12-01"


@pytest.mark.case("E16")
def test_nobody_sends_from_a_suspended_mailbox_or_without_the_right(draft, colleague, ines, now):
    """R13, E16."""
    draft.mailbox.grants.update(may_reply=False)
    with pytest.raises(CannotSend, match="may not send"):
        send(draft, by=colleague, seen=1, now=now)
    draft.mailbox.state = MailboxState.SUSPENDED
    draft.mailbox.save(update_fields=["state"])
    with pytest.raises(CannotSend, match="may not send"):
        send(draft, by=ines, seen=1, now=now)


def test_a_version_that_was_not_seen_is_not_sent(draft, ines, now):
    drafts.save(draft, by=ines, seen=1, now=now, subject="Other")
    with pytest.raises(drafts.DraftChanged):
        send(draft, by=ines, seen=1, now=now)


def test_files_travel_and_images_stand_in_the_text(draft, ines, now):
    image = files.attach(draft, b"\x89PNG", filename="a.png", content_type="image/png", by=ines, now=now, inline=True)
    files.attach(draft, b"%PDF", filename="../Büro\u202efdp.pdf", content_type="application/pdf", by=ines, now=now)
    html = f'<p onclick="x()">See <img src="cid:{image.content_id}"><img src="https://spy.example/p.gif"></p>'
    draft = drafts.save(draft, by=ines, seen=1, now=now, body_html=html)
    assert "spy" not in draft.body_html and "onclick" not in draft.body_html  # C21
    delivery = send(draft, by=ines, seen=2, now=now)
    letter = parse_letter(blobs.get(draft.account_id, delivery.blob))
    assert [(part.inline, part.size) for part in letter.parts] == [(True, 4), (False, 4)]
    assert "/" not in letter.parts[1].filename


def test_crm_sends_on_free(account):
    """R24."""
    Subscription.objects.filter(account=account).update(plan="free")
    usage.require_channel(account, Channel.CRM, now=account.created_at)
    for channel in set(Channel) - {Channel.CRM}:
        with pytest.raises(NotInPlan):
            usage.require_channel(account, channel, now=account.created_at)


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_name_with_a_line_end_goes_into_no_letter(draft, ines, now, field):
    """Bcc, too, which stands in the copy in Sent alone."""
    name = "a\r\nX-Evil: 1\r\n\r\nbody"
    draft = drafts.save(draft, by=ines, seen=1, now=now, **{field: [(name, "z@client.example")]})
    with pytest.raises(CannotSend) as caught:
        send(draft, by=ines, seen=2, now=now)
    assert [each.code for each in caught.value.problems] == ["not_composable"]


@pytest.mark.parametrize("mark", ["\r", "\n", "\0"])
def test_no_header_field_is_written_with_a_line_end(mark):
    for written in (
        lambda: fields.text_field("Subject", f"a{mark}b"),
        lambda: fields.people_field("Bcc", [(f"a{mark}b", "z@client.example")]),
        lambda: fields.people_field("Bcc", [("", f"z@client.example{mark}")]),
        lambda: fields.ids_field("References", [f"<a{mark}@b>"]),
    ):
        with pytest.raises(ValueError, match="line end"):
            written()
