"""Mute on the pages: in the menu, shown at the conversation and in its row, said for oneself alone, taken back."""

from letterdesk.mailboxes.models import Grant, Muted
from letterdesk.web.commands import BY_NAME

from .conftest import raw_letter


def test_mutes_from_the_menu_shows_it_and_takes_it_back(browser, inbox, deliver, mailbox, account):
    Grant.objects.create(account=account, mailbox=mailbox)  # shared: it is not said to hold for everyone
    conversation = deliver(raw_letter("Offer"))[0].conversation
    address, changes = (
        f"/mail/{inbox.public_id}/{conversation.public_id}",
        f"/conversations/{conversation.public_id}/changes",
    )
    page = browser.get(address).content.decode()
    assert 'name="change" value="mute"' in page and " data-muted" not in page
    done = browser.post(changes, {"change": "mute", "next": address}, follow=True).content.decode()
    assert "Muted: you hear of it only when you are mentioned or it is given to you." in done
    assert done.count(" data-muted") == 2  # the conversation, and its row
    done = browser.post("/undo", {"next": address}, follow=True).content.decode()
    assert " data-muted" not in done and not Muted.objects.exists()
    assert BY_NAME["mute"].key == "m"


def test_who_may_only_read_mutes_for_themselves(sign_in, inbox, deliver, mailbox, account, jonas):
    Grant.objects.create(account=account, mailbox=mailbox, employee=jonas, may_reply=False)
    conversation = deliver(raw_letter("Offer"))[0].conversation
    theirs = sign_in(jonas)
    assert 'value="mute"' in theirs.get(f"/mail/{inbox.public_id}/{conversation.public_id}").content.decode()
    theirs.post(f"/conversations/{conversation.public_id}/changes", {"change": "mute"})
    assert Muted.objects.get().employee_id == jonas.pk
