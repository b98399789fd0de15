"""What is saved to CRM by itself, what never, and who sees how much: set by plain forms, by who may."""

import pytest

from letterdesk.accounts.models import Department, Role
from letterdesk.crm.models import Exclusion, MailboxSaving, Pipeline
from letterdesk.crm.records.stages import first_stage
from letterdesk.crm.tests.seeding import record_of
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.web.tests.test_records import names, text_of


@pytest.fixture
def administrator(account, sign_in):
    return sign_in(employ(account, "Maria", Role.ADMINISTRATOR))


def test_the_owner_sets_what_of_a_mailbox_is_saved(browser, mailbox, jonas):
    """R5, R28"""
    page = browser.get(f"/mailboxes/{mailbox.public_id}")
    assert 'name="known" value="yes" checked' in page.content.decode()
    wanted = {"unknown_incoming": "lead", "unknown_outgoing": "nothing", "responsible": jonas.public_id}
    wanted |= {"returning": "deal", "came_from": "Trade fair", "reads_cards": "yes"}
    browser.post(f"/mailboxes/{mailbox.public_id}/saving", wanted)
    kept = MailboxSaving.objects.get()
    assert (kept.known, kept.unknown_incoming, kept.unknown_outgoing) == (False, "lead", "nothing")
    assert (kept.returning, kept.came_from, kept.reads_cards) == ("deal", "Trade fair", True)
    assert [turn.employee for turn in kept.turns.all()] == [jonas]
    page = browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    assert 'value="lead" selected' in page and 'name="known" value="yes" checked' not in page
    assert browser.post(f"/mailboxes/{mailbox.public_id}/saving", {"unknown_incoming": "all"}).status_code == 404


def test_a_stranger_is_never_made_responsible(browser, mailbox, stranger):
    wanted = {"known": "yes", "responsible": stranger.public_id}
    assert browser.post(f"/mailboxes/{mailbox.public_id}/saving", wanted).status_code == 404
    assert not MailboxSaving.objects.exists()


def test_the_owner_names_a_pipeline_of_deals_among_those_in_sight(browser, mailbox, account, ines):
    address, wanted = f"/mailboxes/{mailbox.public_id}/saving", {"known": "yes", "unknown_incoming": "deal"}
    first = first_stage(account, "deal").pipeline
    assert "saving-pipeline" not in browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()  # nothing to choose
    partners = Pipeline.objects.create(account=account, kind="deal", name="Partners", position=1)
    browser.post(address, {**wanted, "pipeline": partners.public_id})
    assert MailboxSaving.objects.get().pipeline == partners
    Pipeline.objects.filter(pk=partners.pk).update(everyone="")  # closed to them since
    page = browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    assert "One that you may not see" in page and "Partners" not in page
    browser.post(address, {**wanted, "pipeline": partners.public_id})  # saved as it was
    assert MailboxSaving.objects.get().pipeline == partners
    browser.post(address, {**wanted, "pipeline": first.public_id})
    assert browser.post(address, {**wanted, "pipeline": partners.public_id}).status_code == 404
    leads = first_stage(account, "lead").pipeline
    assert browser.post(address, {**wanted, "pipeline": leads.public_id}).status_code == 404
    browser.post(address, wanted)
    assert MailboxSaving.objects.get().pipeline is None


def test_how_much_a_role_sees_is_an_administrators_choice(administrator, sign_in, account, ines, jonas):
    record_of(ines, "Amara")
    sales = Department.objects.create(account=account, name="Sales")
    for person in (ines, jonas):
        person.department = sales
        person.save(update_fields=["department"])
    for scope, seen in (("all", ["Amara"]), ("own", []), ("department", ["Amara"])):
        administrator.post("/settings/crm/sights", {"employee": scope, "supervisor": "nonsense"})
        assert names(sign_in(jonas).get("/crm/contacts")) == seen


def test_the_exclusion_list_is_kept_by_administrators_and_read_by_all(administrator, browser):
    administrator.post("/settings/crm/exclusions", {"pattern": "News.example", "comment": "Newsletters"})
    made = Exclusion.objects.get()
    assert (made.pattern, made.comment) == ("@news.example", "Newsletters")
    page = browser.get("/settings/crm")
    assert "@news.example" in text_of(page) and "Take off the list" not in text_of(page)
    assert "Write an address" in text_of(administrator.post("/settings/crm/exclusions", {"pattern": "*"}, follow=True))
    administrator.post(f"/settings/crm/exclusions/{made.public_id}")
    assert not Exclusion.objects.exists()
