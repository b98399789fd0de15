"""Own fields on the pages: defined by administrators, filled in at records, filtered by, in files, with no script."""

import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from letterdesk.crm.models import OwnField, OwnOption, OwnValue, Record, RecordImport
from letterdesk.crm.own.fields import BadField, FieldSaid, change_field, delete_field, make_field
from letterdesk.crm.own.said import Said
from letterdesk.crm.own.values import write_own
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import record_of
from letterdesk.outbound.models import Template
from letterdesk.web.tests.test_records import asked, names, text_of

FIELDS = "/settings/crm/fields"
TYPES = ("text", "long", "number", "money", "date", "yes_no", "choice", "choices", "link")


@pytest.fixture
def administrator(people):
    return people["administrator"]


@pytest.fixture
def define(administrator):
    def defined(name, type="text", *, kind="contact", options=(), **said):
        return make_field(kind, FieldSaid(name, **said), type=type, by=administrator, options=options)

    return defined


@pytest.fixture
def every(define):
    """A field of each type, by its type; of choices Gold and Silver."""
    return {type: define(type.title(), type, options=("Gold", "Silver") if "choice" in type else ()) for type in TYPES}


def form_of(ines, **said):
    return {"name": "Amara Okafor", "responsible": ines.public_id, **said}


def named(field, end=""):
    return f"own-{field.public_id}{end}"


def whole(every):
    """A form in which each is filled in."""
    gold, silver = (every["choices"].options.get(name=name).public_id for name in ("Gold", "Silver"))
    return {
        named(every["text"]): "<b>L</b>",
        named(every["long"]): "one\ntwo",
        named(every["number"]): "1,5",
        named(every["money"], "_0"): "1200.5",
        named(every["money"], "_1"): "eur",
        named(every["date"]): "2026-12-24",
        named(every["yes_no"]): "no",
        named(every["choice"]): every["choice"].options.get(name="Gold").public_id,
        named(every["choices"]): [silver, gold],
        named(every["link"]): "x.example",
    }


def test_an_administrator_defines_changes_and_deletes_them(sign_in, administrator, ines):
    browser = sign_in(administrator)
    wanted = {"kind": "company", "name": "Tier", "type": "choice", "options": "Gold\nSilver\n", "is_required": "yes"}
    assert browser.post(FIELDS, wanted)["Location"] == f"{FIELDS}?kind=company"
    tier = OwnField.objects.get()
    page = text_of(browser.get(f"{FIELDS}?kind=company"))
    assert "Tier" in page and "required" in page and "Gold , Silver" in page
    refused = browser.post(FIELDS, wanted)
    assert refused.status_code == 422 and "already" in text_of(refused) and "Silver" in text_of(refused)
    at = f"{FIELDS}/{tier.public_id}"
    gold, silver = tier.options.order_by("position")
    golden = {f"name-{gold.public_id}": "Golden", f"retired-{gold.public_id}": "yes", f"order-{gold.public_id}": "2"}
    browser.post(at, {"change": "options", f"order-{silver.public_id}": "1", "new": "Iron\n"} | golden)
    options = list(tier.options.order_by("position").values_list("name", "is_retired"))
    assert options == [("Silver", False), ("Golden", True), ("Iron", False)]
    browser.post(at, {"change": "option-removal", "option": f"{silver.public_id}:0"})
    assert tier.options.count() == 2
    browser.post(at, {"change": "field", "name": "Rank", "is_retired": "yes"})
    tier.refresh_from_db()
    assert (tier.name, tier.is_required, tier.is_retired) == ("Rank", False, True)
    browser.post(FIELDS, {"kind": "company", "name": "Size", "type": "text"})
    browser.post(f"{FIELDS}/{OwnField.objects.get(name='Size').public_id}", {"change": "up"})
    assert list(OwnField.objects.order_by("position").values_list("name", flat=True)) == ["Size", "Rank"]
    OwnValue.objects.create(
        account=ines.account, record=record_of(ines, "Acme", kind="company"), field=tier, option=gold
    )
    assert "filled in at 1 record" in text_of(browser.get(at)) and "1 record has it" in text_of(browser.get(at))
    assert "Look at it again" in text_of(browser.post(at, {"change": "removal", "seen": "0"}, follow=True))
    assert "gone from 1 record" in text_of(browser.post(at, {"change": "removal", "seen": "1"}, follow=True))
    assert not OwnValue.objects.exists()


