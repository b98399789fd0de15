"""The page of a conversation."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture
def talk(deliver, inbox):
    """Three letters of one conversation, the first two read."""
    first = raw_letter("Desks", Message_ID="<1@x.example>", text="one")
    second = raw_letter("Re: Desks", Message_ID="<2@x.example>", In_Reply_To="<1@x.example>", text="two")
    third = raw_letter("Re: Desks", Message_ID="<3@x.example>", In_Reply_To="<2@x.example>", text="three",
                       files=[("a.pdf", "application/pdf", b"x", "")])  # fmt: skip
    read = deliver(first, second, flags=["\\Seen"])
    [new] = deliver(third)
    return [*read, new]


def address(inbox, talk):
    return f"/mail/{inbox.public_id}/{talk[-1].conversation.public_id}"


def test_read_letters_are_folded_and_the_newest_is_open(browser, inbox, talk):
    page = browser.get(address(inbox, talk)).content.decode()
    for letter, is_open in zip(talk, [False, False, True], strict=True):
        start = page.index(f'id="m-{letter.public_id}"')
        assert ("open" in page[start : page.index(">", start)]) is is_open


def test_each_letter_says_what_will_become_of_it(browser, inbox, talk):
    page = browser.get(address(inbox, talk)).content.decode()
    assert page.count("Leaves Webmail on") == 3
    assert "stays on imap.acme.example" in page


def test_takes_at_most_ten_queries(browser, inbox, talk, archive, trash):
    here = address(inbox, talk)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(here).status_code == 200
    assert len(asked) <= 10


def test_htmx_gets_the_letters_alone(browser, inbox, talk):
    part = browser.get(address(inbox, talk), headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<article") and "<html" not in part


def test_a_letter_of_another_mailbox_is_not_shown_beside_this_folder(browser, sign_in, inbox, talk, stranger):
    assert sign_in(stranger).get(address(inbox, talk)).status_code == 404


def test_the_subject_is_text(browser, inbox, deliver):
    letter = deliver(raw_letter("</title><script>alert(1)</script>"))[0]
    page = browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()
    assert "<script>alert" not in page


def test_attachments_are_listed_with_name_and_size(browser, inbox, talk):
    page = browser.get(address(inbox, talk)).content.decode()
    assert "a.pdf" in page and "1 bytes" in page
