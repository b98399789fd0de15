"""Writing at a record: to its addresses, without any mailbox, and the letter stands there (R5, R6, R8, R23, R24)."""

from datetime import timedelta

import pytest

from letterdesk.crm.activities.bin import delete_activity
from letterdesk.crm.activities.reading import raw as bytes_of
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Direction, Kind, LetterCopy, Reason, Record
from letterdesk.crm.records.bin import delete, purge, purge_due, restore
from letterdesk.crm.records.merge import merge
from letterdesk.crm.records.merged import staying
from letterdesk.crm.writing import write
from letterdesk.crm.writing.placeholders import values_at
from letterdesk.crm.writing.written import keep_written
from letterdesk.lib import blobs
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.arriving import raw
from letterdesk.outbound import drafts, tracking
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, Draft
from letterdesk.outbound.placeholders import MissingValue, UnknownPlaceholder
from letterdesk.outbound.send import send
from letterdesk.outbound.templates import keep as keep_template
from letterdesk.outbound.templates import put_into
from letterdesk.outbound.tests.sending import SOON, verified
from letterdesk.plans.models import Subscription
from tests.rig.crashes import dies, points_reached
from tests.rig.sink import Sink

from .conftest import from_amara, standing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]


@pytest.fixture
def sink(account, now):
    """The server of a verified sender, on Free."""
    Subscription.objects.filter(account=account).update(plan="free")
    with Sink() as sink:
        verified(sink, account, now)
        yield sink


def leaves(draft, by, now, text="Hello", **fields):
    """Written, checked, sent, out; what CRM keeps of it."""
    saved = drafts.save(draft, by=by, seen=draft.version, now=now, body_text=text, **fields)
    write.check(saved, by=by)
    delivery = send(saved, by=by, seen=saved.version, now=now)
    deliver(now=now + SOON, patience=1)
    keep_written(now=now + SOON)
    return Activity.objects.filter(message_id=delivery.message_id).first()


def test_a_letter_from_a_record_stands_there_although_there_is_no_mailbox(sink, amara, make, ines, now):
    """R5, R6, R8, R24: at the deal where it was written, at the contact who got it, with its own bytes, also Bcc."""
    roof = make(Kind.DEAL, "Roof", contact=amara)
    draft = write.begin(roof, by=ines, now=now)
    assert (draft.channel, draft.about, draft.mailbox) == ("crm", roof.reference, None)
    assert draft.to == [["Amara Okafor", "amara@okafor.example"]]
    activity = leaves(draft, ines, now, subject="Your roof", bcc=[("", ines.email)])
    assert standing(activity) == {(roof.pk, Reason.WRITTEN), (amara.pk, Reason.ADDRESS)}
    assert activity.direction == Direction.OUTGOING and activity.through == "sales@acme.example"
    assert activity.received_at == now + SOON and activity.made_by == ines  # R19
    assert activity.recipients["bcc"] == [["", ines.email]] and b"Bcc" not in sink.taken[0].raw  # E16
    assert bytes_of(activity).endswith(b"Hello\r\n") and not Message.objects.exists()
    assert keep_written(now=now) == 0 and Activity.objects.count() == 1
    roof.refresh_from_db()
    assert roof.active_at == now + SOON


def test_dead_at_any_point_it_is_kept_once(sink, amara, ines, now):
    """R6, A13: until its copy is kept its bytes stay, and the next round keeps it."""

    def sent():
        Activity.objects.all().delete()
        Delivery.objects.all().delete()
        draft = drafts.save(write.begin(amara, by=ines, now=now), by=ines, seen=1, now=now, body_text="Hello")
        send(draft, by=ines, seen=draft.version, now=now)
        deliver(now=now + SOON, patience=1)

    sent()
    points = points_reached(lambda: keep_written(now=now))
    assert {"crm_written.stored", "crm_written.before_commit"} <= {each.name for each in points}
    for point in points:
        sent()
        dies(lambda: keep_written(now=now), point)
        keep_written(now=now)
        assert bytes_of(Activity.objects.get()).endswith(b"Hello\r\n"), point