def test_what_cannot_be_is_refused_and_makes_nothing(sign_in, administrator, define):
    browser = sign_in(administrator)
    for many in ("\n".join(map(str, range(201))), "\n".join(map(str, range(10_000)))):
        refused = browser.post(FIELDS, {"kind": "deal", "name": "Tier", "type": "choices", "options": many})
        assert refused.status_code == 422 and "200 options at most" in text_of(refused)
    long = browser.post(FIELDS, {"kind": "deal", "name": "x" * 1000, "type": "text"})
    assert long.status_code == 422 and "1 to 60" in text_of(long)
    for wrong in ({"kind": "task"}, {"type": "file"}):
        assert browser.post(FIELDS, {"kind": "deal", "name": "X", "type": "text"} | wrong).status_code == 404
    assert browser.get(f"{FIELDS}?kind=task").status_code == 404
    assert not OwnField.objects.exists()
    at = f"{FIELDS}/{define('Tier', 'choice', options=['Gold']).public_id}"
    other = define("Other", "choice", options=["Theirs"]).options.get()
    assert browser.post(at, {"change": "x"}).status_code == 404
    assert browser.post(at, {"change": "option-removal", "option": f"{other.public_id}:9"}).status_code == 404
    assert "200 options" in text_of(browser.post(at, {"change": "options", "new": "x\n" * 20_000}, follow=True))
    assert OwnOption.objects.count() == 2


def test_a_record_is_made_shown_and_changed_with_all_of_them(browser, every, ines):
    assert "Text" in text_of(browser.get("/crm/contacts/new"))
    at = browser.post("/crm/contacts/new", form_of(ines, **whole(every)))["Location"]
    page = browser.get(at).content.decode()
    facts = page[page.index('class="crm-facts"') : page.index("crm-labels")]
    for shown in ("&lt;b&gt;L&lt;/b&gt;", "one<br>two", "1.5", "1,200.50 EUR", "24 Dec 2026", "No", "Gold, Silver"):
        assert shown in facts
    assert 'href="https://x.example" target="_blank" rel="noopener noreferrer nofollow"' in facts
    change = browser.get(f"{at}/form", headers={"HX-Request": "true"}).content.decode()
    for filled in ('value="1.5"', 'value="1200.50"', 'value="EUR"', 'value="2026-12-24"', 'value="no" selected'):
        assert filled in change
    assert change.count("checked") == 2
    browser.post(at, form_of(ines))  # a form that shows none of them leaves them as they are
    assert OwnValue.objects.values("field").distinct().count() == len(TYPES)
    browser.post(at, form_of(ines, **dict.fromkeys(whole(every), "")))
    assert not OwnValue.objects.exists()


def test_a_field_that_comes_back_while_a_form_is_open_keeps_what_it_said(browser, every, administrator, ines):
    at = browser.post("/crm/contacts/new", form_of(ines, **whole(every)))["Location"]
    for field in every.values():
        change_field(field, FieldSaid(field.name, is_retired=True), by=administrator)
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(f"{at}/form").content.decode())[1]
    for field in every.values():
        change_field(field, FieldSaid(field.name, is_required=True), by=administrator)
    assert browser.post(at, form_of(ines, seen=seen) | {"name": "Amara"}).status_code == 302
    assert OwnValue.objects.values("field").distinct().count() == len(TYPES)
    assert Record.objects.get().name == "Amara"


def test_boxes_of_which_none_is_ticked_any_more_are_told_from_boxes_that_were_not_shown(browser, define, ines):
    interests = define("Interests", "choices", options=["Mail"])
    mail = {named(interests): interests.options.get().public_id}
    at = browser.post("/crm/contacts/new", form_of(ines, **mail))["Location"]
    assert f'<input type="hidden" name="{named(interests)}" value="">' in browser.get(f"{at}/form").content.decode()
    browser.post(at, form_of(ines, **{named(interests): ""}))
    assert not OwnValue.objects.exists()


def test_what_is_wrong_is_named_at_its_field_and_nothing_is_kept(browser, every, ines):
    at = f"/crm/records/{record_of(ines).public_id}"
    wrong = {
        "text": ("x" * 301, "At most 300"),
        "long": ("x" * 10_001, "At most 10000"),
        "number": ("many", "not a number"),
        "date": ("24/12", "not a day"),
        "yes_no": ("perhaps", "neither yes nor no"),
        "choice": ("no such", "cannot be chosen"),
        "choices": ("no such", "cannot be chosen"),
        "link": ("javascript:alert(1)", "not the address of a web page"),
    }
    for kind, (typed, why) in wrong.items():
        answer = browser.post(at, form_of(ines, **{named(every[kind]): typed}))
        assert answer.status_code == 422 and why in text_of(answer)
    answer = browser.post(at, form_of(ines, **{named(every["money"], "_0"): "1", named(every["money"], "_1"): "Euro"}))
    assert answer.status_code == 422 and "three letters" in text_of(answer)
    assert not OwnValue.objects.exists()


