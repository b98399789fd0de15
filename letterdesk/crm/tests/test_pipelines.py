"""Pipelines: made and changed by administrators, seen and used by whom they are for, deleted only when moved out of."""

from dataclasses import replace
from datetime import timedelta

import pytest

from letterdesk.accounts.models import Department
from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.activities.bin import delete_activity, stays_elsewhere
from letterdesk.crm.linking.by_hand import stand_at
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, EmailAddress, Note, Pipeline, Record, Scope, Stage, Unlinked
from letterdesk.crm.records.bin import delete, restore
from letterdesk.crm.records.change import ChangedMeanwhile, change, move_to_stage
from letterdesk.crm.records.export import HEAD, exported, table_of
from letterdesk.crm.records.fields import BadRecord, fields_of
from letterdesk.crm.records.lists import RecordFilter, all_of, board_of
from letterdesk.crm.records.notes import Said, write
from letterdesk.crm.records.pipelines import (
    BadPipeline,
    StageSaid,
    delete_pipeline,
    delete_stage,
    make_pipeline,
    move_up,
    rename_pipeline,
    write_access,
    write_stages,
)
from letterdesk.crm.records.qualify import qualify
from letterdesk.crm.records.stages import first_stage, may_change, stages_for, stages_of
from letterdesk.crm.saving import change_sight
from letterdesk.crm.writing.write import check
from letterdesk.events.models import Event
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.models import Draft

from .conftest import activity_at, from_amara

Everyone = Pipeline.Everyone


@pytest.fixture
def pipelines(account, administrator):
    """The first one, and another."""
    return first_stage(account, "deal").pipeline, make_pipeline("Renewals", by=administrator)


def names(pipeline):
    return list(Stage.objects.filter(pipeline=pipeline).order_by("position").values_list("name", flat=True))


def test_another_one_has_stages_of_its_own_and_new_deals_begin_in_the_first(pipelines, make, administrator, account):
    first, second = pipelines
    assert names(first) == names(second) and len(names(second)) == 5
    assert make("deal", "Roof").stage.pipeline == first
    move_up(second, by=administrator)
    assert make("deal", "Cellar").stage.pipeline == second == stages_of(account, "deal")[0].pipeline
    with pytest.raises(BadPipeline, match="already"):
        make_pipeline("RENEWALS", by=administrator)
    with pytest.raises(BadPipeline, match="1 to 100"):
        rename_pipeline(second, " ", by=administrator)
    rename_pipeline(second, "Renewal", by=administrator)
    assert set(Event.objects.filter(subject=f"pipeline:{second.public_id}").values_list("kind", flat=True)) == {
        "pipeline.created", "pipeline.changed",
    }  # fmt: skip


def test_only_administrators_of_the_account_change_them(pipelines, ines, stranger):
    _first, second = pipelines
    stage = second.stages.first()
    for person in (ines, stranger):
        for act in (
            lambda by: rename_pipeline(second, "x", by=by),
            lambda by: move_up(second, by=by),
            lambda by: write_stages(second, [StageSaid("x")], by=by),
            lambda by: delete_stage(stage, by=by),
            lambda by: delete_pipeline(second, by=by),
            lambda by: write_access(second, "", [], by=by),
        ):
            with pytest.raises(NotAllowed):
                act(person)
    with pytest.raises(NotAllowed):
        make_pipeline("x", by=ines)
    assert not Pipeline.objects.editable_by(ines).exists()
    assert not Pipeline.objects.visible_to(stranger).filter(pk=second.pk).exists()


