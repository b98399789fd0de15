"""A person links, takes away and moves, and that is remembered (R5, R6, R8)."""

from datetime import timedelta

import pytest

from letterdesk.crm.activities.bin import delete_activity, restore_activity
from letterdesk.crm.linking.by_hand import LetterGone, link_by_hand, move, stand_at, take_away
from letterdesk.crm.linking.link import link_letters
from letterdesk.crm.linking.why import crm_lines, why_not
from letterdesk.crm.models import Activity, Reason, Unlinked
from letterdesk.crm.records.bin import delete
from letterdesk.crm.records.change import InBin
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.arriving import raw

from .conftest import activity_at, from_amara, says_in_crm, standing

HOUR = timedelta(hours=1)


@pytest.fixture
def roof(make):
    return make("deal", "Roof")


@pytest.fixture
def talk(come, now):
    """Three letters of one conversation with somebody whom nobody knows."""
    first = come(raw("Offer", message_id="1@x"), at=now - 3 * HOUR)
    second = come(raw("Re: Offer", message_id="2@x", in_reply_to="1@x"), at=now - 2 * HOUR)
    third = come(raw("Re: Offer", message_id="3@x", in_reply_to="2@x"), at=now - HOUR)
    return [*first, *second, *third]


def reasons(record):
    return list(record.bindings.order_by("received_at").values_list("reason", flat=True))


def test_linking_takes_the_earlier_letters_along(talk, roof, ines, now):
    activity = link_by_hand(talk[1], roof, by=ines, now=now)
    assert reasons(roof) == [Reason.HISTORY, Reason.PERSON]
    assert [says_in_crm(letter) for letter in talk] == [True, True, False]
    assert BlobReference.objects.filter(holder=activity.holder, blob=talk[1].blob).exists()
    told = Event.objects.get(kind="activity.linked")
    assert (told.facts["letters"], told.by, told.topic) == (2, ines, talk[1].mailbox.topic)


def test_or_not(talk, roof, ines, now):
    link_by_hand(talk[1], roof, by=ines, now=now, with_earlier=False)
    assert reasons(roof) == [Reason.PERSON]


def test_what_answers_follows(talk, roof, ines, come, now):
    link_by_hand(talk[2], roof, by=ines, now=now)
    come(raw("Re: Offer", message_id="4@x", in_reply_to="3@x"))
    assert reasons(roof) == [Reason.HISTORY, Reason.HISTORY, Reason.PERSON, Reason.REPLY]
    assert len(set(Activity.objects.values_list("thread", flat=True))) == 1


def test_taken_away_it_does_not_come_back_there_by_itself(amara, roof, come, ines, mailbox, now):
    [message] = come(from_amara())
    activity = Activity.objects.get()
    stand_at(activity, roof, by=ines, now=now)
    told = take_away(activity, amara, by=ines, now=now)
    assert (told.count, told.binned) == (1, 0)
    link_letters(mailbox, [message.pk], now=now)
    assert standing(activity) == {(roof.pk, Reason.PERSON)}


def test_of_a_whole_conversation_nor_does_what_answers_it(amara, make, come, ines, now):
    deal = make("deal", "Roof", contact=amara, at=now - HOUR)
    come(from_amara("Offer", message_id="1@x"), at=now - HOUR)
    come(from_amara("Re: Offer", message_id="2@x", in_reply_to="1@x"))
    assert len(reasons(deal)) == 2
    assert take_away(Activity.objects.first(), deal, by=ines, now=now, whole_conversation=True).count == 2
    come(from_amara("Re: Offer", message_id="3@x", in_reply_to="2@x"))
    assert reasons(deal) == []
    assert len(reasons(amara)) == 3


def test_without_a_last_record_it_goes_into_the_bin_and_comes_back_where_it_stood(amara, come, ines, now):  # R8
    [message] = come(from_amara())
    activity = Activity.objects.get()
    assert take_away(activity, amara, by=ines, now=now).binned == 1
    assert not Activity.objects.present().exists()
    assert says_in_crm(message)  # for 30 days there is a copy
    restore_activity(activity, by=ines, now=now)
    assert standing(Activity.objects.present().get()) == {(amara.pk, Reason.ADDRESS)}
    assert not Unlinked.objects.exists()


