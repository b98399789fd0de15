"""A second pipeline: a deal is moved into it, and who may only look finds nothing to change there."""

import re

from playwright.sync_api import expect

from .conftest import sign_in
from .test_correcting import make
from .test_together import join

RITA, TOM = "rita@roofs.example", "tom@roofs.example"
LOOKING = "You may look at what is in the pipeline Partners, and not change it."


def test_a_deal_goes_to_another_pipeline_where_a_colleague_may_only_look(signed_in, open_page, house, axe):
    house.open_account("Roofs", RITA, "Rita Roth")
    join(open_page(), house, TOM, "Tom Berg", by=RITA)
    page = signed_in(RITA)
    make(page, "deals", Name="Forty seats")
    page.get_by_text("Change", exact=True).click()
    page.get_by_label("Responsible").select_option(label="Tom Berg")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    deal = page.url

    page.goto("/settings/crm")
    page.get_by_role("textbox", name="New pipeline of deals").fill("Partners")
    page.get_by_role("button", name="Make a pipeline").click()
    expect(page.get_by_role("heading", name="Partners", exact=True)).to_be_visible()
    axe(page)
    page.get_by_label("Everyone sees what is in it, those who are chosen change it").check()
    page.get_by_label("Rita Roth").select_option(label="sees and changes")
    page.locator(".card", has_text="Who is chosen").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    page.goto(deal)
    stage = page.get_by_role("region", name="What is known").get_by_label("Stage")
    partners = stage.locator("optgroup[label=Partners] option").first.get_attribute("value")
    stage.select_option(partners)
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".crm-stage optgroup[label=Partners] option[selected]")).to_have_count(1)
    axe(page)
    page.goto("/crm/deals")
    page.get_by_label("Pipeline").select_option(label="Partners")
    expect(page.get_by_role("link", name="Forty seats")).to_be_visible()

    theirs = open_page()
    sign_in(theirs, TOM, at=house.address)
    theirs.goto(deal)
    expect(theirs.get_by_text(LOOKING)).to_be_visible()
    expect(theirs.get_by_role("button", name="Move")).to_have_count(0)
    expect(theirs.get_by_role("link", name=re.compile("Delete"))).to_have_count(0)
    axe(theirs)
