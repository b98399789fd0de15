"""What a reader does with a conversation, by plain forms."""

import re

import pytest

from letterdesk.mailboxes.models import Grant, PendingChange
from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture
def letter(deliver):
    return deliver(raw_letter("Offer"))[0]


@pytest.fixture
def change(browser, letter, inbox):
    def post(what, *, client=None, **more):
        form = {"change": what, "folder": inbox.public_id, "next": f"/mail/{inbox.public_id}", **more}
        return (client or browser).post(f"/conversations/{letter.conversation.public_id}/changes", form)

    return post


def place(letter):
    return letter.placements.filter(hidden_at=None).get()


def test_reading_and_starring_change_flags_here_and_mean_it_for_the_server(change, letter, inbox):
    for what, seen, flagged in [("read", True, False), ("star", True, True), ("unread", False, True)]:
        assert change(what).headers["Location"] == f"/mail/{inbox.public_id}"
        assert (place(letter).is_seen, place(letter).is_flagged) == (seen, flagged)
    change("unstar")
    assert not place(letter).is_flagged
    assert PendingChange.objects.filter(kind="flags").exists()


def test_a_star_answers_htmx_with_itself(browser, letter):
    address = f"/conversations/{letter.conversation.public_id}/changes"
    answer = browser.post(address, {"change": "star"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert 'aria-pressed="true"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_archive_moves_and_can_be_taken_back(change, letter, browser, inbox, archive):
    change("archive")
    assert place(letter).folder == archive
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    assert "Archived." in page
    token = re.search(r'name="action" value="([^"]+)"', page)[1]
    browser.post("/undo", {"action": token, "next": "/"})
    assert place(letter).folder == inbox
    assert not PendingChange.objects.filter(kind="move").exists()


def test_delete_goes_to_trash_on_the_server_too(change, letter, trash):
    """R27"""
    change("delete")
    assert place(letter).folder == trash
    assert PendingChange.objects.get(kind="move").target == trash


def test_in_trash_it_is_deleted_for_good_only_when_confirmed(browser, deliver, trash):
    """R27"""
    letter = deliver(raw_letter("Old"), folder=trash)[0]
    address = f"/conversations/{letter.conversation.public_id}/changes"
    form = {"change": "delete", "folder": trash.public_id, "next": "/"}
    asked = browser.post(address, form)
    assert asked.status_code == 200 and "Delete for good?" in asked.content.decode()
    assert not PendingChange.objects.exists()
    browser.post(address, {**form, "sure": "yes"})
    assert PendingChange.objects.get().kind == "delete"


def test_without_the_right_a_delete_hides_it_from_that_person_and_says_so(
    change, letter, sign_in, browser, mailbox, jonas, inbox, trash
):
    """R27"""
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas, may_reply=True)
    mate = sign_in(jonas)
    change("delete", client=mate)
    assert place(letter).folder == inbox
    page = mate.get(f"/mail/{inbox.public_id}").content.decode()
    assert "Hidden from you alone" in page and "Offer" not in page
    assert "Offer" in browser.get(f"/mail/{inbox.public_id}").content.decode()
    hidden = mate.get("/mail/hidden").content.decode()
    assert "Offer" in hidden
    mate.post("/mail/hidden", {"letter": letter.public_id})
    assert "Offer" in mate.get(f"/mail/{inbox.public_id}").content.decode()


def test_without_an_archive_one_is_made(change, letter, browser, mailbox):
    change("archive")
    assert place(letter).folder == mailbox.folders.get(role="archive")


@pytest.mark.case("C17")
@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "\\\\evil.example", "/\\evil.example", "javascript:alert(1)", "evil",
     "http:evil.example", "/%0d%0aX: y", "///evil.example", "https:/evil.example", " //evil.example",
     "\t//evil.example", "/\t/evil.example", "https://127.0.0.1@evil.example", "data:text/html,x"],
)  # fmt: skip
def test_the_form_leads_to_our_own_pages_alone(change, target):
    answer = change("read", next=target)
    location = answer.headers["Location"]
    assert location.startswith("/") and not location.startswith(("//", "/\\"))


def test_nonsense_is_refused(change, browser, letter):
    assert change("explode").status_code == 404
    assert browser.get(f"/conversations/{letter.conversation.public_id}/changes").status_code == 405
