"""The other pages: plans, ledger, search, settings, errors, icons."""

import re
from pathlib import Path

import pytest

from letterdesk.mailboxes.models import Quarantined
from letterdesk.plans import catalogue as catalogue_file
from letterdesk.plans.catalogue import catalogue
from letterdesk.sync.models import FolderCursor
from letterdesk.web.icons import drawn_icons, icons_in_python, icons_in_templates
from letterdesk.web.tests.conftest import raw_letter


def test_the_plans_are_those_of_the_catalogue_and_ours_is_marked(browser):
    """R3"""
    page = browser.get("/plans").content.decode()
    for plan in catalogue().plans.values():
        assert plan.name in page
        if isinstance(plan.outgoing_per_month, int):
            assert f"{plan.outgoing_per_month:,}" in page
    assert re.search(r'class="here">Standard<br>\s*your plan', page)


def test_what_a_later_edition_of_the_catalogue_changes_is_said_below_with_its_day(browser, settings, tmp_path):
    """R3"""
    shipped = Path(catalogue_file.__file__).with_name("catalogue.toml").read_text("utf-8")
    row = next(each for each in shipped.split("[[plan]]") if 'key = "standard"' in each).replace("= 50000", "= 40000")
    file = tmp_path / "ours.toml"
    edition = f"[[edition]]\nversion = 2\nfrom = 2099-01-01\n[[edition.plan]]{row}"
    file.write_text(f"{shipped}\n{edition}", "utf-8")
    settings.CATALOGUE = str(file)
    page = browser.get("/plans").content.decode()
    assert "From 1 January 2099:" in page
    assert "Standard – Outgoing e-mails per month: 40,000, before 50,000" in page


def test_the_ledger_shows_the_sum_of_each_folder_and_the_reasons(browser, mailbox, inbox, deliver, account):
    deliver(raw_letter("One"), raw_letter("Two"))
    Quarantined.objects.create(account=account, folder=inbox, uidvalidity=1, uid=3, reason="No header", blob="0" * 64)
    FolderCursor.objects.create(
        account=account,
        folder=inbox,
        uidvalidity=1,
        uidnext=6,
        expected=5,
        server_uids="1:5",
        left_out={"too_old": "4"},
    )
    page = browser.get(f"/mailboxes/{mailbox.public_id}/ledger").content.decode()
    numbers = re.findall(r'<td class="n">\s*(\d+)', page)
    assert numbers[:5] == ["5", "2", "1", "1", "1"]
    assert "older than what is fetched or kept" in page and "on its way" in page and "No header" in page


def test_a_ledger_that_does_not_add_up_says_so(browser, mailbox, inbox, deliver, account):
    deliver(raw_letter("One"))
    FolderCursor.objects.create(account=account, folder=inbox, uidvalidity=1, uidnext=9, expected=0, server_uids="")
    page = browser.get(f"/mailboxes/{mailbox.public_id}/ledger").content.decode()
    assert "does not add up" in page and "1 letter does not fit" in page


def test_an_invented_theme_changes_nothing(sign_in):
    stranger = sign_in(None)
    stranger.cookies["theme"] = 'dark" data-x="evil'
    assert "evil" not in stranger.get("/accounts/login/").content.decode()


@pytest.mark.case("C28")
def test_errors_help_and_tell_nothing_of_the_machine(browser, monkeypatch, settings):
    settings.DEBUG = False
    assert "There is nothing at this address" in browser.get("/mail/nothing").content.decode()
    from letterdesk.web import home

    def fail(*_args, **_more):
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr(home, "render", fail)
    browser.raise_request_exception = False
    answer = browser.get("/help")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Your mail is safe" in page and "secret" not in page and "Traceback" not in page


def test_the_sprite_has_each_icon_that_is_named_and_no_other():
    drawn = set(drawn_icons())
    assert icons_in_templates() <= drawn
    assert drawn == icons_in_templates() | icons_in_python(drawn)