def test_letters_that_cannot_be_kept_keep_no_other_waiting(sink, amara, ines, now, monkeypatch, caplog):
    """R6: the bytes of as many as one piece takes are gone; whatever their age, the one behind them is kept."""
    monkeypatch.setattr("letterdesk.crm.writing.written.AT_ONCE", 2)
    for _ in range(5):
        draft = drafts.save(write.begin(amara, by=ines, now=now), by=ines, seen=1, now=now, body_text="Hello")
        send(draft, by=ines, seen=draft.version, now=now)
    deliver(now=now + SOON, patience=1)
    rows = list(Delivery.objects.order_by("pk"))
    for lost in (*rows[:2], *rows[3:]):
        blobs.remove(lost.account_id, lost.blob)
    assert keep_written(now=now) == 1 and Activity.objects.get().message_id == rows[2].message_id
    assert caplog.text.count("cannot be kept in CRM") == 4
    assert keep_written(now=now) == 0


def test_through_a_mailbox_it_is_one_activity_whichever_comes_first(account, mailbox, amara, make, ines, now):
    """R6: the copy in Sent joins it, and stays in Webmail; CRM's channel all the same (R23). It stands where it was
    written, although another deal of hers was active last."""
    roof = make(Kind.DEAL, "Roof", contact=amara)
    make(Kind.DEAL, "Cellar", contact=amara, at=now + timedelta(hours=1))
    with Sink() as sink:
        sink.reach(mailbox)
        for is_linked_first in (True, False):
            draft = write.begin(roof, by=ines, now=now)
            saved = drafts.save(draft, by=ines, seen=1, now=now, body_text="Hello", subject=f"{is_linked_first}")
            delivery = send(saved, by=ines, seen=saved.version, now=now)
            deliver(now=now + SOON, patience=1)
            if is_linked_first:
                link_new(mailbox, now=now)
            keep_written(now=now)
            link_new(mailbox, now=now)
            activity = Activity.objects.get(message_id=delivery.message_id)
            assert {(roof.pk, Reason.WRITTEN), (amara.pk, Reason.ADDRESS)} & standing(activity)
            assert {record for record, _reason in standing(activity)} == {roof.pk, amara.pk}
            assert LetterCopy.objects.filter(activity=activity, mailbox=mailbox).count() == 1
            assert Delivery.objects.get(pk=delivery.pk).channel == "crm"
    assert Message.objects.filter(in_crm=True).count() == 2


def test_an_answer_quotes_what_webmail_has_let_go_and_is_answered(account, amara, make, come, ines, now):
    """R8: written from the timeline; what is answered to it finds the deal by its conversation."""
    [letter] = come(from_amara(body="Can you do it by May?"))
    activity = Activity.objects.get()
    roof = make(Kind.DEAL, "Roof", contact=amara)
    mailbox = letter.mailbox
    Message.objects.all().delete()
    with Sink() as sink:
        verified(sink, account, now)
        draft = write.answer(activity, roof, by=ines, now=now)
        assert draft.subject == "Re: Offer" and draft.in_reply_to == "Offer@okafor.example"
        assert draft.to == [["Amara Okafor", "Amara@okafor.example"]] and "> Can you do it by May?" in draft.body_text
        answer = leaves(draft, ines, now, text=draft.body_text)
    assert answer.thread_id == activity.thread_id and (roof.pk, Reason.WRITTEN) in standing(answer)
    make(Kind.DEAL, "Cellar", contact=amara, at=now + timedelta(hours=1))  # active last
    message_id = answer.message_id
    [back] = come(from_amara("Re: Offer", message_id="back@okafor.example", in_reply_to=message_id), at=now)
    came = Activity.objects.get(message_id="back@okafor.example")
    assert back.mailbox == mailbox and came.thread_id == answer.thread_id
    assert (roof.pk, Reason.REPLY) in standing(came)


def test_who_forges_a_reference_is_not_answered_in_the_conversation_of_another(account, amara, make, come, ines, now):
    """D11"""
    bo = make(name="Bo", addresses=("bo@else.example",))
    come(from_amara())
    come(raw("Hm", sender="bo@else.example", message_id="bo@x", in_reply_to="Offer@okafor.example"))
    of_amara, of_bo = (Activity.objects.get(bindings__record=each) for each in (amara, bo))
    with Sink() as sink:
        verified(sink, account, now)
        draft = write.begin(bo, by=ines, now=now)
        Draft.objects.update(in_reply_to="bo@x", references=["Offer@okafor.example", "bo@x"])
        answer = leaves(Draft.objects.get(pk=draft.pk), ines, now)
    assert answer.thread_id == of_bo.thread_id != of_amara.thread_id


