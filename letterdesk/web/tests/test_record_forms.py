"""Records are made, changed, moved and qualified by plain forms; what a colleague wrote meanwhile is told (W6)."""

import re

import pytest

from letterdesk.crm.models import Binding, Record
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.web.tests.test_records import text_of


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


@pytest.fixture
def lead(ines, account):
    return record_of(ines, "Some One", "one@x.example", kind="lead", stage=stages_of(account, "lead")[0])


def wish(person, **fields):
    return {"name": "Amara Okafor", "responsible": person.public_id} | fields


def test_a_contact_is_made_with_its_addresses_and_a_company_that_was_not_there(browser, ines):
    lists = {
        "addresses": "amara@okafor.example\r\nA.Okafor@Home.example; boss@okafor.example\n",
        "phones": "+49 30 1234567",
    }
    answer = browser.post("/crm/contacts/new", wish(ines, company="Okafor Studio", position="Buyer", **lists))
    made = Record.objects.get(kind="contact")
    assert answer["Location"] == f"/crm/records/{made.public_id}"
    assert (made.company.name, made.company.kind, made.position) == ("Okafor Studio", "company", "Buyer")
    assert [each.email for each in made.addresses.order_by("position")] == lists["addresses"].replace(";", "").split()
    browser.post("/crm/contacts/new", wish(ines, name="Second", company="okafor  studio"))
    assert Record.objects.filter(kind="company").count() == 1


@pytest.fixture
def company_out_of_sight(contact, jonas):
    Record.objects.filter(pk=contact.pk).update(company=record_of(jonas, "Secret Holding", kind="company"))


def test_what_is_refused_shows_no_company_that_the_reader_may_not_see(
    browser, ines, contact, company_out_of_sight
):  # P9
    answer = browser.post(f"/crm/records/{contact.public_id}", wish(ines, addresses="nonsense"))
    assert answer.status_code == 422
    assert "is not an e-mail address" in text_of(answer)
    assert "Secret Holding" not in answer.content.decode()


def test_who_may_not_see_the_company_saves_the_contact_all_the_same(browser, ines, contact, company_out_of_sight):
    at = f"/crm/records/{contact.public_id}"
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(f"{at}/form").content.decode())[1]
    kept = wish(ines, name="Amara O.", addresses="amara@okafor.example", seen=seen)
    assert browser.post(at, kept).status_code == 302
    contact.refresh_from_db()
    assert (contact.name, contact.company.name) == ("Amara O.", "Secret Holding")


