"""Many records are changed at once: as far as one may, told before, in pieces, and taken back as one."""

from datetime import timedelta

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.crm.models import ChangeOfMany, Label, Pipeline, Record
from letterdesk.crm.records import change_many as many
from letterdesk.crm.records.bin import consequences, delete, restore
from letterdesk.crm.records.change import move_to_stage
from letterdesk.crm.records.change_many import MOST, NotSo, Wish, became, begin, choose, forget_old, undo, work
from letterdesk.crm.records.labels import delete_label, give, make_label
from letterdesk.crm.records.lists import RecordFilter
from letterdesk.crm.records.pipelines import write_access
from letterdesk.crm.records.stages import first_stage, stages_of
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt

from .seeding import activity_at

What = ChangeOfMany.What
CONTACTS = RecordFilter("contact")


def all_done(change, now):
    while work(change.pk, now=now):
        pass
    change.refresh_from_db()
    return {state: number for state, number in became(change).items() if number}


def do(wish, records, by, now):
    change = begin(wish, [each.pk for each in records], kind=records[0].kind, by=by)
    return change, all_done(change, now)


def taken_back(change, now):
    assert undo(change, now=now) and not undo(change, now=now)
    return all_done(change, now)


@pytest.fixture
def three(make):
    return [make(name=f"Client {number}") for number in range(3)]


def people(records):
    return {each.responsible for each in Record.objects.filter(pk__in=[each.pk for each in records])}


def test_a_list_is_chosen_with_its_filters_and_in_its_order(make, ines, jonas, monkeypatch):
    """P9: what one does not see is not chosen, whoever names it."""
    first, second = make(name="Berta"), make(name="Amara")
    make(name="Gone away")
    hidden = make(name="Amara of Jonas", responsible=jonas, by=jonas)
    company = make("company", name="Amara & Co")
    monkeypatch.setattr(many, "MOST", 2)
    assert choose(ines, RecordFilter("contact", words="a")).is_cut
    monkeypatch.setattr(many, "MOST", MOST)
    assert choose(ines, RecordFilter("contact", words="amara")).keys == (second.pk,)
    named = [each.public_id for each in (first, second, hidden, company)]
    assert set(choose(ines, CONTACTS, named).keys) == {first.pk, second.pk}


def test_all_go_to_a_colleague_and_come_back(three, ines, jonas, administrator, now):
    three[2].responsible = jonas
    three[2].save()
    change, said = do(Wish(What.RESPONSIBLE, responsible=jonas), three, administrator, now)
    assert said == {"done": 2, "same": 1} and change.is_over and people(three) == {jonas}
    told = Event.objects.filter(kind="record.changed", by=administrator)
    assert [event.facts["changed"] for event in told] == [["responsible"]] * 2
    Record.objects.filter(pk=three[0].pk).update(responsible=administrator)  # somebody went on from there
    assert taken_back(change, now) == {"back": 1, "stays": 1, "same": 1}
    assert [each.responsible for each in Record.objects.order_by("pk")] == [administrator, ines, jonas]


def test_what_went_out_of_ones_sight_does_not_come_back(three, ines, jonas, now):
    """P9: who does not see a record any more does nothing with it."""
    change, said = do(Wish(What.RESPONSIBLE, responsible=jonas), three, ines, now)
    assert said == {"done": 3} and people(three) == {jonas}
    assert taken_back(change, now) == {"stays": 3} and people(three) == {jonas}


def test_who_left_meanwhile_gets_nothing(three, ines, jonas, administrator, now):
    change = begin(Wish(What.RESPONSIBLE, responsible=jonas), [each.pk for each in three], kind="contact", by=ines)
    dismiss(jonas, by=administrator, now=now)
    assert all_done(change, now) == {"refused": 3} and people(three) == {ines}


def test_who_asked_for_it_and_left_changes_nothing_more(three, ines, administrator, now):
    change = begin(Wish(What.BIN), [each.pk for each in three], kind="contact", by=ines)
    dismiss(ines, by=administrator, now=now)
    assert all_done(change, now) == {"refused": 3}


def test_labels_are_added_and_taken_off_and_both_come_back(three, ines, administrator, now):
    give(three[0], ["Key"], by=ines)
    added, said = do(Wish(What.LABEL, label="key"), three, ines, now)
    assert said == {"done": 2, "same": 1} and added.said == "Key"
    key = Label.objects.get()
    off, said = do(Wish(What.UNLABEL, label=key), three, ines, now)
    assert said == {"done": 3} and not key.labelled.exists()
    assert taken_back(off, now) == {"back": 3} and key.labelled.count() == 3
    assert taken_back(added, now) == {"back": 2, "same": 1}
    assert [row.record for row in key.labelled.all()] == [three[0]]  # it had it before
    delete_label(key, by=administrator)
    off.refresh_from_db()
    assert off.label is None and off.said == "Key"


