"""`letterdesk crm fields|define|undefine|fill`: own fields of records, as one of the people may."""

import pytest

from letterdesk.crm.models import FoundText, OwnField, OwnValue
from letterdesk.crm.search.records import names_by_words
from letterdesk.crm.tests.conftest import account, administrator, ines, jonas, sold_plans  # noqa: F401  fixtures

from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_field_is_defined_filled_in_retired_and_deleted(ines, jonas, administrator):  # noqa: F811
    whose = ("--by", administrator.email)
    tier = ("Tier", "--type", "choices", "--option", "Gold", "--option", "Silver", "--required", "--listed")
    made = run("crm", "define", "contact", *tier, *whose)
    assert (made["type"], made["options"], made["required"], made["listed"]) == (
        "choices",
        ["Gold", "Silver"],
        True,
        True,
    )
    assert run("crm", "define", "contact", "TIER", *whose, fails=True)["error"] == "bad_field"
    assert run("crm", "define", "contact", "Size", "--by", ines.email, fails=True)["error"] == "not_allowed"
    add = ("crm", "add", "contact", "Amara", "--by", ines.email)
    assert run(*add, fails=True)["error"] == "bad_value"  # it is required
    record = run(*add, "--own", "Tier=Gold")["record"]
    assert run("crm", "fill", record, "Tier", "", "--by", ines.email, fails=True)["error"] == "bad_value"
    said = run("crm", "fill", record, "tier", "silver; gold", "--by", ines.email)
    assert said == {"record": record, "field": "Tier", "says": "Gold; Silver"}
    assert run("crm", "show", record, "--by", ines.email)["own"] == {"Tier": "Gold; Silver"}
    assert run("crm", "fill", record, "Tier", "Iron", "--by", ines.email, fails=True)["error"] == "bad_value"
    assert run("crm", "fill", record, "Size", "L", "--by", ines.email, fails=True)["error"] == "no_such_field"
    assert run("crm", "fill", record, "Tier", "Gold", "--by", jonas.email, fails=True)["error"] == "no_such_record"
    assert [row["records"] for row in run("crm", "fields", "contact", "--by", ines.email)] == [1]
    gone = ("crm", "undefine", "contact", "Tier", *whose)
    assert run(*gone, "--retire")["retired"] is True and run("crm", "show", record, "--by", ines.email)["own"] == {}
    assert run(*gone, "--bring-back")["retired"] is False
    assert run(*gone, "--preview") == {"field": "Tier", "records": 1, "retired": False, "done": False}
    assert OwnValue.objects.count() == 2
    assert run(*gone)["records"] == 1 and not OwnField.objects.exists()
    assert run(*gone, fails=True)["error"] == "no_such_field"


def test_what_the_command_says_is_found(ines, administrator):  # noqa: F811
    run("crm", "define", "contact", "Since", "--type", "date", "--by", administrator.email)
    record = run("crm", "add", "contact", "Amara", "--own", "Since=2026-11-30", "--by", ines.email)["record"]
    assert [each.name for each in names_by_words(ines, "30.11.2026", most=5)] == ["Amara"]
    run("crm", "fill", record, "Since", "2025-03-01", "--by", ines.email)
    assert [each.name for each in names_by_words(ines, "1.3.2025", most=5)] == ["Amara"]
    assert names_by_words(ines, "30.11.2026", most=5) == []


def test_reindex_makes_findable_what_doctor_misses(ines, account):  # noqa: F811
    run("crm", "add", "contact", "Amara", "--by", ines.email)
    FoundText.objects.all().delete()
    [told] = [row for row in run("doctor", fails=True) if row["check"] == "CRM's search"]
    assert not told["ok"] and told["says"].startswith("1 records cannot be found")
    assert run("crm", "reindex", account.name) == run("crm", "reindex") == {"accounts": {account.public_id: 1}}
    assert [each.name for each in names_by_words(ines, "amara", most=5)] == ["Amara"]
    [told] = [row for row in run("doctor") if row["check"] == "CRM's search"]
    assert told["ok"]