def test_stages_are_renamed_ordered_added_and_keep_what_stands_in_them(pipelines, make, administrator):
    first, second = pipelines
    deal = make("deal", "Roof")
    new, proposal, *rest = Stage.objects.filter(pipeline=first).order_by("position")
    wanted = [StageSaid("New", "", proposal), StageSaid("Proposal", "", new), StageSaid("Parked", "")]
    write_stages(first, wanted, by=administrator)
    assert names(first) == ["New", "Proposal", "Parked", *(each.name for each in rest)]
    deal.refresh_from_db()
    assert deal.stage.name == "Proposal"
    for bad, why in (
        ([StageSaid("a"), StageSaid("A")], "same name"),
        ([StageSaid(" ")], "1 to 100"),
        ([StageSaid(each.name, "lost", each) for each in first.stages.all()], "open stage"),
    ):
        with pytest.raises(BadPipeline, match=why):
            write_stages(first, bad, by=administrator)
    with pytest.raises(ValueError, match="not of pipeline"):
        write_stages(second, [StageSaid("x", "", new)], by=administrator)


def test_a_stage_and_a_pipeline_go_only_when_what_stands_there_is_moved(pipelines, make, administrator, ines, now):
    first, second = pipelines
    shown, binned = make("deal", "Roof"), make("deal", "Cellar")
    delete(binned, by=ines, now=now)
    new, proposal = Stage.objects.filter(pipeline=first).order_by("position")[:2]
    with pytest.raises(BadPipeline, match="perhaps in the bin"):
        delete_stage(new, by=administrator)
    assert delete_stage(new, by=administrator, to=proposal) == 2
    with pytest.raises(BadPipeline, match="perhaps in the bin"):
        delete_pipeline(first, by=administrator)
    with pytest.raises(ValueError, match="no other pipeline"):
        delete_pipeline(first, by=administrator, to=proposal)
    target = second.stages.get(name="Negotiation")
    assert delete_pipeline(first, by=administrator, to=target) == 2
    restore(binned, by=ines, now=now)
    assert set(Record.objects.filter(kind="deal").values_list("stage", flat=True)) == {target.pk}
    assert Event.objects.get(kind="pipeline.deleted").facts["moved"] == 2
    with pytest.raises(BadPipeline, match="One pipeline"):
        delete_pipeline(second, by=administrator, to=target)
    for each in second.stages.exclude(pk=target.pk).filter(outcome=""):
        delete_stage(each, by=administrator)
    with pytest.raises(BadPipeline, match="open stage"):
        delete_stage(target, by=administrator, to=second.stages.get(outcome="won"))
    shown.refresh_from_db()
    assert shown.stage == target


@pytest.fixture
def deal(pipelines, make, ines, now):
    """A deal of Ines in the second pipeline, with a letter, a note and (a lead's would be) an address."""
    made = make("deal", "Roof", stage=pipelines[1].stages.get(name="New"))
    activity_at(made, at=now)
    write(made, Said("x"), by=ines, now=now)
    EmailAddress.objects.create(account=made.account, record=made, email="a@x.example", key="a@x.example")
    return made


def sees(person, deal):
    """What of it the person sees, in all ways there are; they agree."""
    ways = {
        Record.objects.visible_to(person).filter(pk=deal.pk).exists(),
        Note.objects.visible_to(person).filter(record=deal).exists(),
        EmailAddress.objects.visible_to(person).filter(record=deal).exists(),
        Activity.objects.visible_to(person).filter(bindings__record=deal).exists(),
        all_of(person, RecordFilter("deal")).filter(pk=deal.pk).exists(),
        deal.stage in stages_for(person, "deal"),
    }
    assert len(ways) == 1
    return ways.pop()


def changes(person, deal):
    ways = {
        Record.objects.editable_by(person).filter(pk=deal.pk).exists(),
        EmailAddress.objects.editable_by(person).filter(record=deal).exists(),
        Activity.objects.editable_by(person).filter(bindings__record=deal).exists(),
        sees(person, deal) and may_change(deal, person),
        sees(person, deal) and deal.stage in stages_for(person, "deal", to_change=True),
    }
    assert len(ways) == 1
    return ways.pop()


