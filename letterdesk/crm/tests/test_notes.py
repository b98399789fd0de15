"""Notes and calls at a record: their author's, in the timeline, in the bin, along with their record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.crm.activities.timeline import PAGE, in_talks, record_page
from letterdesk.crm.models import Note, Record
from letterdesk.crm.records.bin import NotInBin, delete, purge_due, restore
from letterdesk.crm.records.change import ChangedMeanwhile, InBin
from letterdesk.crm.records.merge import merge, preview
from letterdesk.crm.records.notes import BadNote, Said, bring_back, change, notes_in_bin, remove, version_of, write
from letterdesk.events.models import Event

from .conftest import activity_at

DAY = timedelta(days=1)
CALL = Said("Wants a quote", "in", None, 12)


def test_a_note_and_a_call_say_what_was_said_and_make_their_record_active(amara, ines, now):
    Record.objects.update(active_at=now - 3 * DAY)
    call = write(amara, Said("", "out", now - DAY, 0), by=ines, now=now)
    assert Record.objects.get().active_at == call.at == now - DAY
    note = write(amara, Said(" Prefers\r\nmornings\0 "), by=ines, now=now)
    assert (note.text, note.is_call, note.at, call.is_call, call.minutes) == ("Prefers\nmornings", False, now, True, 0)
    assert Record.objects.get().active_at == now
    told = Event.objects.filter(kind="note.written").order_by("pk").values_list("facts__what", flat=True)
    assert list(told) == ["call", "note"]
    assert "mornings" not in str(list(Event.objects.values_list("facts", flat=True)))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Said("  "), "Write something"),
        (Said("x" * 20_001), "longer"),
        (Said("x", "up"), "who called"),
        (Said("x", "in", timezone.now() + DAY), "future"),
        (Said("x", "in", None, 1441), "lasts"),
        (Said("x", "in", None, -1), "lasts"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(amara, ines, said, why):
    with pytest.raises(BadNote, match=why):
        write(amara, said, by=ines, now=timezone.now())
    assert not Note.objects.exists()


def test_its_author_changes_it_and_nobody_else(amara, ines, administrator, jonas, stranger, now):
    note = write(amara, CALL, by=ines, now=now)
    assert list(Note.objects.visible_to(administrator)) == [note] == list(Note.objects.editable_by(ines))
    for other in (administrator, jonas, stranger):
        assert not Note.objects.editable_by(other).exists()
    assert not Note.objects.visible_to(jonas).exists() and not Note.objects.visible_to(stranger).exists()
    with pytest.raises(ValueError, match="not of employee"):
        change(note, CALL, by=administrator, now=now)
    seen = version_of(note)
    assert change(note, Said("Wants two", "in", None, 12), by=ines, now=now + DAY, seen=seen)
    assert not change(note, Said("Wants two", "in", None, 12), by=ines, now=now + DAY)
    with pytest.raises(ChangedMeanwhile):
        change(note, CALL, by=ines, now=now + DAY, seen=seen)
    with pytest.raises(BadNote, match="call a call"):
        change(note, Said("A note now"), by=ines, now=now)
    note.refresh_from_db()
    assert (note.text, note.at, note.changed_at) == ("Wants two", now, now + DAY)
    Record.objects.update(responsible=jonas)  # handed over: with the sight goes the right
    assert not Note.objects.editable_by(ines).exists()


def test_deleted_it_comes_back_for_thirty_days_and_then_is_gone(amara, ines, now):
    note = write(amara, CALL, by=ines, now=now)
    remove(note, by=ines, now=now)
    assert record_page(amara) == ([], "")
    assert list(notes_in_bin(ines, now=now + 29 * DAY)) == [note]
    with pytest.raises(InBin):
        change(note, CALL, by=ines, now=now)
    bring_back(note, by=ines, now=now + 29 * DAY)
    with pytest.raises(NotInBin):
        bring_back(note, by=ines, now=now + 29 * DAY)
    assert record_page(amara)[0] == [note]
    remove(note, by=ines, now=now)
    assert purge_due(now=now + 30 * DAY - timedelta(seconds=1)) == 0
    assert purge_due(now=now + 30 * DAY) == 1 and not Note.objects.exists()


def test_it_goes_with_its_record_and_comes_back_with_it(amara, ines, now):
    note = write(amara, CALL, by=ines, now=now)
    delete(amara, by=ines, now=now)
    with pytest.raises(InBin):
        write(amara, CALL, by=ines, now=now)
    with pytest.raises(InBin):
        remove(note, by=ines, now=now)
    restore(amara, by=ines, now=now)
    assert record_page(amara)[0] == [note]


def test_merged_records_have_the_notes_of_both(amara, make, ines, now):
    other = make(name="A. Okafor")
    mine, theirs, gone = (write(record, CALL, by=ines, now=now) for record in (amara, other, other))
    remove(gone, by=ines, now=now)
    assert preview(amara, other).notes == 1
    merge(amara, other, by=ines, now=now)
    assert set(record_page(amara)[0]) == {mine, theirs}
    bring_back(Note.objects.get(pk=gone.pk), by=ines, now=now)
    assert len(record_page(amara)[0]) == 3


def test_pages_of_a_timeline_lose_nothing_where_moments_are_equal(amara, ines, now):
    count = PAGE // 2 + 8
    letters = [activity_at(amara, at=now) for _ in range(count)]
    notes = [write(amara, Said("x"), by=ines, now=now if number % 2 else now - DAY) for number in range(count)]
    found, before = [], ""
    while True:
        page, before = record_page(amara, before=before)
        found += page
        if not before:
            break
    assert len(found) == len({(type(each), each.pk) for each in found}) == len(letters) + len(notes)
    moments = [each.at if isinstance(each, Note) else each.received_at for each in found]
    assert moments == sorted(moments, reverse=True)


def test_a_conversation_stands_where_its_newest_letter_does(amara, ines, now):
    older = activity_at(amara, at=now - 3 * DAY)
    call = write(amara, Said("x", "in", now - 2 * DAY), by=ines, now=now)
    newer = activity_at(amara, at=now - DAY)
    type(newer).objects.filter(pk=newer.pk).update(thread=older.thread)
    page = [each if isinstance(each, Note) else each.activity for each in record_page(amara)[0]]
    talk, alone = in_talks(page)
    assert (alone, [each.pk for each in talk.activities]) == (call, [newer.pk, older.pk])
