"""Labels of records: given and taken by who may change the record, filtered by, in files, kept by a merge."""

import pytest

from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.models import ImportRefusal, Label, Labelled, Record
from letterdesk.crm.records.bin import restore
from letterdesk.crm.records.change import InBin
from letterdesk.crm.records.export import HEAD, exported, table_of
from letterdesk.crm.records.fields import BadRecord
from letterdesk.crm.records.import_rows import guessed
from letterdesk.crm.records.labels import change_label, delete_label, give, labels_of, make_label, take
from letterdesk.crm.records.lists import RecordFilter, all_of, record_page
from letterdesk.crm.records.merge import merge, preview
from letterdesk.crm.records.take_in import begin, start, take_piece
from letterdesk.events.models import Event
from letterdesk.lib.sheets import as_csv
from letterdesk.mailboxes.labels import BadLabel


def labels(record):
    return [row.label.name for row in Labelled.objects.filter(record=record).order_by("label__key")]


def test_one_is_made_by_giving_it_and_there_is_none_twice(amara, make, ines, account):
    assert [each.name for each in give(amara, [" Key  account ", "VIP", "vip"], by=ines)] == ["Key account", "VIP"]
    assert give(amara, ["KEY ACCOUNT"], by=ines) == []
    assert give(make(name="Bo"), ["vip"], by=ines) == [Label.objects.get(key="vip")]
    assert [each.name for each in labels_of(account)] == ["Key account", "VIP"]
    assert take(amara, Label.objects.get(key="vip"), by=ines) and not take(amara, Label.objects.get(key="vip"), by=ines)
    assert labels(amara) == ["Key account"]
    assert Event.objects.filter(kind="record.labelled").count() == 3


def test_what_cannot_be_a_label_is_refused_in_words(amara, ines, now):
    for name in ("", "x" * 61, 'say "no"'):
        with pytest.raises(BadLabel, match="1 to 60"):
            give(amara, [name], by=ines)
    with pytest.raises(BadLabel, match="at most 50"):
        give(amara, [f"Label {number}" for number in range(51)], by=ines)
    assert not Label.objects.exists()
    Record.objects.update(deleted_at=now)
    with pytest.raises(InBin):
        give(amara, ["VIP"], by=ines)


def test_administrators_alone_rename_and_delete_them(amara, ines, administrator, stranger, account):
    vip, other = give(amara, ["VIP", "Press"], by=ines)
    for person in (ines, stranger):
        with pytest.raises(NotAllowed):
            change_label(vip, name="Key", colour="ok", by=person)
        with pytest.raises(NotAllowed):
            delete_label(vip, by=person)
        assert not Label.objects.editable_by(person).filter(account=account).exists()
    with pytest.raises(BadLabel, match="already"):
        change_label(vip, name="press", colour="ok", by=administrator)
    vip.refresh_from_db()
    change_label(vip, name="Key", colour="nonsense", by=administrator)
    assert (vip.name, vip.colour) == ("Key", "")
    delete_label(other, by=administrator)
    assert labels(amara) == ["Key"]


def test_a_list_is_narrowed_by_one_and_shows_them(amara, make, ines, stranger, django_assert_max_num_queries):
    bo = make(name="Bo")
    (vip,) = give(amara, ["VIP"], by=ines)
    give(bo, ["Press"], by=ines)
    wanted = RecordFilter("contact", label=vip.public_id)
    assert list(all_of(ines, wanted)) == [amara]
    foreign = make_label(stranger.account, "VIP")
    assert not all_of(ines, RecordFilter("contact", label=foreign.public_id)).exists()
    with django_assert_max_num_queries(5):
        page, _more = record_page(ines, RecordFilter("contact"))
        assert [[row.label.name for row in each.labelled.all()] for each in page] == [["Press"], ["VIP"]]


def test_a_merge_keeps_those_of_both_and_the_bin_its_own(amara, make, ines, now):
    other = make(name="A. Okafor")
    give(amara, ["VIP", "Press"], by=ines)
    give(other, ["vip", "Fair"], by=ines)
    assert preview(amara, other).labels == ["Fair", "Press", "VIP"]
    merge(amara, other, by=ines, now=now)
    assert labels(amara) == ["Fair", "Press", "VIP"]
    restore(Record.objects.get(pk=other.pk), by=ines, now=now)
    assert labels(other) == ["Fair", "VIP"]


def test_they_go_into_a_file_and_come_back_out_of_it(amara, make, ines, now):
    give(amara, ["VIP", "=Press"], by=ines)
    table = table_of(exported(ines, all_of(ines, RecordFilter("contact"))))
    assert table[0][HEAD.index("labels")] == "=Press; VIP"
    content = as_csv(HEAD, table).replace("Okafor", "Two").replace("amara@", "two@")
    taken = begin("contact", content.encode(), "people.csv", by=ines)
    assert taken.mapping[HEAD.index("labels")] == "labels" == guessed(["Schlagworte"])[0]
    start(taken, mapping=taken.mapping, fills=True)
    take_piece(taken.pk, now=now)
    assert labels(Record.objects.get(name="Amara Two")) == ["=Press", "VIP"]


def test_known_records_get_what_labels_they_lack_and_a_bad_one_names_its_column(amara, ines, now):
    content = f'Email;Tags\namara@okafor.example;"VIP, Fair"\namara@okafor.example;{"x" * 61}\n'
    for count in (1, 0):
        taken = begin("contact", content.encode(), "people.csv", by=ines)
        start(taken, mapping=taken.mapping, fills=True)
        take_piece(taken.pk, now=now)
        taken.refresh_from_db()
        assert (taken.filled, taken.known, taken.refused) == (count, 1 - count, 1)
    assert labels(amara) == ["Fair", "VIP"]
    assert ImportRefusal.objects.filter(column="Tags", row=3).count() == 2


def test_names_with_semicolons_and_commas_come_back_out_of_a_file(amara, ines, now):
    give(amara, ["Berlin; Mitte", "Fair, spring", "VIP"], by=ines)
    table = table_of(exported(ines, all_of(ines, RecordFilter("contact"))))
    taken = begin("contact", as_csv(HEAD, table).replace("amara@", "two@").encode(), "people.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    take_piece(taken.pk, now=now)
    assert labels(Record.objects.get(addresses__key="two@okafor.example")) == labels(amara)
    assert Label.objects.count() == 3


def test_two_that_have_too_many_together_are_not_merged(amara, make, ines, now):
    other = make(name="Amara Two")
    give(amara, [f"Label {number}" for number in range(30)], by=ines)
    give(other, [f"Label {number}" for number in range(9, 51)], by=ines)
    for do in (lambda: preview(amara, other), lambda: merge(amara, other, by=ines, now=now)):
        with pytest.raises(BadRecord, match="more than 50 labels"):
            do()
    take(other, Label.objects.get(name="Label 50"), by=ines)
    merge(amara, other, by=ines, now=now)
    assert len(labels(amara)) == 50