def test_a_pipeline_is_for_everyone_or_for_whom_was_chosen(pipelines, deal, ines, jonas, administrator, account):
    """On top of the sight that a role has: one needs both."""
    second = pipelines[1]
    change_sight("employee", Scope.ALL, by=administrator)
    people = (ines, jonas, administrator)

    def rights():
        return "".join("c" if changes(each, deal) else "s" if sees(each, deal) else "-" for each in people)

    assert rights() == "ccc"
    write_access(second, Everyone.SEE, [(jonas, True)], by=administrator)
    assert rights() == "scs"
    with pytest.raises(ChangedMeanwhile):  # the page was opened before
        move_to_stage(deal, second.stages.last(), by=ines)
    assert not Note.objects.editable_by(ines).exists()  # her own, at a deal that she may not change
    write_access(second, Everyone.NOTHING, [(jonas, True), (ines, False)], by=administrator)
    assert rights() == "sc-"
    sales = Department.objects.create(account=account, name="Sales")
    jonas.department = sales
    jonas.save(update_fields=["department"])
    write_access(second, Everyone.NOTHING, [(sales, True)], by=administrator)
    assert rights() == "-c-"
    assert [stage.pipeline for stage in stages_for(ines, "deal")] == [pipelines[0]] * 5
    change_sight("employee", Scope.OWN, by=administrator)
    assert not Record.objects.visible_to(jonas).filter(pk=deal.pk).exists()
    with pytest.raises(BadPipeline, match="Choose at least one"):
        write_access(second, Everyone.NOTHING, [(jonas, False)], by=administrator)
    assert second.grants.get().department == sales


def test_a_letter_stays_where_one_may_change_nothing(pipelines, deal, make, jonas, ines, administrator, now):
    """R8: whoever may change another of its records takes it away from that, and from nothing else."""
    letter, contact = Activity.objects.get(), make()
    stand_at(letter, contact, by=ines, now=now)
    write_access(pipelines[1], Everyone.SEE, [(jonas, True)], by=administrator)
    assert stays_elsewhere(letter, ines) and not delete_activity(letter, by=ines, now=now)
    assert list(Activity.objects.present().get().bindings.values_list("record", flat=True)) == [deal.pk]
    assert Unlinked.objects.get().record == contact
    assert not Activity.objects.editable_by(ines).exists()
    write_access(pipelines[1], Everyone.CHANGE, [], by=administrator)
    assert not stays_elsewhere(letter, ines) and delete_activity(letter, by=ines, now=now)
    write_access(pipelines[1], Everyone.SEE, [(jonas, True)], by=administrator)
    assert Activity.objects.visible_to(ines).in_bin(now).exists()
    assert not Activity.objects.editable_by(ines).exists()


def test_won_and_lost_deals_stay_so_when_their_pipeline_goes(pipelines, make, administrator):
    first, second = pipelines
    deals = {
        outcome: make("deal", f"Deal {outcome}", stage=first.stages.filter(outcome=outcome).first())
        for outcome in ("", "won", "lost")
    }
    target = second.stages.get(name="Proposal")
    with pytest.raises(ValueError, match="not open"):
        delete_pipeline(first, by=administrator, to=second.stages.get(outcome="won"))
    delete_stage(second.stages.get(outcome="lost"), by=administrator)
    with pytest.raises(BadPipeline, match="no stage for won or for lost"):
        delete_pipeline(first, by=administrator, to=target)
    write_stages(second, [StageSaid("Missed", "lost")], by=administrator)
    assert delete_pipeline(first, by=administrator, to=target) == 3
    for outcome, deal in deals.items():
        deal.refresh_from_db()
        assert (deal.stage.pipeline, deal.stage.outcome) == (second, outcome)
    assert deals[""].stage == target
    facts = Event.objects.get(kind="pipeline.deleted").facts
    assert [facts[name] for name in ("moved", "open", "won", "lost")] == [3, 1, 1, 1]


