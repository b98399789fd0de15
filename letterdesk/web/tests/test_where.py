"""Where is my mail? As pages: by right, without a script, and what is put away by the reader alone."""

import json
from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import HiddenLetter, Quarantined
from letterdesk.sync.models import FolderCursor

from .conftest import raw_letter

pytestmark = pytest.mark.django_db


def test_a_match_says_its_folder_and_leads_to_it(browser, deliver, mailbox):
    letter = deliver(raw_letter("Quote for desks", Message_ID="<q1@okafor.example>"))[0]
    for text in ("desks", "amara@okafor.example", "<q1@okafor.example>", "q1@okafor.example"):
        page = browser.get(f"/mailboxes/{mailbox.public_id}/where", {"q": text}).content.decode()
        assert "Here, in Inbox." in page and letter.conversation.public_id in page
    assert "Not here." in browser.get("/where", {"q": "nothing of the kind"}).content.decode()


def test_what_the_reader_put_away_says_so_to_them_alone(browser, people, sign_in, deliver, account):
    """R27"""
    letter = deliver(raw_letter("Quote for desks"))[0]
    HiddenLetter.objects.create(account=account, employee=people["reader"], message=letter)
    page = sign_in(people["reader"]).get("/where?q=desks").content.decode()
    assert "put away by you" in page and 'href="/mail/hidden"' in page
    assert "put away" not in browser.get("/where?q=desks").content.decode()


def test_nobody_finds_in_foreign_mailboxes(people, sign_in, deliver):
    """P9, C18"""
    deliver(raw_letter("Quote for desks"))
    for name in ("mate", "administrator", "stranger"):
        page = sign_in(people[name]).get("/where?q=desks").content.decode()
        assert "Here, in" not in page and "Amara" not in page


def test_what_is_over_is_not_found_here(browser, deliver, now):
    """R20: judged by the clock, even before the sweep."""
    deliver(raw_letter("Quote for desks"), at=now - timedelta(days=31))
    page = browser.get("/where?q=desks").content.decode()
    assert "Amara" not in page and "Not here." in page


def test_an_imported_mailbox_has_no_server_to_ask(browser, mailbox, deliver):
    mailbox.imap_host = ""
    mailbox.save(update_fields=["imap_host"])
    deliver(raw_letter("Quote for desks"))
    page = browser.post("/where", {"q": "desks"}).content.decode()
    assert "Here, in Inbox." in page and "Ask the mail server" not in page


def test_what_is_sought_is_shown_as_text(browser, mailbox):
    page = browser.get("/where", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_the_ledger_says_its_verdict_first_and_goes_out_as_a_file(browser, mailbox, inbox, deliver, account):
    deliver(raw_letter("One"), raw_letter("Two"))
    cursor = FolderCursor.objects.create(
        account=account, folder=inbox, uidvalidity=1, uidnext=3, expected=2, server_uids="1:2"
    )
    address = f"/mailboxes/{mailbox.public_id}/ledger"
    assert "Yes: all 2 letters that the server has are here." in browser.get(address).content.decode()
    FolderCursor.objects.filter(pk=cursor.pk).update(expected=4, server_uids="1:4", left_out={"too_old": "4"})
    assert "Not yet: 2 of 3 letters are here" in browser.get(address).content.decode()
    Quarantined.objects.create(account=account, folder=inbox, uidvalidity=1, uid=3, reason="No header")
    assert "Yes: 2 letters are here. 2 more are on the server" in browser.get(address).content.decode()
    told = json.loads(browser.get(f"{address}/export?as=json").content)
    assert told["total"] == {"expected": 4, "held": 2, "quarantined": 1, "left_out": {"too_old": 1}, "pending": 0,
                             "drift": 0, "balanced": True, "note": ""}  # fmt: skip
    lines = browser.get(f"{address}/export?as=csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("folder,expected,held") and lines[1].startswith("INBOX,4,2,1,1,")
