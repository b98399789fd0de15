"""R8: only a person ends an activity, and it lies in CRM's bin for 30 days first; its bytes are given back then."""

from datetime import timedelta

import pytest

from letterdesk.crm.activities.bin import NoRecord, delete_activity, restore_activity
from letterdesk.crm.jobs import purge_bin
from letterdesk.crm.linking.by_hand import link_by_hand, take_away
from letterdesk.crm.linking.corrections import belongs
from letterdesk.crm.models import Activity, Binding, Record, Thread, Unlinked
from letterdesk.crm.records.bin import NotInBin, consequences, delete, purge, purge_due, restore
from letterdesk.crm.records.change import InBin
from letterdesk.crm.records.notes import Said, write
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, disarm, interrupt
from letterdesk.mailboxes.collect import collect
from letterdesk.mailboxes.models import BlobReference, LooseBlob, SweepClock
from letterdesk.mailboxes.tests.arriving import raw
from letterdesk.mailboxes.tests.letters import letter

from .conftest import activity_at, says_in_crm

DAY = timedelta(hours=24)
MONTH = 30 * DAY


def test_what_stands_nowhere_else_goes_along_and_comes_back(make, ines, now):
    amara, roof = make(), make("deal", "Roof")
    alone, shared = activity_at(amara, at=now), activity_at(amara, roof, at=now)
    write(amara, Said("Called her"), by=ines, now=now)
    told = consequences([amara.pk])
    assert (told.going, told.staying, told.notes) == (1, 1, 1)
    assert delete(amara, by=ines, now=now) == 1
    assert list(Activity.objects.present()) == [shared]
    assert delete(roof, by=ines, now=now + DAY) == 1
    assert not Activity.objects.present().exists()
    assert restore(amara, by=ines, now=now + 2 * DAY) == 2
    assert Activity.objects.present().count() == 2
    alone.refresh_from_db()
    assert (alone.deleted_at, alone.went_along) == (None, False)


def test_what_was_deleted_by_itself_does_not_come_back_with_its_record(make, ines, now):
    amara = make()
    activity = activity_at(amara, at=now)
    delete_activity(activity, by=ines, now=now)
    delete(amara, by=ines, now=now)
    assert restore(amara, by=ines, now=now) == 0
    assert not Activity.objects.present().exists()
    restore_activity(activity, by=ines, now=now)
    assert Activity.objects.present().get() == activity


def test_after_thirty_days_both_are_gone_and_the_bytes_with_them(make, ines, inbox, now):
    amara = make()
    message = letter(inbox, received_at=now)
    activity = activity_at(amara, at=now, message=message)
    delete(amara, by=ines, now=now)
    assert purge_due(now=now + MONTH - timedelta(seconds=1)) == 0
    assert says_in_crm(message)
    assert purge_due(now=now + MONTH) == 2
    assert not Activity.objects.exists()
    assert not Record.objects.exists()
    assert not Thread.objects.exists()
    assert not BlobReference.objects.filter(holder=activity.holder).exists()
    assert LooseBlob.objects.filter(blob=activity.blob).exists()
    assert not says_in_crm(message)  # R9 speaks of it alone again
    assert collect(now=now + MONTH + DAY) == 1


def test_deleted_for_good_at_once_the_record_goes_and_its_letters_wait_their_time(make, ines, now):
    amara = make()
    activity = activity_at(amara, at=now)
    delete(amara, by=ines, now=now)
    assert purge(amara, by=ines, now=now + DAY) == 0
    assert not Record.objects.exists()
    assert Activity.objects.in_bin(now + DAY).get() == activity
    with pytest.raises(NoRecord):
        restore_activity(activity, by=ines, now=now + DAY)
    assert purge_due(now=now + MONTH) == 1
    assert not Activity.objects.exists()


def test_an_activity_at_another_record_outlives_a_purged_one(make, ines, now):
    amara, roof = make(), make("deal", "Roof")
    activity = activity_at(amara, roof, at=now)
    delete(amara, by=ines, now=now)
    assert purge_due(now=now + MONTH) == 1
    assert Activity.objects.present().get() == activity
    assert list(activity.bindings.values_list("record", flat=True)) == [roof.pk]


def test_an_earlier_letter_that_stands_at_a_record_again_is_out_of_the_bin(make, come, ines, now):  # R8
    first = come(raw("Offer", message_id="1@x"), at=now - 2 * DAY)[0]
    second = come(raw("Re: Offer", message_id="2@x", in_reply_to="1@x"), at=now - DAY)[0]
    old, new = make("deal", "Old"), make("deal", "New")
    activity = link_by_hand(first, old, by=ines, now=now)
    delete(old, by=ines, now=now)
    link_by_hand(second, new, by=ines, now=now)
    assert Activity.objects.present().count() == 2
    assert purge_due(now=now + MONTH) == 1
    assert list(activity.bindings.values_list("record", flat=True)) == [new.pk]


def test_an_earlier_letter_that_was_taken_from_its_last_record_stays_in_the_bin(make, come, ines, now):  # R8
    first = come(raw("Offer", message_id="1@x"), at=now - 2 * DAY)[0]
    second = come(raw("Re: Offer", message_id="2@x", in_reply_to="1@x"), at=now - DAY)[0]
    old, new = make("deal", "Old"), make("deal", "New")
    activity = link_by_hand(first, old, by=ines, now=now)
    take_away(activity, old, by=ines, now=now)
    link_by_hand(second, new, by=ines, now=now)
    assert list(activity.bindings.values_list("record", flat=True)) == [old.pk]