def test_what_is_required_is_asked_for_and_what_is_retired_is_nowhere(browser, define, administrator, ines):
    tier = define("Tier", "choice", options=["Gold", "Old"], is_required=True, is_listed=True)
    define("Interests", "choices", options=["Mail"], is_required=True)
    refused = browser.post("/crm/contacts/new", form_of(ines))
    assert refused.status_code == 422 and text_of(refused).count("This field is required.") == 2
    mail = OwnOption.objects.get(name="Mail").public_id
    old = tier.options.get(name="Old")
    interests = named(OwnField.objects.get(name="Interests"))
    at = browser.post("/crm/contacts/new", form_of(ines, **{named(tier): old.public_id, interests: mail}))["Location"]
    OwnOption.objects.filter(pk=old.pk).update(is_retired=True)
    assert f'value="{old.public_id}" selected' in browser.get(f"{at}/form").content.decode()
    assert browser.post(at, form_of(ines, **{named(tier): old.public_id, interests: mail})).status_code == 302
    assert old.public_id not in browser.get("/crm/contacts/new").content.decode()
    other = browser.post("/crm/contacts/new", form_of(ines, **{named(tier): old.public_id, interests: mail}))
    assert other.status_code == 422 and "cannot be chosen any more" in text_of(other)
    assert {"Tier", "Old"} <= set(text_of(browser.get("/crm/contacts")).split())
    change_field(tier, FieldSaid("Tier", is_required=True, is_listed=True, is_retired=True), by=administrator)
    for page in (at, "/crm/contacts", "/crm/contacts/new", "/crm/contacts/export"):
        assert "Tier" not in browser.get(page).content.decode()
    assert browser.post(at, form_of(ines, **{interests: mail})).status_code == 302
    assert OwnValue.objects.filter(option=old).exists()


def test_of_a_required_amount_the_currency_may_be_left_open(browser, define, ines):
    worth = define("Worth", "money", is_required=True)
    page = browser.get("/crm/contacts/new").content.decode()
    amount, currency = (re.search(rf'<input[^>]*name="{named(worth, end)}"[^>]*>', page)[0] for end in ("_0", "_1"))
    assert "required" in amount and "required" not in currency
    assert browser.post("/crm/contacts/new", form_of(ines, **{named(worth, "_0"): "5"})).status_code == 302


def test_a_field_of_another_account_is_no_field_here(browser, sign_in, people, define, ines):
    theirs = OwnField.objects.create(
        account=people["stranger"].account, kind="contact", name="Theirs", key="theirs", type="text"
    )
    at = f"/crm/records/{record_of(ines).public_id}"
    browser.post(at, form_of(ines, **{named(theirs): "x"}))
    assert not OwnValue.objects.exists() and "Theirs" not in browser.get("/crm/contacts").content.decode()
    mine = define("Mine", "choice", options=["Gold"])
    stranger = sign_in(people["stranger"])
    for change in ("field", "up", "options", "option-removal", "removal"):
        assert stranger.post(f"{FIELDS}/{mine.public_id}", {"change": change, "name": "x"}).status_code == 404
        assert browser.post(f"{FIELDS}/{mine.public_id}", {"change": change, "name": "x"}).status_code == 403
    assert browser.post(FIELDS, {"kind": "contact", "name": "x", "type": "text"}).status_code == 403
    assert "own-fields" not in browser.get("/settings/crm").content.decode()


def test_who_may_not_change_a_record_changes_no_own_field_of_it(sign_in, browser, every, ines, jonas):
    at = f"/crm/records/{record_of(jonas).public_id}"
    assert browser.post(at, form_of(ines, **whole(every))).status_code == 404
    assert not OwnValue.objects.exists()