def test_moved_to_another_record_and_back(amara, make, come, ines, now):
    roof, floor = make("deal", "Roof", contact=amara, at=now - HOUR), make("deal", "Floor", at=now - HOUR)
    come(from_amara("Offer", message_id="1@x"), at=now - HOUR)
    come(from_amara("Re: Offer", message_id="2@x", in_reply_to="1@x"))
    one = Activity.objects.first()
    assert move(one, source=roof, target=floor, by=ines, now=now, whole_conversation=True) == 2
    assert (len(reasons(roof)), reasons(floor)) == (0, [Reason.PERSON, Reason.PERSON])
    come(from_amara("Re: Offer", message_id="3@x", in_reply_to="2@x"))
    assert (len(reasons(roof)), len(reasons(floor))) == (0, 3)
    move(one, source=floor, target=roof, by=ines, now=now, whole_conversation=True)
    assert (len(reasons(roof)), len(reasons(floor))) == (3, 0)


def test_of_a_conversation_nobody_hands_on_what_is_hidden_from_them(make, ines, jonas, now):  # P9
    mine, theirs = make("deal", "Mine", by=jonas), make("deal", "Secret", by=ines)
    seen, hidden = activity_at(mine, at=now), activity_at(theirs, at=now)
    Activity.objects.filter(pk=hidden.pk).update(thread=seen.thread)
    other = make("deal", "Other", by=jonas)
    assert stand_at(seen, mine, by=jonas, now=now, whole_conversation=True) == 0
    assert move(seen, source=mine, target=other, by=jonas, now=now, whole_conversation=True) == 1
    assert list(Activity.objects.visible_to(jonas)) == [seen]


def test_a_person_who_links_it_takes_it_out_of_the_bin(amara, roof, come, ines, now):
    [message] = come(from_amara())
    delete_activity(Activity.objects.get(), by=ines, now=now)
    assert why_not(message, now=now) == ""
    activity = link_by_hand(message, roof, by=ines, now=now)
    assert Activity.objects.present().get() == activity
    assert standing(activity) == {(amara.pk, Reason.ADDRESS), (roof.pk, Reason.PERSON)}


def test_a_letter_taken_from_its_last_record_and_linked_to_another_stands_at_that_alone(amara, roof, come, ines, now):
    [message] = come(from_amara())
    take_away(Activity.objects.get(), amara, by=ines, now=now)
    activity = link_by_hand(message, roof, by=ines, now=now)
    assert Activity.objects.present().get() == activity
    assert standing(activity) == {(roof.pk, Reason.PERSON)}
    link_by_hand(message, amara, by=ines, now=now)  # only a person's link does
    assert standing(activity) == {(roof.pk, Reason.PERSON), (amara.pk, Reason.PERSON)}


def test_also_when_its_time_there_is_over_and_no_purge_was_there(amara, roof, come, ines, now):  # R8
    [message] = come(from_amara())
    delete_activity(Activity.objects.get(), by=ines, now=now)
    activity = link_by_hand(message, roof, by=ines, now=now + 31 * 24 * HOUR)
    assert Activity.objects.present().get() == activity


def test_a_record_in_the_bin_a_letter_that_went_and_another_account_take_nothing(talk, roof, ines, stranger, make, now):
    theirs = make("deal", "Theirs", by=stranger)
    with pytest.raises(ValueError, match="another account"):
        link_by_hand(talk[0], theirs, by=stranger, now=now)
    Message.objects.filter(pk=talk[1].pk).delete()
    with pytest.raises(LetterGone):
        link_by_hand(talk[1], roof, by=ines, now=now)
    delete(roof, by=ines, now=now)
    with pytest.raises(InBin):
        link_by_hand(talk[0], roof, by=ines, now=now)
    assert not Activity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_crash_links_nothing(talk, roof, ines, now):
    interrupt("crm_link_by_hand.before_commit")
    with pytest.raises(Crashed):
        link_by_hand(talk[2], roof, by=ines, now=now)
    assert not Activity.objects.exists()
    assert not Message.objects.filter(in_crm=True).exists()


def test_a_letter_tells_its_readers_where_it_stands_and_how_much_they_do_not_see(
    amara, make, come, ines, jonas, now, django_assert_max_num_queries
):
    theirs = make("deal", "Secret", by=jonas)
    [message, other] = come(from_amara(), raw("Stranger"))
    stand_at(Activity.objects.get(), theirs, by=jonas, now=now)
    with django_assert_max_num_queries(20):
        lines = crm_lines([message, other], employee=ines, now=now)
    assert [binding.record for binding in lines[message.pk].bindings] == [amara]
    assert (lines[message.pk].hidden, lines[message.pk].why_not) == (1, "")
    assert lines[other.pk].activity is None
    assert lines[other.pk].why_not.startswith("Not saved: nobody in CRM has this address")