def test_a_letter_taken_away_is_not_back_as_an_earlier_one_when_the_bin_has_let_it_go(amara, come, ines, now):
    come(raw("First", sender="amara@okafor.example", message_id="1@x"), at=now)
    take_away(Activity.objects.get(), amara, by=ines, now=now)
    purge_due(now=now + MONTH)
    come(raw("Re: First", sender="amara@okafor.example", message_id="2@x", in_reply_to="1@x"), at=now + MONTH + DAY)
    assert Activity.objects.get().subject == "Re: First"


@pytest.mark.parametrize("days", [29, 31])
def test_a_conversation_taken_away_stays_away_when_the_bin_has_let_it_go(amara, make, come, ines, now, days):
    """So does what answers it at another record, and once the record is gone nothing of it is kept."""
    come(raw("First", sender="amara@okafor.example", message_id="1@x"), at=now)
    take_away(Activity.objects.get(), amara, by=ines, now=now, whole_conversation=True)
    later = now + days * DAY
    purge_due(now=later)
    roof = make("deal", "Roof")
    belongs("amara@okafor.example", roof, by=ines, now=later)
    come(raw("Again", sender="amara@okafor.example", message_id="2@x", in_reply_to="1@x"), at=later)
    come(raw("And again", sender="amara@okafor.example", message_id="3@x", in_reply_to="2@x"), at=later)
    assert set(Binding.objects.present().exclude(activity__subject="First").values_list("record", flat=True)) == {
        roof.pk
    }
    assert Thread.objects.count() == 1
    delete(roof, by=ines, now=later)
    purge_due(now=later + 2 * MONTH)
    assert Thread.objects.count() == 1
    delete(amara, by=ines, now=later)
    purge_due(now=later + 2 * MONTH)
    assert not Thread.objects.exists() and not Unlinked.objects.exists()


@pytest.mark.case("D11")
def test_who_names_a_conversation_of_which_no_letter_is_left_gets_nothing_by_it(amara, make, come, ines, now):
    come(raw("First", sender="amara@okafor.example", message_id="1@x"), at=now)
    take_away(Activity.objects.get(), amara, by=ines, now=now, whole_conversation=True)
    purge_due(now=now + MONTH)
    come(raw("Re: First", sender="evil@x.example", message_id="2@x", in_reply_to="1@x"), at=now + MONTH)
    assert not Activity.objects.exists()


def test_the_purge_refuses_what_stands_at_a_record(make, ines, now):  # R8
    activity = activity_at(make(), at=now)
    Activity.objects.filter(pk=activity.pk).update(deleted_at=now, went_along=True)
    assert purge_due(now=now + MONTH) == 0


def test_a_deleted_activity_is_not_linked_again_until_it_is_restored(make, ines, now):
    activity = activity_at(make(), at=now)
    delete_activity(activity, by=ines, now=now)
    assert Unlinked.objects.get().identity == activity.identity
    with pytest.raises(InBin):
        delete_activity(activity, by=ines, now=now)
    restore_activity(activity, by=ines, now=now)
    assert not Unlinked.objects.exists()
    with pytest.raises(NotInBin):
        restore_activity(activity, by=ines, now=now)


def test_what_is_over_is_not_restored(make, ines, now):
    amara = make()
    activity = activity_at(amara, at=now)
    delete_activity(activity, by=ines, now=now)
    with pytest.raises(NotInBin):
        restore_activity(activity, by=ines, now=now + MONTH)
    delete(amara, by=ines, now=now)
    with pytest.raises(NotInBin):
        restore(amara, by=ines, now=now + MONTH)
    with pytest.raises(InBin):
        delete(amara, by=ines, now=now)
    with pytest.raises(NotInBin):
        purge(make(name="Present"), by=ines, now=now)


def test_a_jump_of_the_clock_deletes_nothing(make, ines, now):  # F11
    delete(make(), by=ines, now=now)
    SweepClock.objects.create(pk=1, seen_at=now)
    assert purge_due(now=now + MONTH) == 0


DEATHS = {
    "record_delete.before_commit": lambda amara, by, now: delete(amara, by=by, now=now),
    "activity_delete.before_commit": lambda amara, by, now: delete_activity(Activity.objects.get(), by=by, now=now),
    "crm_take_away.before_commit": lambda amara, by, now: take_away(Activity.objects.get(), amara, by=by, now=now),
    "activity_purge.before_commit": lambda amara, by, now: purge_due(now=now + MONTH),
    "record_purge.before_commit": lambda amara, by, now: purge(amara, by=by, now=now + MONTH),
}


@pytest.mark.case("F12")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", DEATHS)
def test_dead_in_the_middle_it_is_as_if_nothing_had_been(make, inbox, ines, now, point):
    amara = make()
    message = letter(inbox, received_at=now)
    activity_at(amara, at=now, message=message)
    if "purge" in point:
        delete(amara, by=ines, now=now)
    before = _picture(message)
    interrupt(point)
    with pytest.raises(Crashed):
        DEATHS[point](amara, ines, now)
    disarm()
    assert _picture(message) == before
    DEATHS[point](amara, ines, now)
    assert _picture(message) != before
    assert says_in_crm(message) is ("purge" not in point)


def _picture(message):
    return (
        list(Activity.objects.values_list("deleted_at", "went_along")),
        list(Record.objects.values_list("deleted_at", flat=True)),
        list(BlobReference.objects.values_list("holder", flat=True)),
        Unlinked.objects.count(),
        Event.objects.count(),
        says_in_crm(message),
    )


def test_it_is_told_and_the_job_does_it(make, ines, now):
    amara = make()
    activity_at(amara, at=now)
    delete(amara, by=ines, now=now - MONTH - DAY)
    purge_bin.now()  # the clock of the test's bin lies behind
    told = dict(Event.objects.filter(kind__startswith="record.").values_list("kind", "facts"))
    assert told["record.deleted"] == {"activities": 1}
    assert not Record.objects.exists()