def test_a_list_a_board_and_a_file_are_narrowed(browser, every, define, ines):
    browser.post("/crm/contacts/new", form_of(ines, **whole(every)))
    record_of(ines, "Bo")
    gold = every["choice"].options.get(name="Gold").public_id
    asks = {
        named(every["text"]): "l<",
        named(every["number"], "-from"): "1.2",
        named(every["money"], "-to"): "1200.5",
        named(every["date"], "-to"): "2026-12-24",
        named(every["yes_no"]): "no",
        named(every["choice"]): gold,
        named(every["link"]): "x.ex",
    }
    for name, value in asks.items():
        assert names(browser.get("/crm/contacts", {name: value})) == ["Amara Okafor"]
    page = browser.get("/crm/contacts", asks)
    assert names(page) == ["Amara Okafor"] and f'value="{gold}" selected' in page.content.decode()
    [link] = re.findall(r'href="(/crm/contacts/export\?form=csv[^"]*)"', page.content.decode())
    table = browser.get(link.replace("&amp;", "&")).content.decode()
    assert "Amara" in table and "Bo" not in table and "Gold; Silver" in table
    assert names(browser.get("/crm/contacts", {named(every["choice"]): "none"})) == ["Bo"]
    assert names(browser.get("/crm/contacts", {named(every["number"], "-to"): "1,50"})) == ["Amara Okafor"]
    for kind, typed, why in (
        ("number", "many", "not a number"),
        ("money", "1.200", "two ways"),
        ("date", "x", "not a day"),
    ):
        page = browser.get("/crm/contacts", {named(every[kind], "-to"): typed})  # asks for nothing, and says why
        assert names(page) == ["Bo", "Amara Okafor"] and why in text_of(page)
        assert 'class="crm-filter-more" open' in page.content.decode()
    page = browser.get("/crm/contacts", {named(every["choice"]): "x" * 5000})  # no option: left out, with a word
    assert names(page) == ["Bo", "Amara Okafor"] and "no longer there" in page.content.decode()
    board = browser.get("/crm/deals", {"view": "board", named(define("Seats", "number", kind="deal"), "-from"): "1"})
    assert board.status_code == 200


def test_pages_ask_the_same_however_many_fields_and_values_there_are(browser, every, define, administrator, ines):
    for field in list(OwnField.objects.all())[:5]:
        change_field(field, FieldSaid(field.name, is_listed=True), by=administrator)
    at = browser.post("/crm/contacts/new", form_of(ines, **whole(every)))["Location"]
    pages = ("/crm/contacts", at, "/crm/contacts/new", "/crm/contacts/export", FIELDS)
    few = [asked(browser, page) for page in pages[:4]]
    for number in range(5):
        define(f"More {number}", "choices", options=["A", "B"])
        browser.post("/crm/contacts/new", form_of(ines, **whole(every)))
    assert [asked(browser, page) for page in pages[:4]] == few
    assert max(few) <= 26


def test_columns_of_a_file_are_settled_as_own_fields(
    browser, every, ines, settings, django_capture_on_commit_callbacks
):
    settings.JOBS_URL = "memory://"
    file = SimpleUploadedFile("people.csv", b"Name,Choice,Seats\nAmara,Gold,7\nBo,Iron,\n")
    at = browser.post("/crm/imports", {"kind": "contact", "file": file})["Location"]
    page = browser.get(at)
    assert "Choice: Gold" in text_of(page) and "There is no option “Iron”." in text_of(page)
    number, choice = (f"own:{every[kind].public_id}" for kind in ("number", "choice"))
    assert f'value="{choice}" selected' in page.content.decode()
    form = {"do": "start", "column-0": "name", "column-1": choice, "column-2": number, "fills": "yes"}
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(at, form)
    assert Record.objects.get().name == "Amara" and OwnValue.objects.get(field=every["number"]).number == 7
    assert "Line 3" in text_of(browser.get(at)) or "Iron" in text_of(browser.get(at))
    foreign = browser.post("/crm/imports", {"kind": "lead", "file": SimpleUploadedFile("x.csv", b"Name,X\nBo,1\n")})
    browser.post(foreign["Location"], {"do": "start", "column-0": "name", "column-1": number})
    assert RecordImport.objects.get(kind="lead").mapping == ["name", ""]


def test_a_merge_shows_what_differs_and_what_is_filled(browser, define, ines):
    size, seats = define("Size"), define("Seats", "number")
    mine, other = (
        browser.post("/crm/contacts/new", form_of(ines, **said))["Location"]
        for said in ({named(size): "L"}, {named(size): "M", named(seats): "7"})
    )
    other_id = other.rpartition("/")[2]
    page = browser.get(f"{mine}/merging?with={other_id}")
    assert "Size L M" in text_of(page) and "Seats 7" in text_of(page)
    browser.post(f"{mine}/merging", {"other": other_id, f"own:{size.public_id}": "other"})
    assert re.search(r"Size\s+M\s+Seats\s+7", text_of(browser.get(mine)))