def test_leads_keep_a_stage_for_won_ones_and_are_qualified_once(account, make, administrator, ines, now):
    lead, leads = make("lead", "Amara"), first_stage(account, "lead").pipeline
    won = leads.stages.get(outcome="won")
    with pytest.raises(BadPipeline, match="won leads has to stay"):
        delete_stage(won, by=administrator)
    with pytest.raises(BadPipeline, match="won leads has to stay"):
        write_stages(leads, [StageSaid("Qualified", "lost", won)], by=administrator)
    qualify(lead, by=ines, now=now)
    move_to_stage(lead, first_stage(account, "lead"), by=ines)
    with pytest.raises(BadRecord, match="not qualified yet"):
        qualify(lead, by=ines, now=now)


def test_two_at_once_are_told_so(pipelines, make, administrator, ines, monkeypatch, account):
    first, second = pipelines
    deal, gone = make("deal", "Roof"), second.stages.get(name="Proposal")
    delete_stage(second.stages.get(pk=gone.pk), by=administrator)
    with pytest.raises(ChangedMeanwhile):
        move_to_stage(deal, gone, by=ines)
    with pytest.raises(ChangedMeanwhile):
        change(deal, replace(fields_of(deal), stage=gone), by=ines)
    with pytest.raises(BadRecord, match="deleted meanwhile"):
        make("deal", "Cellar", stage=gone)
    monkeypatch.setattr(
        "letterdesk.crm.records.pipelines.lock", lambda _pk: Pipeline.objects.filter(pk=first.pk).update(name="Upkeep")
    )
    with pytest.raises(BadPipeline, match="already"):
        rename_pipeline(second, "Upkeep", by=administrator)


def test_who_may_only_look_writes_no_letter_there(pipelines, deal, ines, jonas, administrator):
    write_access(pipelines[1], Everyone.SEE, [(jonas, True)], by=administrator)
    with pytest.raises(CannotSend, match="write no letter there"):
        check(Draft(account=deal.account, about=deal.reference, author=ines), by=ines)


def test_another_accounts_people_are_never_chosen(pipelines, stranger, administrator):
    with pytest.raises(ValueError, match="another account"):
        write_access(pipelines[1], Everyone.NOTHING, [(stranger, True)], by=administrator)


def test_a_person_begins_deals_where_they_may_and_letterdesk_in_the_first(pipelines, make, ines, jonas, administrator):
    first, second = pipelines
    write_access(first, Everyone.SEE, [(jonas, True)], by=administrator)
    assert make("deal", "Roof").stage.pipeline == second
    write_access(second, Everyone.NOTHING, [(jonas, True)], by=administrator)
    with pytest.raises(BadRecord, match="No pipeline is open"):
        make("deal", "Cellar")


def test_letters_go_to_the_deal_that_was_active_last_in_whatever_pipeline(pipelines, amara, make, come, ines, now):
    _first, second = pipelines
    make("deal", "Roof", contact=amara, at=now - timedelta(days=2))
    renewal = make("deal", "Renewal", contact=amara, stage=second.stages.get(name="New"), at=now - timedelta(days=1))
    come(from_amara("Hello"))
    assert Activity.objects.get().bindings.filter(record=renewal).exists()
    move_to_stage(renewal, second.stages.get(outcome="won"), by=ines)
    come(from_amara("Again"))
    roof = Record.objects.get(name="Roof")
    assert Activity.objects.get(subject="Again").bindings.filter(record=roof).exists()
    link_new(Activity.objects.first().copies.get().mailbox, now=now)
    move_to_stage(roof, second.stages.get(name="Proposal"), by=ines)
    roof.refresh_from_db()
    assert roof.stage.pipeline == second


def test_a_list_a_board_and_a_file_know_the_pipeline(pipelines, deal, make, ines):
    _first, second = pipelines
    make("deal", "Cellar")
    wanted = RecordFilter("deal", pipeline=second.public_id)
    assert list(all_of(ines, wanted)) == [deal] == board_of(ines, wanted, most=5)
    row = table_of(exported(ines, all_of(ines, wanted)))[0]
    assert (row[HEAD.index("pipeline")], row[HEAD.index("stage")]) == ("Renewals", "New")
