"""CRM beside mail: where a letter stands, and who its people are, as far as the reader may see it (ux.md 1.6)."""

import pytest

from letterdesk.crm.models import Record
from letterdesk.crm.records.pipelines import write_access
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mailboxes.models import Message
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_records import asked, text_of


@pytest.fixture
def letter(deliver):
    return deliver(raw_letter("Offer", Cc="Jonas <jonas@acme.example>, Ewa <ewa@lis.example>"))[0]


@pytest.fixture
def contact(ines):
    company = record_of(ines, "Okafor Studio", kind="company")
    return record_of(ines, "Amara Okafor", "Amara@Okafor.example", company=company, position="Buyer")


def in_crm(letter, *records):
    activity_at(*records, letter=letter)
    Message.objects.filter(pk=letter.pk).update(in_crm=True)


def test_a_letter_says_where_it_stands_and_hides_what_one_may_not_see(browser, inbox, letter, contact, jonas):
    """R6"""
    address = f"/mail/{inbox.public_id}/{letter.conversation.public_id}"
    assert "In CRM:" not in text_of(browser.get(address))
    in_crm(letter, contact, record_of(jonas, "Secret Holding", kind="company"))
    page = text_of(browser.get(address))
    assert "In CRM: Amara Okafor The address is known 1 record you cannot view" in page
    assert "Secret" not in page


def test_the_conversation_asks_nothing_more_where_nothing_is_in_crm(browser, inbox, letter, contact):
    address = f"/mail/{inbox.public_id}/{letter.conversation.public_id}"
    without = asked(browser, address)
    in_crm(letter, contact)
    assert asked(browser, address) - without <= 3


def panel(browser, letter):
    return browser.get(f"/conversations/{letter.conversation.public_id}/crm")


def test_the_panel_names_who_is_known_their_deals_and_letters(browser, letter, contact, ines, account):
    stage = stages_of(account, "deal")[1]
    record_of(ines, "40 seats", kind="deal", contact=contact, stage=stage)
    record_of(ines, "Old one", kind="deal", contact=contact, stage=stages_of(account, "deal")[-1])
    activity_at(contact, subject="Order 1177")
    page = text_of(panel(browser, letter))
    for said in ("Amara Okafor", "Buyer", "Okafor Studio", "40 seats", "Proposal", "Order 1177"):
        assert said in page
    assert "Old one" not in page


def test_who_is_not_known_can_be_made_a_contact_or_a_lead(browser, letter, contact):
    page = panel(browser, letter).content.decode()
    assert "/crm/contacts/new?name=Ewa&amp;address=ewa%40lis.example" in page
    assert "/crm/leads/new?name=Ewa" in page
    assert "name=Amara" not in page


def test_a_deal_that_is_made_beside_a_letter_has_the_letter(browser, sign_in, letter, contact, ines, jonas, account):
    """The letter is linked for who may act in its mailbox, and for nobody else."""
    at = f"/crm/deals/new?contact={contact.public_id}&letter={letter.public_id}"
    assert f'href="{at}&next='.replace("&", "&amp;") in panel(browser, letter).content.decode()
    form = {"name": "40 seats", "contact": "Amara Okafor", "stage": stages_of(account, "deal")[0].public_id}
    sign_in(jonas).post(at, form | {"responsible": jonas.public_id})
    browser.post(at, form | {"responsible": ines.public_id})
    deal, other = Record.objects.filter(kind="deal").order_by("-pk")
    assert (deal.bindings.get().activity.subject, other.bindings.count()) == ("Offer", 0)


def test_colleagues_and_own_mailboxes_are_nobody_there(browser, deliver, ines):
    letter = deliver(raw_letter("Lunch?", sender=f"Ines <{ines.email}>"))[0]
    assert "All in this conversation are colleagues" in text_of(panel(browser, letter))


def test_what_is_kept_is_a_number_and_what_is_not_says_why(browser, letter, contact):
    page = text_of(panel(browser, letter))
    assert "1 letter is not. Why?" in page and "kept in CRM." not in page
    at = f"/conversations/{letter.conversation.public_id}/crm/reasons"
    assert "About to be saved. Keep it in CRM" in text_of(browser.get(at))
    assert browser.get(at, headers={"hx-request": "true"}).content.strip().startswith(b"<p")
    in_crm(letter, contact)
    page = text_of(panel(browser, letter))
    assert "1 letter is kept in CRM." in page and "Why?" not in page
    assert "All letters of this conversation are kept" in text_of(browser.get(at))


def test_a_record_that_one_may_not_see_is_a_number(browser, letter, jonas):
    record_of(jonas, "Secret", "amara@okafor.example")
    page = text_of(panel(browser, letter))
    assert "1 record you cannot view" in page and "Secret" not in page


def test_a_stage_is_changed_in_place(browser, letter, contact, ines, account):
    deal = record_of(ines, "40 seats", kind="deal", contact=contact, stage=stages_of(account, "deal")[0])
    wanted = stages_of(account, "deal")[2]
    answer = browser.post(f"/crm/records/{deal.public_id}/stage", {"stage": wanted.public_id, "next": "/mail"})
    assert answer["Location"] == "/mail"
    assert Record.objects.get(pk=deal.pk).stage == wanted


def test_a_deal_at_which_one_may_only_look_says_its_stage_alone(browser, letter, contact, ines, people, account):
    deal = record_of(ines, "40 seats", kind="deal", contact=contact, stage=stages_of(account, "deal")[1])
    boss = people["administrator"]
    write_access(deal.stage.pipeline, "see", [(boss, True)], by=boss)
    page = browser.get(f"/conversations/{letter.conversation.public_id}/crm")
    assert "Proposal" in text_of(page) and f"{deal.public_id}/stage" not in page.content.decode()


def test_it_is_remembered_that_it_opens_by_itself(browser, inbox, letter, ines):
    address = f"/mail/{inbox.public_id}/{letter.conversation.public_id}"
    assert 'class="crm-panel" hx-get' in browser.get(address).content.decode()
    browser.post(f"/conversations/{letter.conversation.public_id}/crm", {"show": "always", "next": address})
    assert 'class="crm-panel" open' in browser.get(address).content.decode()
    browser.post(f"/conversations/{letter.conversation.public_id}/crm", {"show": "asked", "next": address})
    assert 'class="crm-panel" open' not in browser.get(address).content.decode()


def test_the_panel_asks_the_same_however_much_there_is(browser, letter, contact, ines, account):
    stage = stages_of(account, "deal")[0]
    record_of(ines, "Another Amara", "amara@okafor.example")
    numbers = []
    for number in range(5):
        activity_at(contact, record_of(ines, f"Deal {number}", kind="deal", contact=contact, stage=stage))
        numbers.append(asked(browser, f"/conversations/{letter.conversation.public_id}/crm", hx_request="true"))
    in_crm(letter, contact)
    numbers.append(asked(browser, f"/conversations/{letter.conversation.public_id}/crm", hx_request="true"))
    assert numbers[:-1] == [numbers[0]] * 5
    assert numbers[-1] <= 15