def test_a_form_that_is_filled_from_a_letter_leads_back_to_it(browser, ines):
    page = browser.get("/crm/contacts/new?name=Amara&address=amara@okafor.example&next=/mail").content.decode()
    assert 'value="Amara"' in page and ">\namara@okafor.example</textarea>" in page
    assert browser.post("/crm/contacts/new", wish(ines, next="/mail"))["Location"] == "/mail"
    assert (
        browser.post("/crm/contacts/new", wish(ines, next="https://evil.example"))["Location"] != "https://evil.example"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"addresses": "nonsense"}, "is not an e-mail address"),
        ({"responsible": "nobody"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_the_form_and_nothing_is_made(browser, ines, fields, said):
    answer = browser.post("/crm/contacts/new", wish(ines, company="Okafor Studio") | fields)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert not Record.objects.exists()


def test_a_deal_has_amount_contact_and_stage(browser, ines, contact, account):
    stage = stages_of(account, "deal")[1]
    deal = {"name": "40 seats", "amount": "4200", "currency": "eur", "contact": "Amara Okafor"}
    browser.post("/crm/deals/new", wish(ines, stage=stage.public_id, **deal))
    made = Record.objects.get(kind="deal")
    assert (made.amount, made.currency, made.contact, made.stage) == (4200, "EUR", contact, stage)
    assert 'name="currency" value="EUR"' in browser.get("/crm/deals/new").content.decode()  # as it was last


def test_people_of_one_name_are_told_apart_by_their_address(browser, ines, account, contact):
    other = record_of(ines, "Amara Okafor", "amara@elsewhere.example")  # active later
    deal = {"name": "40 seats", "stage": stages_of(account, "deal")[0].public_id}
    page = browser.get("/crm/deals/new").content.decode()
    for address in ("amara@okafor.example", "amara@elsewhere.example"):
        assert f'<option value="Amara Okafor &lt;{address}&gt;">' in page
    for typed, meant in (("Amara Okafor <AMARA@okafor.example>", contact), ("Amara Okafor", other)):
        browser.post("/crm/deals/new", wish(ines, **deal | {"contact": typed}))
        assert Record.objects.filter(kind="deal").latest("pk").contact == meant
    browser.post("/crm/deals/new", wish(ines, **deal | {"contact": "Neo Ray <neo@ray.example>"}))
    made = Record.objects.get(name="Neo Ray")
    assert made.addresses.get().email == "neo@ray.example"


def test_who_has_the_address_already_is_named_when_it_is_entered_again(browser, sign_in, ines, contact, jonas):
    again = wish(ines, name="A. Okafor", addresses="Amara@Okafor.example")
    page = text_of(browser.post("/crm/contacts/new", again, follow=True))
    assert "Amara Okafor has the same address. Are both one? See Duplicates." in page
    theirs = again | {"responsible": jonas.public_id}
    assert "the same address" not in text_of(sign_in(jonas).post("/crm/contacts/new", theirs, follow=True))


def test_a_deal_is_begun_at_its_contact_and_at_nobody_of_the_same_name(browser, ines, jonas, account):
    company = record_of(ines, "Okafor Studio", kind="company")
    contact = record_of(ines, "Amara Okafor", company=company)
    record_of(ines, "Amara Okafor")  # active later
    at = f"/crm/deals/new?contact={contact.public_id}"
    assert f'href="{at}"' in browser.get(f"/crm/records/{contact.public_id}").content.decode()
    page = browser.get(f"/crm/records/{company.public_id}").content.decode()
    assert f'href="/crm/contacts/new?company={company.public_id}"' in page
    named = {"contact": "Amara Okafor", "company": "Okafor Studio"}
    page = browser.get(at).content.decode()
    assert all(f'value="{name}"' in page for name in named.values())
    browser.post(at, wish(ines, stage=stages_of(account, "deal")[0].public_id, **named | {"name": "40 desks"}))
    made = Record.objects.get(kind="deal")
    assert (made.contact, made.company) == (contact, company)
    hidden = record_of(jonas, "Secret Person")
    assert "Secret" not in browser.get(f"/crm/deals/new?contact={hidden.public_id}").content.decode()


def test_the_form_is_fetched_when_it_is_opened_and_a_page_of_its_own_without_a_script(browser, contact, ines):
    at = f"/crm/records/{contact.public_id}"
    page = browser.get(at).content.decode()
    assert 'name="seen"' not in page and f'hx-get="{at}/form"' in page and f'<a href="{at}/form">' in page
    alone = browser.get(f"{at}/form", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in alone and 'value="Amara Okafor"' in alone and f'action="{at}"' in alone
    whole = browser.get(f"{at}/form").content.decode()
    assert 'crm-change" open' in whole and 'value="Amara Okafor"' in whole
    Record.objects.filter(pk=contact.pk).update(deleted_at=contact.created_at, deleted_by=ines)
    assert browser.get(f"{at}/form").status_code == 404


def test_what_a_colleague_wrote_meanwhile_is_shown_before_it_is_replaced(browser, ines, contact):
    at = f"/crm/records/{contact.public_id}"
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(f"{at}/form").content.decode())[1]
    Record.objects.filter(pk=contact.pk).update(note="Call first.")
    mine = wish(ines, name="Amara O.", seen=seen)
    answer = browser.post(at, mine)
    assert answer.status_code == 409
    assert "Call first." in text_of(answer) and 'value="Amara O."' in answer.content.decode()
    again = re.search(r'name="seen" value="(\w+)"', answer.content.decode())[1]
    assert browser.post(at, mine | {"seen": again}).status_code == 302
    contact.refresh_from_db()
    assert (contact.name, contact.note) == ("Amara O.", "")


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("+49 (0)40 12-34 56", "+4940123456"),
        ("0171 / 555 44 33", "01715554433"),
        ("+1 212 555 0100 ext. 7", "+12125550100"),
    ],
)
def test_a_telephone_number_can_be_dialled(browser, ines, contact, typed, dialled):
    contact.phones.create(account=ines.account, number=typed)
    assert f'href="tel:{dialled}"' in browser.get(f"/crm/records/{contact.public_id}").content.decode()