def test_a_template_is_kept_with_own_fields_that_there_are_alone(browser, define):
    define("Customer number")
    assert "{{ contact.own.customer_number }}" in browser.get("/settings/templates").content.decode()
    for html, status in (("<p>{{&nbsp;contact.own.customer_number }}</p>", 302), ("<p>{{ deal.own.x }}</p>", 422)):
        answer = browser.post("/settings/templates", {"name": "A", "format": "html", "html": html, "share": ""})
        assert answer.status_code == status
    assert "Nothing is called {{ deal.own.x }}" in text_of(answer)
    assert Template.objects.get().text == "{{ contact.own.customer_number }}"


@pytest.mark.parametrize("goes", ["deleted", "retired"])
def test_what_was_typed_into_a_field_that_is_gone_meanwhile_is_told(browser, define, administrator, ines, goes):
    field, amara = define("Size"), record_of(ines, "Amara Okafor")
    if goes == "deleted":
        delete_field(field, by=administrator, seen=0)
    else:
        change_field(field, FieldSaid("Size", is_retired=True), by=administrator)
    answer = browser.post(f"/crm/records/{amara.public_id}", form_of(ines, name="Amara B.", **{named(field): "XXL"}))
    assert answer.status_code == 422 and "You wrote “XXL” into a field that is no longer there." in text_of(answer)
    assert 'value="Amara B."' in answer.content.decode()  # the rest of what was written is still in the form
    assert browser.post(f"/crm/records/{amara.public_id}", form_of(ines, **{named(field): " "})).status_code == 302


def test_of_two_who_change_options_at_once_the_second_is_told_and_loses_nothing(sign_in, administrator, define):
    browser = sign_in(administrator)
    tier = define("Tier", "choice", options=["Gold", "Silver"])
    gold, silver = tier.options.order_by("position")
    at = f"{FIELDS}/{tier.public_id}"
    seen = re.search(r'name="seen" value="(\w{16})"', browser.get(at).content.decode())[1]
    first = {f"name-{gold.public_id}": "Golden", f"name-{silver.public_id}": "Silver", "new": "Bronze"}
    second = {f"name-{gold.public_id}": "Au", f"name-{silver.public_id}": "Ag", "new": "Iron"}
    assert browser.post(at, {"change": "options", "seen": seen} | first).status_code == 302
    refused = browser.post(at, {"change": "options", "seen": seen} | second)
    page = refused.content.decode()
    assert refused.status_code == 409 and "Somebody changed these options" in text_of(refused)
    assert all(each in page for each in ('value="Au"', 'value="Ag"', ">Iron</textarea>", 'value="Bronze"'))
    assert "now: Golden" in text_of(refused) and "now: Silver" in text_of(refused)
    assert list(tier.options.order_by("position").values_list("name", flat=True)) == ["Golden", "Silver", "Bronze"]
    again = re.search(r'name="seen" value="(\w{16})"', page)[1]
    assert browser.post(at, {"change": "options", "seen": again} | second).status_code == 302
    assert set(tier.options.values_list("name", flat=True)) == {"Au", "Ag", "Bronze", "Iron"}


def test_cards_of_the_board_show_the_own_fields_that_are_marked(browser, define, administrator, ines):
    for number in range(3):
        define(f"Field {number}", "number", kind="deal", is_on_card=True)
    hidden = define("Hidden", "text", kind="deal")
    assert not define("Of people", "text", is_on_card=True).is_on_card  # they have no board
    with pytest.raises(BadField, match="A card shows 3"):
        change_field(hidden, FieldSaid("Hidden", is_on_card=True), by=administrator)
    stage = stages_of(ines.account, "deal")[0]
    counted = []
    for number in range(4):
        deal = record_of(ines, f"Deal {number}", kind="deal", stage=stage)
        said = {OwnField.objects.get(name=f"Field {place}"): Said(number=Decimal(place + 70)) for place in range(3)}
        write_own(deal, said | {hidden: Said(text="secret words")})
        counted.append(asked(browser, "/crm/deals?view=board"))
    page = browser.get("/crm/deals?view=board")
    assert counted[0] == counted[-1]
    assert "Field 0 70" in text_of(page) and "Field 2 72" in text_of(page) and "secret words" not in text_of(page)