def test_written_at_a_record_that_lies_in_the_bin_when_it_leaves_it_goes_along(sink, make, ines, now):
    """R8: it comes back with it; where the record goes for good, it lies in the bin for its own 30 days."""
    lead = make(Kind.LEAD, "Cy", addresses=("cy@new.example",))
    draft = drafts.save(write.begin(lead, by=ines, now=now), by=ines, seen=1, now=now, body_text="Hello")
    send(draft, by=ines, seen=draft.version, now=now)
    delete(lead, by=ines, now=now)
    deliver(now=now + SOON, patience=1)
    keep_written(now=now + SOON)
    [written] = Activity.objects.all()
    assert written.went_along and written.deleted_at == now + SOON
    restore(lead, by=ines, now=now + SOON)
    assert Activity.objects.present().count() == 1
    Record.objects.filter(pk=lead.pk).update(deleted_at=now)
    purge(lead, by=None, now=now + SOON)
    assert Activity.objects.get().deleted_at == now + SOON


@pytest.mark.parametrize("to", ["amara@okafor.example", "arch@itect.example"])
def test_a_letter_of_a_record_that_is_merged_before_it_leaves_stands_at_the_one_that_stays(
    sink, amara, make, administrator, ines, now, to
):
    write.allow_anybody(by=administrator, allowed=True)
    into, between, deal = (make(Kind.DEAL, name, contact=amara) for name in ("Roof", "Roof 2", "Roof 3"))
    draft = write.begin(deal, by=ines, now=now)
    merge(between, deal, by=ines, now=now)
    merge(into, between, by=ines, now=now)
    assert write.record_of(draft, ines) == into
    assert not write.is_hidden(draft, ines)
    activity = leaves(draft, ines, now, to=[("", to)])
    assert (into.pk, Reason.WRITTEN) in standing(activity)
    assert activity.deleted_at is None


def test_so_does_its_copy_in_sent_when_that_comes_first(account, mailbox, amara, make, ines, now):
    into, deal = make(Kind.DEAL, "Roof", contact=amara), make(Kind.DEAL, "Roof 2", contact=amara)
    make(Kind.DEAL, "Cellar", contact=amara, at=now + timedelta(hours=1))
    with Sink() as sink:
        sink.reach(mailbox)
        draft = write.begin(deal, by=ines, now=now)
        saved = drafts.save(draft, by=ines, seen=1, now=now, body_text="Hello", subject="Yours")
        send(saved, by=ines, seen=saved.version, now=now)
        merge(into, deal, by=ines, now=now)
        deliver(now=now + SOON, patience=1)
    link_new(mailbox, now=now)
    assert {record for record, _reason in standing(Activity.objects.get())} == {into.pk, amara.pk}


def test_records_merged_in_a_circle_end_somewhere(make):
    one, other = make(Kind.DEAL, "Roof"), make(Kind.DEAL, "Roof 2")
    for record, into in ((one, other), (other, one)):
        Record.objects.filter(pk=record.pk).update(merged_into=into)
    assert set(staying([one.pk, other.pk]).values()) <= {one.pk, other.pk}


def test_to_the_addresses_of_the_record_alone_unless_the_account_says_so(sink, administrator, make, ines, now):
    """R24: named, and the draft is kept; colleagues may be told."""
    company = make(Kind.COMPANY, "Okafor Ltd", addresses=("office@okafor.example",))
    amara = make(company=company, addresses=("amara@okafor.example",))
    deal = make(Kind.DEAL, "Roof", contact=amara, company=company)
    reached = [each.email for each in write.reachable_at(deal, ines)]
    assert reached == ["amara@okafor.example", "office@okafor.example"]
    assert [each.email for each in write.reachable_at(company, ines)] == reached[::-1]
    assert [each.name for each in write.reachable_at(amara, ines)] == [amara.name, company.name]
    draft = write.begin(deal, by=ines, now=now)
    to = [("", "OFFICE@okafor.example"), ("", "bo@else.example")]
    draft = drafts.save(draft, by=ines, seen=1, now=now, to=to, cc=[("", administrator.email)])
    with pytest.raises(CannotSend, match=r"bo@else.example is no address of “Roof”") as caught:
        write.check(draft, by=ines)
    assert [each.code for each in caught.value.problems] == ["not_of_record"]
    write.allow_anybody(by=administrator, allowed=True)
    write.check(draft, by=ines)
    Record.objects.filter(pk=deal.pk).update(responsible=administrator)
    with pytest.raises(CannotSend, match="not there any more"):
        write.check(draft, by=ines)
    assert write.is_hidden(draft, ines) and Draft.objects.get() == draft


