"""A person's own settings: kept with them, for all devices; keys that can be changed and turned off."""

import json
import re

import pytest
from django.test import Client

from letterdesk.web.commands import COMMANDS


def keymap(page):
    found = re.search(r'data-keymap="([^"]*)"', page)
    return json.loads(found[1].replace("&quot;", '"'))


def test_name_and_zone_are_kept(browser, ines):
    answer = browser.post("/settings", {"name": "Ines M", "time_zone": "Asia/Tokyo", "language": ""})
    assert answer.status_code == 302
    ines.refresh_from_db()
    assert (ines.name, ines.time_zone) == ("Ines M", "Asia/Tokyo")


def test_looks_are_kept_with_the_person_not_with_the_device(browser, ines, sign_in):
    browser.post("/settings/appearance", {"theme": "dark", "density": "compact", "text": "large", "paper": "dark"})
    page = sign_in(ines).get("/settings/appearance").content.decode()  # another device
    for said in ('data-theme="dark"', 'data-density="compact"', 'data-text="large"', 'data-paper="dark"'):
        assert said in page


def test_one_look_changed_from_the_menu_leaves_the_others(browser, ines):
    browser.post("/settings/appearance", {"theme": "dark", "density": "compact"})
    answer = browser.post("/settings/appearance", {"theme": "", "next": "/search"})
    assert answer["Location"] == "/search"
    ines.refresh_from_db()
    assert ines.preferences == {"density": "compact"}


def test_what_is_no_choice_is_refused(browser, ines):
    assert browser.post("/settings/appearance", {"theme": 'x" onload="'}).status_code == 404
    ines.refresh_from_db()
    assert ines.preferences == {}


def test_the_sign_in_page_remembers_the_theme_of_the_device(browser):
    browser.post("/settings/appearance", {"theme": "dark"})
    browser.logout()
    later = Client(HTTP_HOST="127.0.0.1")
    later.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in later.get("/accounts/login/").content.decode()


def test_keys_can_be_turned_off_and_changed(browser):
    assert keymap(browser.get("/settings").content.decode())["e"] == "archive"
    browser.post("/settings/keyboard", {"keys": "off", "key-archive": "y"})
    page = browser.get("/settings").content.decode()
    assert 'data-keys="off"' in page
    assert keymap(page)["y"] == "archive" and "e" not in keymap(page)
    browser.post("/settings/keyboard", {"reset": "1"})
    assert keymap(browser.get("/settings").content.decode())["e"] == "archive"


@pytest.mark.parametrize("key", ["j", "ab", "g", "x y z"])
def test_a_key_that_is_taken_or_is_none_is_refused_in_words(browser, ines, key):
    """`g` alone would swallow the first half of `g i`."""
    answer = browser.post("/settings/keyboard", {"key-archive": key})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    ines.refresh_from_db()
    assert ines.preferences == {}


def test_every_command_has_a_key_of_its_own():
    keys = [command.key for command in COMMANDS]
    assert len(keys) == len(set(keys))


def test_every_command_of_the_table_is_one_of_the_script():
    from pathlib import Path

    import letterdesk.web

    script = (Path(letterdesk.web.__file__).parent / "static/web/js/keys.js").read_text()
    table = script[script.index("const COMMANDS") : script.index("function run")]
    assert not [each.name for each in COMMANDS if not re.search(rf"\b{each.name}\b", table)]


def test_a_folded_mailbox_stays_folded(browser, mailbox, inbox):
    address = f"/mail/{inbox.public_id}"
    assert re.search(rf' open data-mailbox="{mailbox.public_id}"', browser.get(address).content.decode())
    browser.post("/settings/folds", {"mailbox": mailbox.public_id, "folded": "yes"})
    assert re.search(rf'class="shelf" data-mailbox="{mailbox.public_id}"', browser.get(address).content.decode())


def test_the_first_steps_say_what_is_done_and_can_be_put_away(browser, mailbox):
    page = browser.get("/first-steps").content.decode()
    assert "Connect a mailbox" in page and page.count("done") >= 1 and "second factor" in page
    browser.get("/keys")
    assert browser.get("/first-steps").content.decode().count('class="done"') == page.count('class="done"') + 1
    browser.post("/settings/checklist", {"next": "/"})
    assert browser.get("/first-steps").status_code == 204


def test_the_palette_finds_commands_folders_settings_and_people(browser, deliver, inbox):
    from letterdesk.web.tests.conftest import raw_letter

    deliver(raw_letter("Offer"))
    whole = browser.get("/palette").content.decode()
    assert "<dialog" in whole and 'data-command="archive"' in whole
    assert inbox.public_id in browser.get("/palette?q=inbox").content.decode()
    assert "/settings/appearance" in browser.get("/palette?q=dark").content.decode()
    assert "from%3Aamara%40okafor.example" in browser.get("/palette?q=ama").content.decode()


def test_the_palette_shows_nothing_of_other_peoples_mail(sign_in, jonas, deliver, inbox):
    from letterdesk.web.tests.conftest import raw_letter

    deliver(raw_letter("Offer"))
    for typed in ("inbox", "ama", "ines"):
        page = sign_in(jonas).get(f"/palette?q={typed}").content.decode()
        assert inbox.public_id not in page and "okafor" not in page and "ines@acme" not in page
