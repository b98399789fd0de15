"""Access to a mailbox, where its settings are (R16, R17)."""

import pytest

from letterdesk.mailboxes.models import Grant, Mailbox


@pytest.fixture
def on_demo(account):
    account.subscription.plan = "demo"
    account.subscription.save()


def shared(mailbox, number):
    for index in range(number):
        other = Mailbox.objects.create(
            account=mailbox.account, owner=mailbox.owner, address=f"b{index}@acme.example", name=f"Box {index}"
        )
        Grant.objects.create(account=mailbox.account, mailbox=other)


def test_the_dialog_says_what_sharing_means_and_how_much_is_used(browser, mailbox, on_demo):
    """R17"""
    shared(mailbox, 2)
    page = browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    assert "becomes shared when someone other than its owner" in page
    assert "Shared mailboxes: 2 of 3" in page
    assert "/help#sharing" in page


def test_the_fourth_shared_mailbox_of_demo_is_refused_where_it_happens(browser, mailbox, on_demo):
    """R16, R3"""
    shared(mailbox, 3)
    answer = browser.post(f"/mailboxes/{mailbox.public_id}/grants", {"to": "everyone", "may_reply": "yes"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "3 shared mailboxes" in page and 'href="/plans"' in page
    assert not mailbox.grants.exists()


def test_giving_and_taking_access(browser, mailbox, jonas):
    address = f"/mailboxes/{mailbox.public_id}/grants"
    browser.post(address, {"to": f"employee:{jonas.public_id}", "may_reply": "yes"})
    grant = mailbox.grants.get()
    assert (grant.employee, grant.may_reply, grant.may_delete_on_server) == (jonas, True, False)
    browser.post(f"{address}/{grant.pk}/removal")
    assert not mailbox.grants.exists()


def test_nobody_of_another_company_can_be_given_access(browser, mailbox, stranger):
    answer = browser.post(f"/mailboxes/{mailbox.public_id}/grants", {"to": f"employee:{stranger.public_id}"})
    assert answer.status_code == 404
    assert not mailbox.grants.exists()


def test_pause_resume_and_disconnect(browser, mailbox):
    def go(**form):
        browser.post(f"/mailboxes/{mailbox.public_id}/state", form)
        mailbox.refresh_from_db()
        return mailbox.state

    assert go(state="paused") == "paused"
    assert go(state="connected") == "connected"
    answer = browser.post(f"/mailboxes/{mailbox.public_id}/disconnection", {})
    assert answer.status_code == 422 and "Nothing is deleted or changed on the mail server" in answer.content.decode()
    browser.post(f"/mailboxes/{mailbox.public_id}/disconnection", {"copies": "keep"})
    mailbox.refresh_from_db()
    assert (mailbox.state, mailbox.secret) == ("disconnected", None)


def test_who_disconnects_may_have_the_copies_removed_and_sees_the_mailbox_no_more(browser, mailbox):
    answer = browser.post(f"/mailboxes/{mailbox.public_id}/disconnection", {"copies": "delete"}, follow=True)
    assert answer.status_code == 200
    assert "Its copies are being removed" in answer.content.decode()
    assert browser.get(f"/mailboxes/{mailbox.public_id}").status_code == 404


def test_no_page_shows_the_password(browser, mailbox):
    assert "correct horse" not in browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
