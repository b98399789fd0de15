"""Whose remote images somebody lets in, and when they looked: for themselves alone."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes.images import NoSender, domain_of, sender_of, show_always, shows_images
from letterdesk.mailboxes.looks import look
from letterdesk.mailboxes.models import FolderRole, ImageConsent, Look, Message
from letterdesk.mailboxes.reading import find_conversation

from .arriving import NOW, fetched, raw, receive


def arrive(folder, content, *, uid=1):
    return receive(folder, fetched(uid, content)).stored[0]


@pytest.fixture
def letter(inbox):
    return arrive(inbox, raw(sender="Anna <Anna@Berg.example>"))


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("address", "sender", "domain"),
    [
        ("Anna@Berg.example", "anna@berg.example", "@berg.example"),
        ("", "", ""),
        ("anna", "", ""),
        ("@berg.example", "", ""),
        ("anna@", "", ""),
        ("a@b@berg.example", "a@b@berg.example", "@berg.example"),
        (f"{'a' * 400}@berg.example", "", ""),
    ],
)
def test_a_sender_is_a_whole_address(address, sender, domain):
    assert (sender_of(Message(from_address=address)), domain_of(Message(from_address=address))) == (sender, domain)


@pytest.mark.case("C10")
def test_a_choice_is_for_one_employee_and_made_once(letter, ines, jonas):
    assert not shows_images(letter, ines)
    for _ in range(2):
        assert show_always(letter, whole_domain=False, by=ines, now=NOW) == "anna@berg.example"
    assert shows_images(letter, ines) and not shows_images(letter, jonas)
    assert ImageConsent.objects.visible_to(ines).count() == 1
    assert not ImageConsent.objects.visible_to(jonas).exists()


@pytest.mark.case("C10")
def test_a_domain_is_not_its_subdomains_and_not_what_ends_like_it(letter, ines, inbox):
    show_always(letter, whole_domain=True, by=ines, now=NOW)
    for uid, sender in enumerate(("a@mail.berg.example", "a@notberg.example", "berg.example@x.example"), 2):
        other = arrive(inbox, raw(sender, sender=sender), uid=uid)
        assert not shows_images(other, ines)
    assert shows_images(arrive(inbox, raw("Bo", sender="bo@berg.example"), uid=9), ines)


@pytest.mark.case("C10")
def test_in_spam_no_choice_counts_and_none_is_made(letter, ines, inbox):
    show_always(letter, whole_domain=False, by=ines, now=NOW)
    inbox.role = FolderRole.SPAM
    inbox.save(update_fields=["role"])
    assert not shows_images(letter, ines)
    with pytest.raises(NoSender):
        show_always(letter, whole_domain=True, by=ines, now=NOW)


def test_a_conversation_knows_when_each_of_its_readers_looked(letter, ines, mailbox):
    conversation = letter.conversation
    assert find_conversation(ines, conversation.public_id).last_look is None
    for hours in (0, 1):
        look(conversation, by=ines, now=NOW + timedelta(hours=hours))
    assert find_conversation(ines, conversation.public_id).last_look == NOW + timedelta(hours=1)
    assert Look.objects.visible_to(ines).count() == 1
