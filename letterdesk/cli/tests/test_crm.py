"""`letterdesk crm …`: records, letters at them, and what is saved by itself (R5–R8, R28)."""

import pytest

from letterdesk.crm.models import Activity, MailboxSaving, Record
from letterdesk.crm.records.stages import first_stage
from letterdesk.crm.tests.conftest import (  # noqa: F401  fixtures
    account,
    administrator,
    blobs_folder,
    come,
    from_amara,
    inbox,
    ines,
    jonas,
    mailbox,
    now,
    sold_plans,
)

from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


def add(ines, kind="contact", name="Amara", *options):  # noqa: F811
    return run("crm", "add", kind, name, "--by", ines.email, *options)["record"]


def test_a_record_is_made_listed_shown_deleted_and_back(ines, jonas):  # noqa: F811
    made = add(ines, "contact", "Amara", "--email", "amara@okafor.example", "--phone", "1")
    assert [row["record"] for row in run("crm", "list", "contact", "--of", ines.email)] == [made]
    assert run("crm", "list", "contact", "--of", jonas.email) == []
    shown = run("crm", "show", made, "--by", ines.email)
    assert (shown["addresses"], shown["phones"], shown["letters"]) == (["amara@okafor.example"], ["1"], [])
    assert run("crm", "show", made, "--by", jonas.email, fails=True)["error"] == "no_such_record"
    assert run("crm", "delete", made, "--by", ines.email, "--preview")["done"] is False
    assert run("crm", "delete", made, "--by", ines.email)["done"] is True
    assert [row["record"] for row in run("crm", "list", "contact", "--of", ines.email, "--bin")] == [made]
    assert run("crm", "delete", made, "--by", ines.email, fails=True)["error"] == "in_bin"
    assert run("crm", "restore", made, "--by", ines.email)["letters"] == 0
    assert run("crm", "add", "contact", " ", "--by", ines.email, fails=True)["error"] == "bad_record"


def test_a_letter_is_linked_by_hand_and_says_why(ines, jonas, come, monkeypatch):  # noqa: F811
    [letter] = come(from_amara(), look=True)
    whose = ("--by", ines.email)
    assert run("crm", "why", letter.public_id, *whose)["why_not"].startswith("Not saved: nobody in CRM")
    deal = add(ines, "deal", "Roof", "--amount", "1200.50", "--currency", "EUR")
    run("crm", "link", letter.public_id, "--to", deal, *whose)
    assert run("crm", "why", letter.public_id, *whose)["at"] == ["Roof: A colleague linked it"]
    assert run("crm", "why", letter.public_id, "--by", jonas.email, fails=True)["error"] == "no_such_letter"
    told = run("crm", "unlink", letter.public_id, "--from", deal, *whose)
    assert told == {"letters": 1, "binned": 1}
    assert not Activity.objects.present().exists()


def test_what_is_saved_by_itself(ines, jonas, administrator, mailbox):  # noqa: F811
    asked = ("crm", "saving", mailbox.address, "--by")
    assert run(*asked, ines.email)["unknown_incoming"] == "nothing"
    assert not MailboxSaving.objects.exists()
    told = run(*asked, ines.email, "--incoming", "lead", "--responsible", jonas.email)
    assert (told["known"], told["unknown_incoming"], told["responsible"]) == (True, "lead", [jonas.email])
    told = run(*asked, ines.email, "--incoming", "deal", "--returning", "deal", "--source", "Fair", "--cards")
    assert (told["unknown_incoming"], told["returning"], told["source"], told["cards"]) == (
        "deal",
        "deal",
        "Fair",
        True,
    )
    assert told["responsible"] == [jonas.email]
    first = first_stage(ines.account, "deal").pipeline.name
    assert run(*asked, ines.email, "--pipeline", first)["pipeline"] == first
    assert run(*asked, ines.email, "--cards")["pipeline"] == first
    assert run(*asked, ines.email, "--pipeline", "Others", fails=True)["error"] == "no_such_pipeline"
    assert run(*asked, ines.email, "--pipeline", "")["pipeline"] == ""
    assert run(*asked, jonas.email, fails=True)["error"] == "no_such_mailbox"
    assert run("crm", "exclude", "Berg.example", "--by", ines.email) == {"pattern": "@berg.example"}
    assert [row["pattern"] for row in run("crm", "exclusions", "--by", jonas.email)] == ["@berg.example"]
    assert run("crm", "allow", "@berg.example", "--by", ines.email, fails=True)["error"] == "no_such_exclusion"
    assert run("crm", "allow", "@berg.example", "--by", administrator.email) == {"pattern": "@berg.example"}
    assert not Record.objects.exists()