def test_a_company_that_one_may_not_see_stays_when_the_form_is_saved(browser, ines, jonas):
    secret = record_of(jonas, "Secret Holding", kind="company")
    contact = record_of(ines, "Amara", company=secret)
    browser.post(f"/crm/records/{contact.public_id}", wish(ines, name="Amara O."))
    contact.refresh_from_db()
    assert (contact.name, contact.company) == ("Amara O.", secret)


def test_who_hands_a_record_to_somebody_else_is_led_to_the_list(browser, contact, jonas):
    answer = browser.post(f"/crm/records/{contact.public_id}", wish(jonas, addresses="amara@okafor.example"))
    assert answer["Location"] == "/crm/contacts"
    assert browser.get(f"/crm/records/{contact.public_id}").status_code == 404


def test_a_stage_is_chosen_on_the_page(browser, lead, contact, account, ines):
    wanted, others = stages_of(account, "lead")[1], stages_of(account, "deal")[0]
    at = f"/crm/records/{lead.public_id}/stage"
    browser.post(at, {"stage": wanted.public_id})
    lead.refresh_from_db()
    assert lead.stage == wanted
    assert browser.post(at, {"stage": others.public_id}).status_code == 404
    address = f"/crm/records/{contact.public_id}/stage"
    assert browser.post(address, {"stage": wanted.public_id}).status_code == 404


def test_others_neither_move_nor_qualify_it(sign_in, lead, jonas, people, account):
    wanted = stages_of(account, "lead")[1].public_id
    for who in (jonas, people["stranger"]):
        client = sign_in(who)
        assert client.post(f"/crm/records/{lead.public_id}/stage", {"stage": wanted}).status_code == 404
        assert client.post(f"/crm/records/{lead.public_id}/qualification").status_code == 404


def test_a_lead_becomes_contact_company_and_deal_and_its_letters_come_along(browser, lead):
    activity_at(lead, reason="lead")
    page = text_of(browser.get(f"/crm/records/{lead.public_id}/qualification"))
    assert "A new one: Some One" in page
    said = {"who": "new", "company": "X Ltd", "deal": "Price list"}
    browser.post(f"/crm/records/{lead.public_id}/qualification", said)
    contact, deal = Record.objects.get(kind="contact"), Record.objects.get(kind="deal")
    assert (contact.company.name, deal.contact, deal.name) == ("X Ltd", contact, "Price list")
    assert set(Binding.objects.values_list("record", flat=True)) >= {contact.pk, deal.pk}
    assert "Qualify" not in text_of(browser.get(f"/crm/records/{lead.public_id}"))


def test_a_lead_joins_a_contact_that_is_there(browser, lead, contact):
    said = {"who": "known", "contact": "Amara Okafor", "company": "", "deal": ""}
    at = f"/crm/records/{lead.public_id}/qualification"
    wrong = browser.post(at, said | {"contact": "Nobody", "deal": "Kept"})
    assert (wrong.status_code, 'value="Kept"' in wrong.content.decode()) == (422, True)
    assert "No contact that you may see has this name: “Nobody”." in text_of(wrong)
    browser.post(at, said)
    assert set(contact.addresses.values_list("key", flat=True)) == {"amara@okafor.example", "one@x.example"}
    assert Record.objects.filter(kind="contact").count() == 1


def test_a_board_has_a_column_for_each_stage_with_what_it_amounts_to(browser, ines, account):
    stages = stages_of(account, "deal")
    for amount in (1000, 200):
        record_of(ines, f"Deal of {amount}", kind="deal", stage=stages[1], amount=amount, currency="EUR")
    page = browser.get("/crm/deals?view=board")
    assert "Proposal 2 1,200 EUR Deal of 200" in text_of(page)
    assert [stage.name in text_of(page) for stage in stages] == [True] * 5
    assert "Board" not in text_of(browser.get("/crm/contacts?view=board"))


def test_a_card_never_moves_over_what_a_colleague_moved(browser, ines, account):
    stages = stages_of(account, "deal")
    deal = record_of(ines, "40 seats", kind="deal", stage=stages[0])
    at, as_script = f"/crm/records/{deal.public_id}/stage", {"HX-Request": "true"}
    assert (
        browser.post(at, {"stage": stages[1].public_id, "seen": stages[0].public_id}, headers=as_script).status_code
        == 200
    )
    late = browser.post(at, {"stage": stages[2].public_id, "seen": stages[0].public_id}, headers=as_script)
    assert (late.status_code, "A colleague moved" in text_of(late)) == (409, True)
    deal.refresh_from_db()
    assert deal.stage == stages[1]
