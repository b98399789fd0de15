"""What comes to a secret address becomes an activity, on every plan (R30)."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.activities.reading import raw as raw_of
from letterdesk.crm.linking import asked
from letterdesk.crm.linking.why import crm_lines
from letterdesk.crm.models import Activity, Binding, Direction, Reason, Record, SendSaveAddress, Thread, Unknown
from letterdesk.crm.records.bin import delete as bin_record
from letterdesk.crm.saving import change_saving
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.crm.sendsave import take as sendsave_take
from letterdesk.events.models import Event
from letterdesk.intake import jobs
from letterdesk.intake.doors import place_of
from letterdesk.intake.jobs import take
from letterdesk.intake.keep import SomeEnded, keep
from letterdesk.intake.models import Arrived, State
from letterdesk.intake.states import forget
from letterdesk.lib import blobs
from letterdesk.mail.authentic import Evidence, Proof
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.plans.models import Subscription

FORWARD = """
---------- Forwarded message ---------
From: Amara Okafor <amara@okafor.example>
Date: Mon, Nov 23, 2026 at 10:00 AM
Subject: Offer for the roof
To: Ines <ines@acme.example>

Dear Ines
"""


@pytest.fixture(autouse=True)
def house(settings, monkeypatch):
    """Secret addresses are on; what DNS would say of senders is said here."""
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    settings.JOBS_URL = "memory://"
    said = {"proof": Proof.GIVEN}
    monkeypatch.setattr(jobs, "evidence_of", lambda _raw, **_: Evidence(said["proof"], "dkim", "acme.example"))
    return said


@pytest.fixture
def address(ines, now):
    return sendsave.make(by=ines, of_account=False, now=now)


@pytest.fixture
def arrive(address, ines, now):
    """A letter comes over the wire, is kept, and looked at."""

    def arrived(content, *, to=None, sender="ines@acme.example", look=True, at=now):
        raw = content if isinstance(content, bytes) else bytes(content)
        known = set(Arrived.objects.values_list("pk", flat=True))
        kept = keep([Handed(sender, ((to or address).address,), raw, "192.0.2.1")], now=at)
        assert kept == [True]
        row = Arrived.objects.exclude(pk__in=known).first()
        if row and look:
            take.now(row.pk)
            row.refresh_from_db()
        return row

    return arrived


def letter(ines, to="amara@okafor.example", subject="Offer", body="Dear Amara", **fields):
    made = EmailMessage()
    made["From"] = fields.pop("sender", f"Ines <{ines.email}>")
    made["To"] = to
    made["Subject"] = subject
    made["Message-ID"] = fields.pop("message_id", f"<{subject.replace(' ', '')}@acme.example>")
    made["Date"] = "Mon, 23 Nov 2026 09:00:00 +0000"
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def forwarded(ines, address, body=FORWARD, **fields):
    return letter(ines, to=address.address, subject="Fwd: Offer for the roof", body=body, **fields)


def test_a_copy_of_what_is_written_to_a_client_is_an_outgoing_activity(ines, amara, arrive):
    row = arrive(letter(ines))
    activity = Activity.objects.get()
    assert (activity.direction, activity.subject, activity.is_unverified) == (Direction.OUTGOING, "Offer", False)
    assert list(activity.bindings.values_list("record", "reason")) == [(amara.pk, Reason.ADDRESS)]
    assert (row.state, Message.objects.count()) == (State.DONE, 0)  # never in Webmail
    assert raw_of(activity).endswith(b"Dear Amara\n")


def test_its_bytes_are_the_activity_s_own(ines, amara, arrive, now):  # R6
    row = arrive(letter(ines))
    activity = Activity.objects.get()
    assert list(BlobReference.objects.values_list("holder", flat=True)) == [activity.holder]
    assert collect(now=now + timedelta(hours=1)) == 0
    assert blobs.exists(activity.account_id, row.blob)


def test_a_forward_stands_at_whoever_wrote_it(ines, amara, address, arrive):
    arrive(forwarded(ines, address))
    activity = Activity.objects.get()
    assert (activity.direction, activity.from_address, activity.subject) == (
        Direction.INCOMING, "amara@okafor.example", "Offer for the roof"
    )  # fmt: skip
    assert activity.forwarded_by == ines
    assert list(activity.bindings.values_list("record", flat=True)) == [amara.pk]
    assert address.token not in str(activity.recipients)


def test_attached_letters_are_kept_with_bytes_of_their_own(ines, amara, address, arrive):
    outer = forwarded(ines, address, body="See the letters attached.")
    for number in (1, 2):
        outer.add_attachment(letter(ines, sender="Amara <amara@okafor.example>", to=ines.email, subject=f"No {number}"))
    row = arrive(outer)
    assert row.state == State.DONE
    activities = Activity.objects.order_by("subject")
    assert [each.subject for each in activities] == ["No 1", "No 2"]
    assert all(raw_of(each).startswith(b"From: Amara") for each in activities)
    assert {each.holder for each in activities} == set(BlobReference.objects.values_list("holder", flat=True))


def test_works_without_webmail_where_nothing_else_makes_a_lead(ines, address, arrive, account, sold_plans):  # R28, R30
    Subscription.objects.filter(account=account).update(plan="free")
    sendsave.change(address, by=ines, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.LEAD)
    arrive(forwarded(ines, address))
    arrive(letter(ines, to="Kofi <kofi@mensah.example>", subject="Other"))
    leads = Record.objects.order_by("pk")
    assert [(each.kind, each.name, each.responsible) for each in leads] == [
        ("lead", "Amara Okafor", ines), ("lead", "Kofi", ines)
    ]  # fmt: skip
    assert Activity.objects.count() == 2


def test_one_letter_by_every_way_is_one_activity_and_one_lead(ines, address, arrive, come, mailbox):
    sendsave.change(address, by=ines, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.LEAD)
    hers = letter(ines, sender="Amara <amara@okafor.example>", to=ines.email)
    outer = forwarded(ines, address, body="Attached")
    outer.add_attachment(hers)
    arrive(outer)
    [seen] = come(b"Received: by another way\r\n" + bytes(hers))
    assert (Activity.objects.count(), Record.objects.count()) == (1, 1)
    assert crm_lines([seen], employee=ines, now=seen.received_at)[seen.pk].activity == Activity.objects.get()
    inline = forwarded(ines, address, message_id="<again@acme.example>", References="<Offer@acme.example>")
    assert arrive(inline).state == State.DONE  # its program says which letter that was
    assert (Activity.objects.count(), Record.objects.count()) == (1, 1)


def test_what_is_kept_in_part_asks_and_keeps_its_bytes(ines, amara, address, arrive, now):
    outer = forwarded(ines, address, body="See the letters attached.")
    outer.add_attachment(letter(ines, sender="Amara <amara@okafor.example>", to=ines.email, subject="Hers"))
    outer.add_attachment(letter(ines, to=ines.email, subject="Among us"))
    outer.add_attachment(b"", maintype="application", subtype="octet-stream", filename="empty.eml")
    row = arrive(outer)
    assert [each.subject for each in Activity.objects.all()] == ["Hers"]
    assert (row.state, row.why, row.facts["left"]) == (State.ASKED, "in_part", 2)
    assert asked.why(row) == "2 letters in it were not saved."
    assert BlobReference.objects.filter(holder=row.holder).exists()
    assert asked.drop(row, by=ines, now=now)


def test_more_attached_letters_than_are_looked_at_ask(ines, amara, address, arrive, monkeypatch):
    monkeypatch.setattr(sendsave_take, "MOST_ATTACHED", 1)
    outer = forwarded(ines, address, body="See the letters attached.")
    for number in (1, 2):
        outer.add_attachment(letter(ines, sender="Amara <amara@okafor.example>", to=ines.email, subject=f"No {number}"))
    row = arrive(outer)
    assert (row.state, row.facts["left"], Activity.objects.count()) == (State.ASKED, 1, 1)


def test_a_forward_in_the_text_that_carries_a_letter_is_kept_with_it(ines, amara, make, address, arrive):
    make(name="Kofi", addresses=("kofi@mensah.example",))
    outer = forwarded(ines, address)
    outer.add_attachment(letter(ines, sender="Kofi <kofi@mensah.example>", to=ines.email, subject="Kofi's"))
    row = arrive(outer)
    assert row.state == State.DONE
    assert {each.from_address for each in Activity.objects.all()} == {"amara@okafor.example", "kofi@mensah.example"}
    assert raw_of(Activity.objects.get(from_address="amara@okafor.example")) == blobs.get(row.account_id, row.blob)


def test_a_letter_in_the_text_that_cannot_be_read_is_not_lost_beside_one_attached(ines, amara, address, arrive):
    outer = forwarded(ines, address, body=FORWARD.replace(" <amara@okafor.example>", ""))
    outer.add_attachment(letter(ines, sender="Amara <amara@okafor.example>", to=ines.email, subject="Hers"))
    row = arrive(outer)
    assert (row.state, row.facts["left"], Activity.objects.get().subject) == (State.ASKED, 1, "Hers")


def test_a_colleague_who_left_proves_nothing(ines, jonas, amara, administrator, address, arrive, now):
    dismiss(jonas, by=administrator, now=now)
    arrive(letter(ines, sender=f"Jonas <{jonas.email}>"))
    assert Activity.objects.get().is_unverified
    assert (
        arrive(letter(ines, sender=f"Jonas <{jonas.email}>", to="new@x.example", subject="New")).why == asked.UNPROVED
    )


def test_what_is_proved_never_joins_what_was_not(ines, amara, address, arrive, house):  # D09
    house["proof"] = Proof.NONE
    text = "Dear Amara\n" + "." * 2_000
    arrive(letter(ines, body=f"{text}\nPay here"))
    house["proof"] = Proof.GIVEN
    arrive(letter(ines, body=f"{text}\nYours"))
    found = {each.is_unverified: raw_of(each).splitlines()[-1] for each in Activity.objects.all()}
    assert found == {True: b"Pay here", False: b"Yours"}


def test_a_mailbox_takes_a_secret_address_for_nobody_and_shows_it_nowhere(ines, amara, address, come, mailbox):
    change_saving(mailbox, by=ines, known=True, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.LEAD)
    sent = folder_of(mailbox, "Sent", "sent")
    come(bytes(forwarded(ines, address)), folder=sent)
    assert (Record.objects.count(), Activity.objects.count()) == (1, 0)
    come(bytes(letter(ines, to=f"amara@okafor.example, {address.address.upper()}")), folder=sent)
    activity = Activity.objects.get()
    assert activity.recipients == {"to": [["", "amara@okafor.example"]]}
    assert list(activity.bindings.values_list("record", flat=True)) == [amara.pk]
    assert Record.objects.count() == 1


def test_a_letter_that_is_in_webmail_already_is_no_second_activity(ines, amara, address, arrive, come):
    hers = letter(ines, sender="Amara <amara@okafor.example>", to=ines.email)
    come(bytes(hers))
    outer = forwarded(ines, address, body="Attached")
    outer.add_attachment(hers)
    arrive(outer)
    assert Activity.objects.count() == 1
    assert Binding.objects.count() == 1


def test_an_answer_joins_its_conversation_and_a_guessed_one_does_not(ines, amara, make, address, arrive):  # D11
    arrive(forwarded(ines, address, message_id="<roof@acme.example>"))
    thread = Thread.objects.get()
    arrive(letter(ines, subject="Re: Offer", In_Reply_To="<roof@acme.example>", message_id="<re@acme.example>"))
    assert Thread.objects.get() == thread
    make(name="Kofi", addresses=("kofi@mensah.example",))
    guess = letter(ines, to="kofi@mensah.example", subject="Guess", References="<roof@acme.example>")
    arrive(guess)
    assert Thread.objects.count() == 2


@pytest.mark.case("D09")
def test_who_is_not_proved_is_marked_makes_nothing_and_is_confirmed_by_one_click(  # D09
    ines, amara, address, arrive, house
):
    house["proof"] = Proof.NONE
    sendsave.change(address, by=ines, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.LEAD)
    arrive(letter(ines))
    activity = Activity.objects.get()
    assert (activity.is_unverified, activity.forwarded_by) == (True, None)
    row = arrive(letter(ines, to="kofi@mensah.example", subject="New"))
    assert (row.state, row.why, Record.objects.count()) == (State.ASKED, asked.UNPROVED, 1)
    assert asked.confirm(activity, by=ines)
    assert not asked.confirm(activity, by=ines)
    assert not Activity.objects.get().is_unverified
    [made] = asked.answer(row, by=ines, now=row.arrived_at)
    assert (made.is_unverified, Record.objects.get(kind="lead").addresses.get().key) == (False, "kofi@mensah.example")


def test_what_nobody_can_tell_asks_and_is_never_lost(ines, amara, address, arrive, now):
    row = arrive(forwarded(ines, address, body="From: Okafor, Amara\nSent: Monday\nTo: Ines\nSubject: Offer\n\nHi"))
    assert (row.state, row.why, Activity.objects.count()) == (State.ASKED, "no_sender", 0)
    assert list(asked.asked_of(ines)) == [row]
    assert "cannot be read" in asked.why(row)
    with pytest.raises(asked.NoAddress):
        asked.answer(row, by=ines, now=now, sender="Amara")
    [activity] = asked.answer(row, by=ines, now=now, sender="Amara <AMARA@okafor.example>")
    assert list(activity.bindings.values_list("record", flat=True)) == [amara.pk]
    assert (list(asked.asked_of(ines)), activity.direction) == ([], Direction.INCOMING)
    assert asked.answer(row, by=ines, now=now, sender="x@y.example") == []  # somebody was quicker


def test_what_is_not_for_crm_says_why_and_can_still_be_taken(ines, address, arrive, now):
    stranger = arrive(letter(ines, sender="spam@evil.example", to=address.address, subject="Buy"))
    assert (stranger.state, stranger.why) == (State.ASKED, "stranger")
    assert asked.drop(stranger, by=ines, now=now)
    report = arrive(letter(ines, subject="Undelivered"), sender="")
    newsletter = arrive(
        letter(ines, sender="n@news.example", to=ines.email, subject="News", List_Id="<n.news.example>")
    )
    among_us = arrive(letter(ines, to=ines.email, subject="Lunch"))
    assert [each.why for each in (report, newsletter, among_us)] == ["report", "bulk", "internal"]
    left = asked.left_out_of(ines)
    assert left.count() == 4
    assert all(asked.why(row) for row in left)
    assert asked.answer(newsletter, by=ines, now=now)  # a person wants it after all
    jobs.forget_old.now()
    assert Arrived.objects.count() == 4
    Arrived.objects.update(arrived_at=now - timedelta(days=400))
    Arrived.objects.filter(pk__in=[newsletter.pk, stranger.pk]).update(due_at=now)
    Arrived.objects.filter(pk=among_us.pk).update(state=State.ASKED, due_at=now)
    jobs.forget_old.now()
    assert set(Arrived.objects.all()) == {report, among_us}  # 30 days after it was left out, not after it came
    assert not forget(among_us, now=now + timedelta(days=400))  # somebody took it up


def test_a_letter_of_which_one_address_ended_meanwhile_is_tried_again(ines, address, now):
    both = (address.address, "save-ended@in.acme.example")
    with pytest.raises(SomeEnded):
        keep([Handed("ines@acme.example", both, b"x", "192.0.2.1")], now=now)
    assert not Arrived.objects.exists()


def test_letters_of_an_address_ask_its_person_alone_and_those_of_the_account_who_sees_all(
    ines, jonas, administrator, address, arrive, now
):
    with pytest.raises(NotAllowed):
        sendsave.make(by=ines, of_account=True, now=now)
    ours = sendsave.make(by=administrator, of_account=True, now=now)
    hers = arrive(forwarded(ines, address, body="?"))
    everyones = arrive(forwarded(ines, ours, body="? ?"), to=ours)
    assert [list(asked.asked_of(each)) for each in (ines, jonas, administrator)] == [[hers], [], [everyones]]
    assert set(SendSaveAddress.objects.visible_to(jonas)) == {ours}
    assert not SendSaveAddress.objects.editable_by(jonas).exists()
    dismiss(ines, by=administrator, now=now)
    assert set(asked.asked_of(administrator)) == {hers, everyones}
    assert place_of(address.address, now) is None


def test_a_rotated_address_is_refused_at_once_or_after_its_grace(ines, address, now, account):
    sendsave.change(address, by=ines, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.NOTHING)
    new = sendsave.make(by=ines, of_account=False, now=now, grace=timedelta(days=7))
    assert new.unknown_incoming == Unknown.LEAD
    assert place_of(address.address.upper(), now).address == address.public_id
    assert place_of(address.address, now + timedelta(days=7)) is None
    address.refresh_from_db()
    sendsave.end_at_once(address, by=ines, now=now)
    assert place_of(address.address, now) is None
    newest = sendsave.make(by=ines, of_account=False, now=now)
    assert [place_of(each.address, now) is None for each in (new, newest)] == [True, False]
    assert place_of(newest.address.replace("in.acme", "in.evil"), now) is None
    assert all(newest.token not in str(each.facts) for each in Event.objects.all())
    assert newest.token not in (repr(newest) + str(newest.__dict__["token_hash"]))


def test_nothing_crosses_accounts(ines, amara, address, arrive, stranger, now):  # D11
    theirs = sendsave.make(by=stranger, of_account=False, now=now)
    arrive(letter(ines))
    hers = letter(ines, sender=f"Stranger <{stranger.email}>", subject="Re: Offer", References="<Offer@acme.example>")
    arrive(hers, to=theirs)
    assert Activity.objects.get().account == ines.account
    assert Arrived.objects.get(account=stranger.account).state == State.ASKED


def test_who_lies_in_the_bin_is_not_made_anew(ines, amara, address, arrive, now):
    bin_record(amara, by=ines, now=now)
    row = arrive(forwarded(ines, address))
    assert (row.state, Record.objects.count()) == (State.ASKED, 1)
