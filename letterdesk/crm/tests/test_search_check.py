"""What can be found in CRM is compared at night with what stands there: what differs is set right, and told."""

from datetime import timedelta

import pytest
from django.db import connection

from letterdesk.crm import jobs
from letterdesk.crm.models import Activity, FoundText, Record
from letterdesk.crm.records import notes
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.search import check
from letterdesk.crm.search.check import Drift, check_piece, rebuild
from letterdesk.crm.search.index import index_letters, position_of_note, row_of_record
from letterdesk.events.models import Event

from .conftest import activity_at, from_amara
from .test_search import names, subjects


@pytest.fixture
def filled(make, amara, ines, now):
    """Records, a note and letters, all findable."""
    note = notes.write(amara, notes.Said("Wants a canopy"), by=ines, now=now)
    letters = [activity_at(amara, at=now - timedelta(days=day), content=from_amara("Tender", body=f"desk{day}"))
               for day in range(3)]  # fmt: skip
    index_letters([each for each in letters if not FoundText.objects.filter(activity=each).exists()], {})
    make(name="Bert")
    return note, letters


def checked(account):
    """All of an account, piece by piece."""
    drift = Drift()
    for of in check.SOURCES:
        after = 0
        while True:
            after, more = check_piece(account.pk, of, after=after)
            drift += more
            if not after:
                break
    return drift


def test_where_all_is_right_nothing_is_written_or_told(filled, account, monkeypatch):
    monkeypatch.setattr(check, "AT_ONCE", 2)
    wrote = []
    monkeypatch.setattr(check, "write", lambda found, **how: wrote.append(found))
    monkeypatch.setattr(jobs.check_search_of, "later", jobs.check_search_of.now)
    jobs.check_search.now()
    assert (wrote, checked(account)) == ([], Drift()) and not Event.objects.filter(kind="search.repaired").exists()


def test_what_is_missing_stale_or_of_nothing_is_set_right_and_told(
    filled, make, amara, ines, jonas, account, stranger, now, monkeypatch
):
    note, letters = filled
    monkeypatch.setattr(check, "AT_ONCE", 2)
    bert = Record.objects.get(name="Bert")
    FoundText.objects.filter(record=bert).delete()  # missing
    FoundText.objects.filter(activity=letters[0]).delete()  # missing
    FoundText.objects.filter(record=amara, note=None).update(body="Somebody", subject="Else")  # stale
    FoundText.objects.filter(activity=letters[1]).update(subject="Else")  # stale
    FoundText.objects.filter(note=note).update(
        position=position_of_note(amara.pk, note.pk + 7)
    )  # of nothing, and missing
    monkeypatch.setattr(jobs, "PIECES", 1)
    monkeypatch.setattr(jobs.check_search_of, "later", jobs.check_search_of.now)
    jobs.check_search.now()
    event = Event.objects.get(kind="search.repaired")
    assert event.account == account and event.facts == {"missing": 3, "stale": 2, "orphaned": 1}
    assert names(ines, "bert") == ["Bert"] and names(ines, "okafor canopy") == [amara.name]
    assert names(ines, "somebody") == names(jonas, "bert") == names(stranger, "bert") == []
    assert len(subjects(ines, "offer", at=now)) == 3 and subjects(ines, "else", at=now) == []
    assert checked(account) == Drift()


def test_words_of_what_lies_in_the_bin_or_of_a_merged_row_are_of_nothing(filled, amara, ines, account):
    note, _letters = filled
    type(note).objects.filter(pk=note.pk).update(deleted_at=note.at)
    double = row_of_record(amara, fields_of(amara))
    double.position -= 99  # a second row of the same record
    double.save(force_insert=True)
    assert checked(account) == Drift(orphaned=2) and checked(account) == Drift()


def test_what_somebody_writes_between_two_looks_is_no_difference(filled, amara, account, monkeypatch):
    looks = []
    look = check._differences

    def differences(source, keys):
        found = look(source, keys)
        looks.append(found)
        return found or [(None, row_of_record(amara, fields_of(amara)))] if len(looks) == 1 else found

    monkeypatch.setattr(check, "_differences", differences)
    assert check_piece(account.pk, "records") == (0, Drift()) and len(looks) == 2


def test_all_is_written_anew_by_pieces_and_letters_from_their_bytes(filled, amara, ines, account, now, monkeypatch):
    monkeypatch.setattr(check, "AT_ONCE", 1)
    monkeypatch.setattr(check, "READ_AT_ONCE", 2)
    FoundText.objects.filter(activity=None).update(body="nonsense", vector=None)
    FoundText.objects.filter(record__name="Bert").delete()
    FoundText.objects.exclude(activity=None).update(body="nonsense", is_whole=True)
    if connection.vendor == "sqlite":  # the words left the index without the row, as after a damage
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO crm_found(crm_found) VALUES ('rebuild')")
    assert list(rebuild(account)) == [1, 1, 1, 2, 1]
    assert names(ines, "okafor canopy") == [amara.name] and names(ines, "nonsense") == []
    assert subjects(ines, "desk2", at=now) == [Activity.objects.earliest("received_at").subject]
    assert subjects(ines, "nonsense", at=now) == [] and checked(account) == Drift()


def test_a_letter_whose_bytes_are_gone_keeps_the_text_that_is_here(filled, ines, account, now):
    _note, letters = filled
    FoundText.objects.filter(activity=letters[0]).update(body="what was read", is_whole=True)
    Activity.objects.filter(pk=letters[0].pk).update(blob="f" * 64)
    list(rebuild(account))
    assert len(subjects(ines, '"what was read"', at=now)) == 1