def test_deals_move_as_far_as_their_pipeline_is_open(make, ines, administrator, account, now):
    _new, proposal, *_rest = stages_of(account, "deal")
    deals = [make("deal", name=f"Deal {number}") for number in range(3)]
    move_to_stage(deals[0], proposal, by=ines)
    change, said = do(Wish(What.STAGE, stage=proposal), deals, ines, now)
    assert said == {"done": 2, "same": 1}
    write_access(proposal.pipeline, Pipeline.Everyone.SEE, [(administrator, True)], by=administrator)
    assert choose(ines, RecordFilter("deal")) == many.Chosen((), only_seen=3, is_cut=False)
    assert do(Wish(What.STAGE, stage=proposal), deals, ines, now)[1] == {"refused": 3}
    assert taken_back(change, now) == {"stays": 2, "same": 1}
    with pytest.raises(ValueError, match="none of a contact"):
        begin(Wish(What.STAGE, stage=proposal), [make().pk], kind="contact", by=ines)
    with pytest.raises(ValueError, match="none of a deal"):
        begin(Wish(What.STAGE, stage=first_stage(account, "lead")), [deals[0].pk], kind="deal", by=ines)


def test_into_the_bin_and_back_with_their_letters(three, ines, administrator, now):
    """R8"""
    alone, shared = activity_at(three[0]), activity_at(three[0], three[1])
    kept = activity_at(three[0], three[2])
    told = consequences([three[0].pk, three[1].pk])
    assert (told.going, told.staying, told.notes) == (2, 1, 0)
    delete(three[2], by=ines, now=now)
    restore(three[2], by=ines, now=now)
    change, said = do(Wish(What.BIN), three[:2], ines, now)
    assert said == {"done": 2} and not Record.objects.present().filter(pk__in=[each.pk for each in three[:2]]).exists()
    for letter, is_there in ((alone, False), (shared, False), (kept, True)):
        letter.refresh_from_db()
        assert (letter.deleted_at is None) is is_there
    restore(three[0], by=administrator, now=now)
    delete(three[0], by=administrator, now=now)  # that is another's wish
    assert taken_back(change, now) == {"back": 1, "stays": 1}
    assert not Record.objects.present().filter(pk=three[0].pk).exists()


def test_a_crash_goes_on_from_there_and_nothing_is_done_twice(three, ines, jonas, now):
    change = begin(Wish(What.RESPONSIBLE, responsible=jonas), [each.pk for each in three], kind="contact", by=ines)
    interrupt("crm_many.before_commit", 2)
    with pytest.raises(Crashed):
        work(change.pk, now=now)
    assert became(change)["done"] == 1 and people(three) == {ines, jonas}
    assert all_done(change, now) == {"done": 3} and people(three) == {jonas}
    assert Event.objects.filter(kind="record.changed").count() == 3


def test_taken_back_before_it_is_done_the_rest_is_left_alone(three, administrator, ines, jonas, now, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 2)
    keys = [each.pk for each in three]
    change = begin(Wish(What.RESPONSIBLE, responsible=jonas), keys, kind="contact", by=administrator)
    assert work(change.pk, now=now)
    assert taken_back(change, now) == {"back": 2, "": 1} and people(three) == {ines} and change.is_over


def test_a_worker_that_did_not_hear_that_it_was_taken_back_does_no_more(three, administrator, ines, jonas, now):
    keys = [each.pk for each in three]
    change = begin(Wish(What.RESPONSIBLE, responsible=jonas), keys, kind="contact", by=administrator)
    assert taken_back(ChangeOfMany.objects.get(pk=change.pk), now) == {"": 3}
    many._one(change, change.rows.earliest("pk").pk, is_back=False, now=now)
    assert became(change)[""] == 3 and people(three) == {ines}


def test_nothing_to_do_is_refused(three, ines):
    for wish, keys in ((Wish(What.BIN), []), (Wish(What.RESPONSIBLE), [three[0].pk]), (Wish(What.UNLABEL), [1])):
        with pytest.raises(NotSo):
            begin(wish, keys, kind="contact", by=ines)
    assert make_label(ines.account, "Key") and not ChangeOfMany.objects.exists()


def test_after_thirty_days_it_is_forgotten_and_what_it_did_stays(three, ines, jonas, stranger, now):
    change, _said = do(Wish(What.RESPONSIBLE, responsible=jonas), three, ines, now)
    assert [*ChangeOfMany.objects.visible_to(ines)] == [change] == [*ChangeOfMany.objects.editable_by(ines)]
    assert not ChangeOfMany.objects.visible_to(jonas) and not ChangeOfMany.objects.visible_to(stranger)
    assert forget_old(now=change.at + timedelta(days=29)) == 0
    assert forget_old(now=change.at + timedelta(days=30)) == 1 and people(three) == {jonas}
