"""Letters that come are saved as decided: at whom they are from, each once, with a copy of their own (R5, R6, R28)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from letterdesk.crm import jobs
from letterdesk.crm.activities.timeline import ActivityFilter, activity_page
from letterdesk.crm.jobs import after_new_addresses, after_receiving, link_missed
from letterdesk.crm.linking import link
from letterdesk.crm.linking.exclusions import exclude
from letterdesk.crm.linking.link import link_new, mailboxes_to_look_at
from letterdesk.crm.linking.look_back import look_back
from letterdesk.crm.linking.why import why_not
from letterdesk.crm.models import Activity, Binding, Direction, LetterCopy, Reason, Record, Thread, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.arriving import another_mailbox, raw
from letterdesk.mailboxes.tests.letters import folder_of

from .conftest import from_amara, says_in_crm, standing

DAY = timedelta(hours=24)


def make_leads(mailbox, ines, **fields):
    wanted = {"known": True, "unknown_incoming": Unknown.LEAD, "unknown_outgoing": Unknown.NOTHING}
    change_saving(mailbox, by=ines, **wanted | fields)


def test_a_letter_of_a_known_address_is_an_activity_with_its_own_hold_on_the_bytes(amara, come):
    [message] = come(from_amara(attachment="quote.pdf"))
    activity = Activity.objects.get()
    assert standing(activity) == {(amara.pk, Reason.ADDRESS)}
    assert (activity.subject, activity.has_attachments, activity.direction) == ("Offer", True, Direction.INCOMING)
    assert BlobReference.objects.filter(holder=activity.holder, blob=message.blob).exists()
    assert says_in_crm(message)
    amara.refresh_from_db()
    assert amara.active_at == message.received_at


def test_looking_again_changes_nothing(amara, come, mailbox, now):
    come(from_amara())
    assert link_new(mailbox, now=now) == 0
    assert mailboxes_to_look_at() == []
    assert (Activity.objects.count(), Binding.objects.count(), LetterCopy.objects.count()) == (1, 1, 1)


def test_the_same_letter_in_three_mailboxes_is_one_activity(amara, account, come, now):
    """Each way adds lines of its own: the bytes differ, the letter does not."""
    come(b"Received: by one\r\n" + from_amara())
    for number in range(2):
        folder = folder_of(another_mailbox(account, f"mate{number}@acme.example"))
        come(f"Received: by {number}\r\n".encode() + from_amara(), folder=folder)
    assert Activity.objects.count() == 1
    assert LetterCopy.objects.count() == 3
    assert Message.objects.filter(in_crm=True).count() == 3
    assert Event.objects.filter(kind="activity.saved").count() == 3


def test_who_knows_a_message_id_cannot_take_its_place(amara, come):
    come(from_amara(message_id="m@okafor.example"))
    come(from_amara(message_id="m@okafor.example", body="Pay here instead"))
    assert Activity.objects.count() == 2


def test_one_lead_of_an_unknown_address_however_many_letters_and_mailboxes(mailbox, account, ines, come):  # R28
    other = folder_of(another_mailbox(account, "sales@acme.example"))
    make_leads(mailbox, ines)
    make_leads(other.mailbox, ines)
    come(raw("One", message_id="1@x"), raw("Two", message_id="2@x", sender="ANNA@berg.example"))
    come(raw("Three", message_id="3@x"), folder=other)
    lead = Record.objects.get()
    assert (lead.name, lead.kind, lead.source, lead.responsible) == ("Anna Berg", "lead", "letter", ines)
    reasons = Binding.objects.filter(record=lead).order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == [Reason.MADE, Reason.ADDRESS, Reason.ADDRESS]


def test_history_is_linked_to_known_clients_and_makes_no_lead(amara, mailbox, ines, come):  # R28
    make_leads(mailbox, ines)
    come(raw("Stranger"), from_amara(), history=True)
    assert list(Record.objects.all()) == [amara]
    assert Activity.objects.count() == 1


def test_a_reply_follows_its_conversation_and_another_letter_the_deal_active_last(amara, make, come, now):
    roof = make("deal", "Roof", contact=amara, at=now - 3 * DAY)
    floor = make("deal", "Floor", contact=amara, at=now - 2 * DAY)
    come(from_amara("Floor", message_id="f@x"), at=now - DAY)
    Record.objects.filter(pk=roof.pk).update(active_at=now)
    come(from_amara("Re: Floor", in_reply_to="f@x"), at=now - DAY / 2)
    come(from_amara("Roof"))
    found = [dict(activity.bindings.values_list("record", "reason")) for activity in Activity.objects.order_by("pk")]
    assert found == [
        {amara.pk: Reason.ADDRESS, floor.pk: Reason.DEAL},
        {amara.pk: Reason.ADDRESS, floor.pk: Reason.REPLY},
        {amara.pk: Reason.ADDRESS, roof.pk: Reason.DEAL},
    ]


def test_a_reply_from_an_address_that_nobody_knows_stays_with_its_conversation(amara, come):
    come(from_amara(message_id="f@x", to="ines@acme.example, boss@okafor.example"))
    come(raw("Re: Offer", sender="boss@okafor.example", in_reply_to="f@x"))
    assert [standing(each) for each in Activity.objects.order_by("pk")] == [
        {(amara.pk, Reason.ADDRESS)},
        {(amara.pk, Reason.REPLY)},
    ]
    assert Thread.objects.count() == 1


@pytest.mark.case("D11")
def test_a_stranger_who_guesses_a_reference_joins_no_conversation(amara, come):
    [_, guessed] = come(from_amara(message_id="f@x"), raw("Re: Offer", sender="evil@x.example", in_reply_to="f@x"))
    assert Activity.objects.count() == 1
    come(from_amara("Re: Offer", in_reply_to="f@x", message_id="g@x"))
    assert Activity.objects.count() == 2
    assert not says_in_crm(guessed)  # nor is it taken along as an earlier letter


def test_a_linked_letter_takes_the_earlier_ones_of_its_conversation_along(make, come, now):  # R6
    come(raw("Offer", message_id="f@x", to="ines@acme.example, amara@okafor.example"), at=now - DAY)
    assert not Activity.objects.exists()
    amara = make(addresses=("amara@okafor.example",))
    come(from_amara("Re: Offer", in_reply_to="f@x", to="ines@acme.example, anna@berg.example"))
    earlier, later = Activity.objects.order_by("received_at")
    assert standing(later) == {(amara.pk, Reason.ADDRESS)}
    assert standing(earlier) == {(amara.pk, Reason.HISTORY)}
    assert earlier.thread == later.thread


def test_sent_letters_are_outgoing_and_make_leads_apart(mailbox, ines, make, come):
    sent = folder_of(mailbox, "Sent", "sent")
    make_leads(mailbox, ines, unknown_incoming=Unknown.NOTHING, unknown_outgoing=Unknown.LEAD)
    come(raw("Hello", sender="ines@acme.example", to="New One <new@one.example>"), folder=sent)
    come(raw("In"), raw("Forged", sender="ines@acme.example", to="x@y.example", message_id="9@x"))
    assert Record.objects.get().name == "New One"
    assert Activity.objects.get().direction == Direction.OUTGOING


def test_a_returned_copy_joins_its_activity_and_acts_on_nothing(amara, come, mailbox, ines, now):  # R13
    [message] = come(from_amara())
    Message.objects.filter(pk=message.pk).delete()
    make_leads(mailbox, ines, known=False)
    [again] = come(from_amara(), history=True)
    assert says_in_crm(again)
    assert (Activity.objects.count(), Binding.objects.count(), Record.objects.count()) == (1, 1, 1)


def test_a_record_with_a_new_address_gets_the_letters_that_are_here(make, come, mailbox, ines, now, committed):
    [message] = come(from_amara())
    assert why_not(message, now=now).startswith("Not saved: nobody in CRM")
    amara = make(addresses=("amara@okafor.example",))
    with committed:
        after_new_addresses(Event.objects.get(kind="record.created"))
    assert standing(Activity.objects.get()) == {(amara.pk, Reason.ADDRESS)}
    assert why_not(message, now=now) == ""


def test_the_past_of_an_address_beyond_ascii_is_found_also_among_recipients(make, come, mailbox, ines, now):
    come(raw("Offer", sender=f"Ines <{mailbox.address}>", to="Jürgen Müller <jm@büro.example>"))
    office = make(addresses=("jm@büro.example",))
    assert look_back(office, by=ines, now=now) == 1
    for words in ("Müller", "MÜLLER", "jm@büro"):
        assert activity_page(ines, ActivityFilter(words=words))[0] == [Activity.objects.get()]
    assert not activity_page(ines, ActivityFilter(words="Möller"))[0]


def test_who_names_an_address_gets_no_past_of_a_mailbox_that_they_may_not_read(make, come, jonas, committed):  # P9
    come(from_amara())
    amara = make(addresses=("amara@okafor.example",), by=jonas)
    with committed:
        after_new_addresses(Event.objects.get(kind="record.created"))
    assert not Activity.objects.exists()
    [message] = come(from_amara("Re: Offer"))  # what comes from now on the mailbox saves
    assert says_in_crm(message)
    assert look_back(amara, by=None, now=message.received_at) == 0


def test_the_past_of_a_mailbox_that_saves_nothing_stays_its_own(make, come, mailbox, ines, committed):
    change_saving(mailbox, by=ines, known=False, unknown_incoming="nothing", unknown_outgoing="nothing")
    come(from_amara())
    make(addresses=("amara@okafor.example",))
    with committed:
        after_new_addresses(Event.objects.get(kind="record.created"))
    assert not Activity.objects.exists()


def test_an_excluded_address_is_not_saved_and_says_so(amara, come, ines, now):
    exclude("@okafor.example", by=ines, now=now)
    [message] = come(from_amara())
    assert not Activity.objects.exists()
    assert why_not(message, now=now) == "Not saved: the address is on the list of exclusions."


def test_a_wake_up_links_and_a_lost_one_is_made_good(amara, come, committed):
    come(from_amara("One"), look=False)
    with committed:
        after_receiving(Event.objects.filter(kind="message.received").latest("pk"))
    assert Activity.objects.count() == 1
    come(from_amara("Two"), look=False)
    link_missed.now()
    assert Activity.objects.count() == 2


def test_a_mailbox_that_fails_holds_up_no_other(account, amara, come, inbox, monkeypatch):
    other = folder_of(another_mailbox(account, "mate@acme.example"))
    come(from_amara("One"), look=False)
    come(from_amara("Two"), folder=other, look=False)
    look = jobs.link_piece

    def fails(mailbox, *, now):
        if mailbox == inbox.mailbox:
            raise ValueError
        return look(mailbox, now=now)

    monkeypatch.setattr(jobs, "link_piece", fails)
    link_missed.now()
    assert Activity.objects.get().subject == "Two"


def test_a_first_sync_lines_up_again_for_the_rest(amara, come, mailbox, committed, monkeypatch):
    monkeypatch.setattr(link, "AT_ONCE", 2)
    monkeypatch.setattr(jobs, "PIECES", 2)
    come(*(from_amara(str(number), message_id=f"{number}@x") for number in range(9)), look=False)
    with committed:
        jobs.link_letters_of.now(mailbox.pk)
        assert Activity.objects.count() == 4
    assert Activity.objects.count() == 9


@pytest.mark.parametrize("sender", ["MAILER-DAEMON", "x@nowhere", '"  " <odd..one@x.example>', "=?utf-8?q?=00?= <>"])
def test_an_odd_sender_holds_nothing_up(mailbox, ines, come, sender):
    make_leads(mailbox, ines)
    come(raw("Odd", sender=sender, message_id="odd@x"), raw("Plain", message_id="plain@x"))
    assert [record.name for record in Record.objects.all()] == ["Anna Berg"]


def test_a_nameless_sender_is_a_lead_by_the_address(mailbox, ines, come):
    make_leads(mailbox, ines)
    come(raw(sender='"   " <anna@berg.example>'))
    assert Record.objects.get().name == "anna@berg.example"


def test_the_number_of_queries_does_not_depend_on_the_letters(amara, come, mailbox, now):
    counts = []
    come(from_amara())
    for size in (2, 20):
        come(*(from_amara(f"{size} {n}", message_id=f"{size}-{n}@x") for n in range(size)), look=False)
        with CaptureQueriesContext(connection) as queries:
            link_new(mailbox, now=now)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 51


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["crm_link.written", "crm_link.before_commit"])
def test_a_crash_leaves_nothing_half_done_and_the_next_run_does_the_rest(amara, come, mailbox, now, point):
    come(from_amara(), look=False)
    interrupt(point)
    with pytest.raises(Crashed):
        link_new(mailbox, now=now)
    assert not Activity.objects.exists()
    assert not BlobReference.objects.filter(holder__startswith="activity:").exists()
    assert link_new(mailbox, now=now) == 1


@pytest.mark.django_db(transaction=True)
def test_two_mailboxes_at_once_make_one_lead_and_one_activity(mailbox, account, ines, come, now):  # R28
    boxes = [mailbox, *(another_mailbox(account, f"box{number}@acme.example") for number in range(3))]
    for number, box in enumerate(boxes):
        make_leads(box, ines)
        folder = box.folders.first() or folder_of(box)
        come(f"Received: by {number}\r\n".encode() + raw("Hello", message_id="h@x"), folder=folder, look=False)

    def look(box):
        try:
            return link_new(box, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(boxes)) as pool:
        assert list(pool.map(look, boxes)) == [1] * len(boxes)
    assert Record.objects.count() == 1
    assert Activity.objects.count() == 1
    assert LetterCopy.objects.count() == len(boxes)


@pytest.mark.django_db(transaction=True)
def test_two_conversations_that_lead_to_threads_which_turn_out_to_be_one_hold_nothing_up(
    amara, account, come, mailbox, now
):
    second, third = (folder_of(another_mailbox(account, f"{name}@acme.example")) for name in ("two", "three"))
    come(from_amara("A", message_id="a@x"), folder=second)
    come(from_amara("B", message_id="b@x"), from_amara("C", message_id="c@x", references=("b@x",)), folder=third)
    come(  # Ines was in copy of the answers alone: two conversations, the second leads to the thread that goes
        from_amara("Re: A and B", message_id="d@x", references=("a@x", "b@x")),
        from_amara("Re: C", message_id="e@x", in_reply_to="c@x"),
    )
    come(from_amara("Another day", message_id="f@x"))
    assert mailboxes_to_look_at() == []
    threads = dict(Activity.objects.values_list("subject", "thread"))
    assert len(threads) == 6
    assert len(set(threads.values())) == 2


@pytest.mark.django_db(transaction=True)
def test_threads_that_meet_by_way_of_a_third_are_one(make, account, come, mailbox):
    """One and two have nobody in common, nor two and three of one conversation, before they are the first."""
    for name in ("anna", "boris", "clara"):
        make(name=name, addresses=(f"{name}@x.example",))
    for number, (sender, more) in enumerate((("anna", "boris"), ("boris", "clara"), ("clara", ""))):
        folder = folder_of(another_mailbox(account, f"{number}@acme.example"))
        to = ", ".join(f"{name}@x.example" for name in (more, "ines") if name)
        come(raw(f"{number}", sender=f"{sender}@x.example", to=to, message_id=f"{number}@x"), folder=folder)
    come(
        raw("Re: 0, 2", sender="anna@x.example", message_id="3@x", references=("0@x", "2@x")),
        raw("Re: 0, 1", sender="boris@x.example", message_id="4@x", references=("0@x", "1@x")),
    )
    assert Activity.objects.count() == 5
    assert Thread.objects.count() == 1
