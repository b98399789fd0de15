"""Pipelines on the pages: kept in order by administrators, chosen in lists, boards and at a deal, closed to others."""

import pytest
from django.utils import timezone

from letterdesk.crm.models import Activity, Pipeline, PipelineGrant, Record
from letterdesk.crm.records.pipelines import make_pipeline, write_access
from letterdesk.crm.records.stages import first_stage
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.outbound.models import Draft
from letterdesk.web.tests.test_records import asked, names, text_of


@pytest.fixture
def administrator(people):
    return people["administrator"]


@pytest.fixture
def first(account):
    return first_stage(account, "deal").pipeline


@pytest.fixture
def renewals(administrator, first):
    return make_pipeline("Renewals", by=administrator)


def stage(pipeline, name="New"):
    return pipeline.stages.get(name=name)


def test_an_administrator_makes_one_and_changes_it_on_plain_forms(sign_in, administrator, first, ines):
    browser = sign_in(administrator)
    at = browser.post("/settings/crm/pipelines", {"name": "Renewals"})["Location"]
    made = Pipeline.objects.get(name="Renewals")
    assert at == f"/settings/crm/pipelines/{made.public_id}" and "Renewals" in text_of(browser.get("/settings/crm"))
    form = {"change": "stages", "name-new": "Parked", "order-new": "1", "outcome-new": ""}
    form |= {f"name-{stage(made).public_id}": "Fresh", f"order-{stage(made).public_id}": "2"}
    browser.post(at, form)
    order = list(made.stages.order_by("position").values_list("name", flat=True))
    assert order[:2] == ["Parked", "Fresh"] and len(order) == 6
    assert "same name" in text_of(browser.post(at, {"change": "stages", "name-new": "parked"}, follow=True))
    browser.post(at, {"change": "name", "name": "Renewal"})
    browser.post(at, {"change": "up"})
    assert "new ones begin here" in text_of(browser.get(at)) and "Renewal" in text_of(browser.get(at))
    browser.post(at, {"change": "access", "everyone": "see", f"employee-{ines.public_id}": "change"})
    assert PipelineGrant.objects.get().employee == ines
    assert 'value="change" selected' in browser.get(at).content.decode()
    assert "at least one" in text_of(browser.post(at, {"change": "access", "everyone": ""}, follow=True))
    for wrong in ({"change": "x"}, {"change": "access", "everyone": "x"}, {"change": "stage-removal", "stage": "x"}):
        assert browser.post(at, wrong).status_code == 404


def test_a_stage_and_a_pipeline_are_deleted_by_moving_what_stands_there(sign_in, administrator, first, renewals, ines):
    browser = sign_in(administrator)
    deal = record_of(ines, "Roof", kind="deal", stage=stage(renewals))
    at = f"/settings/crm/pipelines/{renewals.public_id}"
    gone, to = stage(renewals).public_id, stage(renewals, "Proposal").public_id
    same = text_of(browser.post(at, {"change": "stage-removal", "stage": gone, "to": gone}, follow=True))
    assert "Say to which stage" in same
    assert "1 was moved" in text_of(browser.post(at, {"change": "stage-removal", "stage": gone, "to": to}, follow=True))
    assert "Say to which stage" in text_of(browser.post(at, {"change": "removal", "to": "x"}, follow=True))
    browser.post(at, {"change": "removal", "to": stage(first).public_id})
    deal.refresh_from_db()
    assert deal.stage == stage(first) and not Pipeline.objects.filter(pk=renewals.pk).exists()


def test_list_board_and_file_are_of_one_pipeline_and_a_deal_moves_to_another(browser, first, renewals, ines):
    deal = record_of(ines, "Roof", kind="deal", stage=stage(first))
    record_of(ines, "Renewal 2027", kind="deal", stage=stage(renewals))
    assert names(browser.get(f"/crm/deals?pipeline={renewals.public_id}")) == ["Renewal 2027"]
    board = text_of(browser.get("/crm/deals?view=board"))
    assert "Roof" in board and "Renewal 2027" not in board
    other = text_of(browser.get(f"/crm/deals?view=board&pipeline={renewals.public_id}"))
    assert "Roof" not in other and "Renewal 2027" in other
    assert "Renewals" in browser.get(f"/crm/deals/export?pipeline={renewals.public_id}").content.decode()
    at = f"/crm/records/{deal.public_id}"
    assert '<optgroup label="Renewals">' in browser.get(at).content.decode()
    browser.post(f"{at}/stage", {"stage": stage(renewals, "Proposal").public_id})
    deal.refresh_from_db()
    assert deal.stage.pipeline == renewals


