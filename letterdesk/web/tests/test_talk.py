"""Comments, shares and presence in the browser, with no script at all; and that no comment ever leaves (E16)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.lib import blobs
from letterdesk.mailboxes.models import Grant
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.mailboxes.tests.letters import letter as letter_in
from letterdesk.outbound import answering, drafts, send
from letterdesk.outbound.models import Delivery
from letterdesk.team import comments, presence, sharing
from letterdesk.team.models import Comment, Opening, Share
from letterdesk.web.live import written
from letterdesk.web.tests.conftest import raw_letter

MARKER = "Zebra-4711"


@pytest.fixture
def letter(deliver):
    return deliver(raw_letter("Offer", files=[("a.pdf", "application/pdf", b"%PDF-1", "")]))[0]


@pytest.fixture
def page(letter, inbox):
    return f"/mail/{inbox.public_id}/{letter.conversation.public_id}"


@pytest.fixture
def say(letter, page):
    def said(client, text, **more):
        return client.post(
            f"/conversations/{letter.conversation.public_id}/comments", {"text": text, "next": page, **more}
        )

    return said


def test_a_comment_stands_on_the_page_as_text(browser, say, page):
    assert say(browser, "<script>x</script> two & three")["Location"] == page
    shown = browser.get(page).content.decode()
    assert "&lt;script&gt;x&lt;/script&gt; two &amp; three" in shown and "only your team sees this" in shown


def test_its_author_alone_changes_and_deletes_it(browser, say, people, sign_in, page):
    say(browser, "Hello")
    row = Comment.objects.get()
    assert sign_in(people["reader"]).post(f"/comments/{row.public_id}", {"text": "x"}).status_code == 404
    browser.post(f"/comments/{row.public_id}", {"text": "Better", "next": page})
    assert "Better" in browser.get(page).content.decode()
    browser.post(f"/comments/{row.public_id}", {"text": "Better", "delete": "yes", "next": page})
    assert not Comment.objects.exists()


@pytest.mark.case("E16")
def test_no_comment_is_in_any_letter_print_or_download(browser, say, letter, ines, mailbox, now):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    say(browser, MARKER)
    for begin in (answering.reply, answering.reply_all, answering.forward):
        draft = begin(letter, by=ines, now=now)
        draft = drafts.save(draft, by=ines, seen=draft.version, now=now, to=[("", "di@client.example")])
        known = [each.key for each in send.moved_on.changes(draft)]
        send.send(draft, by=ines, seen=draft.version, now=now, known=known)
    raws = [blobs.get(each.account_id, each.blob) for each in Delivery.objects.all()]
    assert len(raws) == 3 and not any(MARKER.encode() in raw for raw in raws)
    for address in ("body", "source", "letter.eml"):
        assert MARKER.encode() not in browser.get(f"/messages/{letter.public_id}/{address}").content
    printed = f"/conversations/{letter.conversation.public_id}/print"
    assert MARKER not in browser.get(printed).content.decode()
    assert MARKER in browser.get(f"{printed}?comments=yes").content.decode()


def test_calling_somebody_without_access_asks_first(browser, say, people, letter):
    people["reader"].refresh_from_db()
    asked = say(browser, "@Jonas look, @Lea too")
    assert asked.status_code == 409 and "Jonas cannot read this conversation" in asked.content.decode()
    assert not Comment.objects.exists() and not Share.objects.exists()
    say(browser, "@Jonas look, @Lea too", outside="skip")
    assert Comment.objects.get().mentions == [people["reader"].public_id]
    say(browser, "@Jonas look", outside="share")
    assert Share.objects.get().employee == people["mate"]
    assert Comment.objects.last().mentions == [people["mate"].public_id]


def test_who_does_not_manage_the_mailbox_shares_nothing(say, people, sign_in):
    say(sign_in(people["reader"]), "@Jonas look", outside="share")
    assert Comment.objects.get().mentions == [] and not Share.objects.exists()


# Shares


@pytest.fixture
def shared(letter, people, now):
    sharing.share(letter.conversation, to=people["mate"], by=people["owner"], now=now)
    return letter


def addresses(letter):
    file = letter.attachments.get().public_id
    parts = [f"/messages/{letter.public_id}/{part}" for part in ("body", "source", "letter.eml", "attachments.zip")]
    return [f"/shared/{letter.conversation.public_id}", f"/attachments/{file}", *parts]


def test_who_got_it_reads_its_letters_and_files_until_it_is_taken_back(shared, people, sign_in, browser):
    mate = sign_in(people["mate"])
    assert [mate.get(each).status_code for each in addresses(shared)] == [200] * 6
    assert "Offer" in mate.get("/shared").content.decode()
    browser.post(f"/conversations/{shared.conversation.public_id}/shares/{people['mate'].public_id}/removal")
    assert [mate.get(each).status_code for each in addresses(shared)] == [404] * 6
    assert "Offer" not in mate.get("/shared").content.decode()


def test_the_page_says_nothing_of_the_mailbox_itself(shared, deliver, account, mailbox, people, sign_in, browser, page):
    """Folders, storage, what its people read; nor who wrote what lies in Spam."""
    told = browser.get(page).content.decode()
    assert all(each in told for each in ("<dt>Folders", "storage-line", "message unread"))
    mate, address = sign_in(people["mate"]), f"/shared/{shared.conversation.public_id}"
    unread = mate.get(address).content.decode()
    assert not any(each in unread for each in ("<dt>Folders", "storage-line", "message unread", "Inbox"))
    shared.placements.update(is_seen=True)
    assert unread.count('<details class="message"') == mate.get(address).content.decode().count(
        '<details class="message"'
    )


def test_a_row_names_who_wrote_what_is_shown_and_when(shared, mailbox, people, sign_in, now):
    hidden = letter_in(folder_of(mailbox, "Spam", "spam"), received_at=now + timedelta(minutes=5),
                       sender=("Mallory", "m@evil.example"), conversation=shared.conversation)  # fmt: skip
    conversation = type(shared.conversation).objects.get(pk=shared.conversation_id)
    assert "Mallory" in conversation.senders and conversation.newest_at == hidden.received_at
    shown = sign_in(people["mate"]).get("/shared").content.decode()
    assert "Mallory" not in shown and "Amara" in shown
    assert f'datetime="{hidden.received_at:%Y-%m-%dT%H:%M}' not in shown


def test_many_shared_conversations_cost_no_more_queries(shared, inbox, people, sign_in, now, django_assert_num_queries):
    mate = sign_in(people["mate"])
    mate.get("/shared")
    with CaptureQueriesContext(connection) as few:
        mate.get("/shared")
    for number in range(4):
        other = letter_in(inbox, received_at=now, subject=f"Order {number}").conversation
        sharing.share(other, to=people["mate"], by=people["owner"], now=now)
    with django_assert_num_queries(len(few)):
        assert "Order 3" in mate.get("/shared").content.decode()


def test_other_letters_searches_and_suggestions_stay_closed(shared, deliver, people, sign_in, page):
    other = deliver(
        raw_letter("Salaries", sender="Eve <eve@evil.example>", files=[("b.pdf", "application/pdf", b"%PDF", "")])
    )[0]
    mate = sign_in(people["mate"])
    assert {mate.get(each).status_code for each in [*addresses(other), page]} == {404}
    assert "Offer" not in mate.get("/search?q=offer").content.decode()
    assert "okafor" not in mate.get("/recipients?q=amara").content.decode()
    assert mate.post("/mail/compose", {"kind": "reply", "letter": shared.public_id}).status_code == 404
    printed = mate.get(f"/conversations/{shared.conversation.public_id}/print")
    assert printed.status_code == 404


@pytest.mark.parametrize("number", range(6))
def test_whatever_of_it_is_opened_its_owner_sees_who_did(shared, people, sign_in, browser, number):
    sign_in(people["mate"]).get(addresses(shared)[number])
    assert Opening.objects.get().employee == people["mate"]
    told = browser.get(f"/conversations/{shared.conversation.public_id}/shares").content.decode()
    assert "Who opened it" in told and told.count("Jonas") >= 2


def test_who_reads_by_a_right_is_not_noted(shared, people, sign_in):
    for person in ("owner", "reader"):
        for each in addresses(shared)[1:]:
            assert sign_in(people[person]).get(each).status_code == 200
    assert not Opening.objects.exists()


def test_what_has_left_webmail_is_shared_with_nobody(shared, people, sign_in, deliver, now):
    """R20."""
    type(shared).objects.filter(pk=shared.pk).update(received_at=now - timedelta(days=400))
    mate = sign_in(people["mate"])
    assert {mate.get(each).status_code for each in addresses(shared)} == {404}


# Presence and followers


def test_a_page_shows_who_else_is_there(browser, letter, page, people, sign_in):
    address = f"/conversations/{letter.conversation.public_id}/presence"
    assert "Lea" not in browser.post(address, {"as": "reading"}).content.decode()
    told = sign_in(people["reader"]).post(address, {"as": "writing"}).content.decode()
    assert "Ines is reading" in told
    assert "Lea is writing" in browser.get(page).content.decode()
    sign_in(people["reader"]).post(address, {"as": "gone"})
    assert "Lea" not in browser.get(address).content.decode()


def test_whoever_leaves_a_conversation_that_is_gone_meanwhile_hears_of_no_error(letter, people, sign_in, now):
    """R20."""
    address = f"/conversations/{letter.conversation.public_id}/presence"
    mate = sign_in(people["mate"])
    assert mate.post(address, {"as": "gone"}).status_code == 204
    assert mate.post(address, {"as": "reading"}).status_code == 404


def test_presence_is_in_the_stream_without_a_number_and_without_a_name(letter, ines, now):
    from letterdesk.events.models import Event

    told = written(
        Event(kind="presence.changed", topic=letter.mailbox.topic, facts={"conversations": ["abc"]})
    ).decode()
    assert told.startswith("event: change\n") and "Ines" not in told and '"conversations": ["abc"]' in told
    presence.here(letter.conversation, employee=ines, writing=False, now=now)
    from letterdesk.web.live import Station

    station = Station()
    assert [each.facts["conversations"] for each in station._present()] == [[letter.conversation.public_id]]


def test_following_and_no_more(browser, letter, page, ines):
    address = f"/conversations/{letter.conversation.public_id}/followers"
    browser.post(address, {"next": page})
    assert "Do not follow any more" in browser.get(page).content.decode()
    browser.post(address, {"next": page, "stop": "yes"})
    assert "Do not follow any more" not in browser.get(page).content.decode()


def test_many_comments_cost_no_more_queries(browser, letter, page, ines, mailbox, now, django_assert_max_num_queries):
    browser.get(page)
    with CaptureQueriesContext(connection) as few:
        browser.get(page)
    for number in range(5):
        comments.add(letter.conversation, f"Number {number}", by=ines, now=now)
    with django_assert_max_num_queries(len(few)):
        browser.get(page)
    assert Grant.objects.filter(mailbox=mailbox).count() <= 1
