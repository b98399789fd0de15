"""A letter taken out of its conversation, and conversations joined, by hand."""

import pytest

from letterdesk.mailboxes.models import Conversation
from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture
def talk(deliver):
    first = raw_letter("Desks", Message_ID="<1@x.example>")
    second = raw_letter("Re: Desks", Message_ID="<2@x.example>", In_Reply_To="<1@x.example>")
    return deliver(first, second)


def test_a_letter_is_taken_out_and_brought_back(browser, inbox, talk):
    one, two = talk
    answer = browser.post(f"/messages/{two.public_id}/splitting", {"folder": inbox.public_id})
    two.refresh_from_db()
    assert two.conversation_id != one.conversation_id
    assert answer["Location"] == f"/mail/{inbox.public_id}/{two.conversation.public_id}"
    page = browser.get(f"/conversations/{two.conversation.public_id}/merging").content.decode()
    assert page.index(one.conversation.public_id)  # where it came from is offered
    browser.post(f"/conversations/{two.conversation.public_id}/merging", {"other": one.conversation.public_id})
    one.refresh_from_db()
    two.refresh_from_db()
    assert one.conversation_id == two.conversation_id


def test_the_only_letter_cannot_be_taken_out(browser, inbox, deliver):
    letter = deliver(raw_letter("Alone"))[0]
    browser.post(f"/messages/{letter.public_id}/splitting", {"folder": inbox.public_id})
    page = browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()
    assert "only letter of its conversation" in page


def test_another_conversation_is_found_by_its_words(browser, deliver):
    one, lamp = deliver(raw_letter("Desks"), raw_letter("Lamps", text="brass chandelier"))
    page = browser.get(f"/conversations/{one.conversation.public_id}/merging", {"q": "chandelier"}).content.decode()
    assert lamp.conversation.public_id in page
    assert browser.get(f"/conversations/{one.conversation.public_id}/merging", {"q": "from:("}).status_code == 200


@pytest.mark.case("C18")
def test_nobody_joins_or_parts_what_they_may_not_act_on(sign_in, people, talk, deliver):
    other = deliver(raw_letter("Other"))[0]
    for name in ("reader", "mate", "administrator", "stranger"):
        client = sign_in(people[name])
        address = f"/conversations/{talk[0].conversation.public_id}/merging"
        assert client.post(address, {"other": other.conversation.public_id}).status_code == 404
        assert client.post(f"/messages/{talk[0].public_id}/splitting").status_code == 404
    assert not Conversation.objects.exclude(merged_into=None).exists()


@pytest.mark.case("C18")
def test_conversations_of_two_mailboxes_are_never_joined(browser, talk, stranger_letter):
    address = f"/conversations/{talk[0].conversation.public_id}/merging"
    assert browser.post(address, {"other": stranger_letter.conversation.public_id}).status_code == 404


@pytest.fixture
def stranger_letter(deliver, mailbox, ines, account, now):
    from letterdesk.mailboxes.models import Folder, Mailbox

    second = Mailbox.objects.create(account=account, owner=ines, address="second@acme.example", imap_host="i.example")
    folder = Folder.objects.create(account=account, mailbox=second, name="INBOX", wire_name=b"INBOX")
    return deliver(raw_letter("Elsewhere"), folder=folder)[0]