def test_who_may_write_from_nowhere_is_told_so(account, amara, administrator, now):
    with pytest.raises(write.NobodyToWriteAs, match="administrator adds one"):
        write.begin(amara, by=administrator, now=now)


def test_a_template_says_what_the_record_says_or_names_what_is_missing(sink, make, ines, now):
    """An unknown placeholder, a missing value, one left in the letter: each is named, and the draft is kept."""
    amara = make(name="Amara {{ contact.phone }}", addresses=("amara@okafor.example",))
    draft = write.begin(amara, by=ines, now=now)
    values = values_at(amara, ines)
    text = "Dear {{ contact.first_name }},"
    good = keep_template(ines, name="Hi", subject="For {{contact.name}}", text=text, share="")
    put = put_into(draft, good, values)
    assert put["subject"] == "For Amara {{ contact.phone }}" and "Dear Amara," in put["body_html"]  # values are no code
    with pytest.raises(UnknownPlaceholder, match=r"contact\.nam "):
        keep_template(ines, name="Hi", subject="", text="Dear {{ contact.nam }}", share="")
    text = "I call {{ contact.phone }} of {{ company.name }}"
    bad = keep_template(ines, name="Call", subject="", text=text, share="")
    with pytest.raises(MissingValue, match=r"\{\{ contact.phone \}\}, \{\{ company.name \}\}"):
        put_into(draft, bad, values)
    typed = drafts.save(draft, by=ines, seen=1, now=now, body_text="Dear {{deal.name}}\n> and {{ lead.name }}")
    with pytest.raises(CannotSend, match=r"filled in \{\{ deal.name \}\}\.") as caught:
        write.check(typed, by=ines)
    assert [each.code for each in caught.value.problems] == ["placeholder"]


def test_what_was_written_at_a_record_that_is_gone_for_good_is_no_riddle(sink, amara, ines, now):
    """It was purged while the letter waited: the letter stands where its recipients do, and nowhere else."""
    roof_reference = "deal:gone"
    draft = write.begin(amara, by=ines, now=now)
    Draft.objects.update(about=roof_reference)
    draft = drafts.save(draft, by=ines, seen=1, now=now, body_text="Hello")
    send(draft, by=ines, seen=draft.version, now=now)
    deliver(now=now + SOON, patience=1)
    assert keep_written(now=now) == 1
    assert standing(Activity.objects.get()) == {(amara.pk, Reason.ADDRESS)}


def test_opens_are_counted_for_as_long_as_crm_keeps_the_letter(sink, amara, administrator, ines, now):
    """R6, R8: the activity has it as it was written; the numbers stand at it, and go with it alone."""
    tracking.switch(by=administrator, on=True)
    draft = write.begin(amara, by=ines, now=now)
    html = '<p><a href="https://acme.example/offer">Our offer</a></p>'
    activity = leaves(draft, ines, now, text="", body_html=html, is_tracked=True)
    assert b"/t/" in sink.taken[0].raw and b"/t/" not in bytes_of(activity)
    [letter] = tracking.tracked_of(activity.account_id, [activity.holder]).values()
    assert (letter.left_at, letter.about) == (now + SOON, amara.reference)
    delete_activity(activity, by=ines, now=now)
    assert tracking.tracked_of(activity.account_id, [activity.holder])
    purge_due(now=now + timedelta(days=31))
    assert not Activity.objects.exists() and not tracking.tracked_of(activity.account_id, [activity.holder])


def test_who_had_a_letter_counted_is_asked_so_again(amara, ines, now, sink):
    assert not write.begin(amara, by=ines, now=now).is_tracked
    write.remember_tracking(ines, wanted=True)
    assert write.begin(amara, by=ines, now=now).is_tracked
    write.remember_tracking(ines, wanted=False)
    assert not write.begin(amara, by=ines, now=now).is_tracked
