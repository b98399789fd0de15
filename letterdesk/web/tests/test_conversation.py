"""The page of a conversation."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.mailboxes.models import Message, Placement
from letterdesk.web.templatetags.letterdesk import direction
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


def test_takes_at_most_eighteen_queries(browser, inbox, talk, archive, trash):
    here = address(inbox, talk)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(here).status_code == 200
    assert len(asked) <= 18  # with own times, its history, comments, who is there, who follows, whom it reached


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


@pytest.fixture
def long_talk(deliver):
    """Nine letters, the last two unread."""
    raws = [raw_letter("Desks", Message_ID="<0@x.example>", text="0")]
    raws += [
        raw_letter("Re: Desks", Message_ID=f"<{n}@x.example>", In_Reply_To=f"<{n - 1}@x.example>", text=str(n))
        for n in range(1, 9)
    ]
    return [*deliver(*raws[:7], flags=["\\Seen"]), *deliver(*raws[7:])]


def test_several_read_letters_in_the_middle_are_folded_and_counted(browser, inbox, long_talk):
    page = browser.get(address(inbox, long_talk)).content.decode()
    assert "5 earlier letters" in page
    first, last = page.index("5 earlier letters"), page.index('id="m-' + long_talk[6].public_id)
    folded = page[first:last]
    inside = [letter.public_id for letter in long_talk if f'id="m-{letter.public_id}"' in folded]
    assert inside == [letter.public_id for letter in long_talk[1:6]]
    assert page.count(" open>") == 2


def test_what_came_since_the_last_look_is_marked(browser, inbox, long_talk, deliver):
    page = browser.get(address(inbox, long_talk)).content.decode()
    assert "Since you last looked" not in page
    seen = f"/conversations/{long_talk[0].conversation.public_id}/seen"
    assert browser.post(seen, {"letters": ""}).status_code == 204
    assert "Since you last looked" not in browser.get(address(inbox, long_talk)).content.decode()
    Message.objects.filter(pk=long_talk[-1].pk).update(first_seen_at=timezone.now())
    page = browser.get(address(inbox, long_talk)).content.decode()
    assert page.index(long_talk[-2].public_id) < page.index("Since you last looked")
    assert page.index("Since you last looked") < page.index(f'id="m-{long_talk[-1].public_id}"')


def test_letters_that_were_in_sight_are_read_those_alone(browser, sign_in, people, long_talk):
    seen = f"/conversations/{long_talk[0].conversation.public_id}/seen"
    unread = Placement.objects.filter(is_seen=False)
    sign_in(people["reader"]).post(seen, {"letters": long_talk[-1].public_id})
    assert unread.count() == 2  # who only reads marks nothing
    browser.post(seen, {"letters": f"{long_talk[-1].public_id},nonsense,"})
    assert [place.message_id for place in unread] == [long_talk[-2].pk]


def test_the_neighbours_in_the_list_have_addresses(browser, inbox, deliver, now):
    letters = [deliver(raw_letter(f"Number {n}"), at=now - timedelta(hours=n))[0] for n in range(3)]
    page = browser.get(f"/mail/{inbox.public_id}/{letters[1].conversation.public_id}").content.decode()
    steps = re.findall(r'data-step="(-?1)"[^>]*href="/mail/[^/]+/([a-z2-7]+)"', page)
    assert steps == [("-1", letters[0].conversation.public_id), ("1", letters[2].conversation.public_id)]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: عرض السعر", "rtl"),
        ("AW: [liste] שלום", "rtl"),
        ("Re: Offer عرض", "ltr"),
        ("123 – 456", "auto"),
        ("", "auto"),
    ],
)
def test_a_subject_has_the_direction_of_its_own_words(subject, expected):
    assert direction(subject) == expected