def test_who_may_only_look_changes_nothing(browser, administrator, first, renewals, ines):
    deal = record_of(ines, "Roof", kind="deal", stage=stage(renewals))
    write_access(renewals, "see", [(administrator, True)], by=administrator)
    at = f"/crm/records/{deal.public_id}"
    page = browser.get(at)
    assert "You may look at" in text_of(page)
    assert 'id="pipelines"' in (settings := browser.get("/settings/crm").content.decode()) and "Renewals" in settings
    for way in ("/stage", "/notes", "/labels", "/letters", "/merging", "/deletion"):
        assert f"{at}{way}" not in page.content.decode()
        assert browser.post(f"{at}{way}", {"stage": stage(first).public_id, "text": "x"}).status_code == 404
    assert browser.post(at, {"name": "x"}).status_code == 404
    board = browser.get(f"/crm/deals?view=board&pipeline={renewals.public_id}").content.decode()
    assert "Roof" in board and "data-card " not in board and f"{at}/stage" not in board
    Record.objects.update(deleted_at=timezone.now(), deleted_by=ines)
    binned = browser.get(at).content.decode()
    assert "In the bin" in binned and f"{at}/restoration" not in binned and f"{at}/purging" not in binned
    theirs = record_of(ines, "Cellar", kind="deal", stage=stage(first))
    moved = browser.post(f"/crm/records/{theirs.public_id}/stage", {"stage": stage(renewals).public_id})
    assert moved.status_code == 404
    assert "Renewals" not in text_of(browser.get("/crm/deals/new"))


def test_who_may_only_look_leaves_the_letters_there_alone(browser, administrator, renewals, ines):
    deal = record_of(ines, "Roof", kind="deal", stage=stage(renewals))
    letter, contact = activity_at(deal), record_of(ines)
    write_access(renewals, "see", [(administrator, True)], by=administrator)
    at = f"/crm/activities/{letter.public_id}"
    ways = ("/deletion", "/places", "/answers")
    assert not [way for way in ways if f"{at}{way}" in browser.get(at).content.decode()]
    for way in ("/deletion", "/places"):
        assert browser.post(f"{at}{way}", {"change": "add", "record": contact.public_id}).status_code == 404
    assert browser.get(f"{at}/places?q=Roof").status_code == 404
    browser.post(f"{at}/answers", {"record": deal.public_id})
    assert not Draft.objects.exists()
    both = activity_at(deal, contact)
    at = f"/crm/activities/{both.public_id}"
    assert not [way for way in ways if f"{at}{way}" not in browser.get(at).content.decode()]
    places = browser.get(f"{at}/places")
    assert "change nothing" in text_of(places)
    assert f'value="{deal.public_id}"' not in places.content.decode()  # neither to take away from, nor to add to
    assert "taken away from your records alone" in text_of(browser.get(f"{at}/deletion"))
    browser.post(f"{at}/deletion")
    assert list(Activity.objects.present().get(pk=both.pk).bindings.values_list("record", flat=True)) == [deal.pk]
    Activity.objects.update(deleted_at=timezone.now())
    assert f"{at}/restoration" not in browser.get(at).content.decode()
    assert browser.post(f"{at}/restoration").status_code == 404


def test_what_is_closed_is_nowhere(browser, administrator, first, renewals, ines):
    deal = record_of(ines, "Roof", kind="deal", stage=stage(renewals))
    record_of(ines, "Cellar", kind="deal", stage=stage(first))
    write_access(renewals, "", [(administrator, True)], by=administrator)
    assert "Renewals" not in text_of(browser.get("/settings/crm"))
    assert names(browser.get("/crm/deals")) == ["Cellar"]
    assert "Renewals" not in text_of(browser.get("/crm/deals"))
    for address in (f"/crm/records/{deal.public_id}", f"/crm/records/{deal.public_id}/deletion"):
        assert browser.get(address).status_code == 404
    assert "Roof" not in browser.get(f"/crm/deals?view=board&pipeline={renewals.public_id}").content.decode()
    write_access(first, "", [(administrator, True)], by=administrator)
    assert "Roof" not in browser.get("/crm/deals?view=board").content.decode()
    assert browser.post("/crm/deals/new", {"name": "x", "responsible": ines.public_id}).status_code == 422
    assert Record.objects.count() == 2


def test_lists_and_pages_ask_the_same_however_many_pipelines_there_are(browser, administrator, first, ines):
    deal = record_of(ines, "Roof", kind="deal", stage=stage(first))
    pages = ("/crm/deals", "/crm/deals?view=board", f"/crm/records/{deal.public_id}")
    few = [asked(browser, page) for page in pages]
    for number in range(5):
        made = make_pipeline(f"Pipeline {number}", by=administrator)
        record_of(ines, f"Deal {number}", kind="deal", stage=stage(made))
    assert [asked(browser, page) for page in pages] == few
    assert max(few) <= 26
