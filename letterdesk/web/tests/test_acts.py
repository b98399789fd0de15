"""Many conversations at once, the other lists, and their words: by plain forms, without JavaScript."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.mailboxes.labels import make_label
from letterdesk.mailboxes.models import Action, Folder, Grant, Label, Mailbox, Mark, PendingChange, Placement
from letterdesk.web.mail.snoozing import BadMoment, moment, presets
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_inbox import subjects


@pytest.fixture
def letters(deliver, now):
    return [deliver(raw_letter(f"Letter {number}"), at=now - timedelta(minutes=number))[0] for number in range(5)]


@pytest.fixture
def do(browser, letters, inbox):
    def post(change, *, client=None, of=None, **more):
        ticked = [f"{one.conversation.public_id}.{inbox.public_id}" for one in (letters[:3] if of is None else of)]
        form = {"change": change, "c": ticked, "folder": inbox.public_id, "next": f"/mail/{inbox.public_id}", **more}
        return (client or browser).post("/acts", form)

    return post


def page(browser, inbox, query=""):
    return browser.get(f"/mail/{inbox.public_id}{query}")


def test_ticked_conversations_are_archived_together_and_taken_back_from_recent_actions(do, browser, inbox, archive):
    assert do("archive").headers["Location"] == f"/mail/{inbox.public_id}"
    shown = page(browser, inbox)
    assert subjects(shown) == ["Letter 3", "Letter 4"]
    assert "3 conversations: archived." in shown.content.decode()
    recent = browser.get("/recent").content.decode()
    token = re.search(r'name="action" value="([^"]+)"', recent)[1]
    browser.post("/undo", {"action": token, "next": "/"})
    assert len(subjects(page(browser, inbox))) == 5
    assert "taken back" in browser.get("/recent").content.decode()


def test_in_a_shared_mailbox_the_note_says_that_it_is_for_everyone(do, browser, inbox, mailbox, jonas, archive):
    do("star")
    assert "3 conversations: starred." in page(browser, inbox).content.decode()
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    do("pin")
    assert "3 conversations: pinned to the top in Ines for everyone." in page(browser, inbox).content.decode()


def test_all_that_match_are_those_of_the_filter_on_all_pages(browser, inbox, deliver, trash):
    deliver(*(raw_letter(f"Seen {number}") for number in range(5)), flags=["\\Seen"])
    deliver(*(raw_letter(f"Unseen {number}") for number in range(60)))
    form = {"change": "read", "all": "1", "folder": inbox.public_id, "next": "/"}
    browser.post("/acts?show=unread", form)
    assert Action.objects.get().count == 60
    assert not Placement.objects.filter(is_seen=False).exists()
    browser.post("/acts", {**form, "change": "delete"})
    assert Placement.objects.filter(folder=trash).count() == 65


def test_all_that_match_in_an_empty_list_is_not_found(browser, archive):
    form = {"change": "read", "all": "1", "folder": archive.public_id}
    assert browser.post("/acts", form).status_code == 404


def test_nothing_ticked_is_told_and_nonsense_is_not_found(do, browser, inbox):
    do("archive", of=[])
    assert "Nothing is selected" in page(browser, inbox).content.decode()
    assert do("explode").status_code == 404
    assert do("move:aaaaaaaaaaaaaaaa").status_code == 404
    assert do("label:aaaaaaaaaaaaaaaa").status_code == 404


@pytest.mark.case("C18")
def test_ids_of_others_in_a_bulk_action_do_nothing_and_tell_nothing(
    do, letters, sign_in, jonas, stranger, mailbox, inbox
):
    invented = [f"{'a' * 16}.{inbox.public_id}"]
    for who in (jonas, stranger):
        client = sign_in(who)
        for change in ("read", "archive", "delete", "pin", "snooze:tomorrow", f"move:{inbox.public_id}"):
            foreign = do(change, client=client)
            unknown = client.post("/acts", {"change": change, "c": invented, "next": "/"})
            assert foreign.status_code == unknown.status_code == 404
            whole = client.post("/acts", {"change": change, "all": "1", "folder": inbox.public_id})
            assert whole.status_code == 404
    assert not PendingChange.objects.exists() and not Mark.objects.exists()


@pytest.mark.case("C18")
def test_targets_and_labels_of_other_mailboxes_are_refused(do, account, jonas, mailbox, letters):
    other = Mailbox.objects.create(account=account, owner=jonas, address="j@acme.example", name="J")
    folder = Folder.objects.create(account=account, mailbox=other, name="X", wire_name="X")
    assert do(f"move:{folder.public_id}").status_code == 404
    assert do(f"label:{make_label(other, 'Theirs').public_id}").status_code == 404
    assert do("label", new_label="Mine", mailbox=other.public_id).status_code == 404
    assert not Label.objects.filter(name="Mine").exists()


def test_a_new_label_is_made_given_shown_listed_renamed_and_deleted(do, browser, inbox, mailbox):
    do("label", new_label="Urgent", mailbox=mailbox.public_id)
    label = Label.objects.get()
    shown = page(browser, inbox).content.decode()
    assert shown.count("<bdi>Urgent</bdi></span>") >= 3
    assert len(subjects(browser.get(f"/mail/labels/{label.public_id}"))) == 3
    browser.post(f"/labels/{label.public_id}", {"name": "Not so urgent", "colour": "ok"})
    assert "Not so urgent" in browser.get(f"/mailboxes/{mailbox.public_id}/labels").content.decode()
    browser.post(f"/labels/{label.public_id}", {"change": "delete"})
    assert not Label.objects.exists()
    assert len(subjects(page(browser, inbox))) == 5


def test_names_of_labels_with_markup_are_text(do, browser, inbox, mailbox):
    """C05"""
    do("label", new_label="<img src=x>", mailbox=mailbox.public_id)
    shown = page(browser, inbox).content.decode()
    assert "<img src=x>" not in shown and "&lt;img src=x&gt;" in shown


def test_snoozed_ones_are_listed_apart_until_they_wake(do, browser, inbox):
    do("snooze:tomorrow")
    assert len(subjects(page(browser, inbox))) == 2
    asleep = browser.get("/mail/snoozed")
    assert len(subjects(asleep)) == 3
    form = {"change": "wake", "all": "1", "list": "snoozed", "next": "/"}
    browser.post("/acts", form)
    assert len(subjects(page(browser, inbox))) == 5
    answer = do("snooze", until="1999-01-01T08:00")
    assert answer.status_code == 302
    assert "That is over already" in page(browser, inbox).content.decode()


def test_reading_a_conversation_that_is_back_takes_its_weight(do, browser, letters, inbox, now):
    do("read")
    do("snooze:tomorrow")
    Mark.objects.update(snoozed_until=now)
    assert page(browser, inbox).content.decode().count('class="row unread"') == 5  # two are new, three are back
    browser.post(f"/conversations/{letters[0].conversation.public_id}/seen")
    assert page(browser, inbox).content.decode().count('class="row unread"') == 4


def test_all_inboxes_are_one_list_whose_rows_name_their_mailbox(browser, account, ines, inbox, deliver, letters):
    second = Mailbox.objects.create(account=account, owner=ines, address="two@acme.example", name="Second")
    other = Folder.objects.create(
        account=account, mailbox=second, name="INBOX", wire_name="INBOX", role="inbox", uidvalidity=1
    )
    deliver(raw_letter("Elsewhere"), folder=other)
    shown = browser.get("/mail")
    assert set(subjects(shown)) == {"Elsewhere", *(f"Letter {number}" for number in range(5))}
    text = shown.content.decode()
    assert '<span class="chip"><bdi>Second</bdi></span>' in text
    address = re.search(r'<a id="a-[^"]*" href="([^"]*)"', text)[1].replace("&amp;", "&")
    opened = browser.get(address).content.decode()
    assert 'id="list-title"><bdi>All inboxes' in opened
    assert 'action="/acts?' in text and 'name="list" value="all"' in text


def test_newsletters_are_one_row_each_unless_switched_off(browser, inbox, deliver):
    for number in range(3):
        deliver(raw_letter(f"News {number}", sender="Weekly <w@x.example>", List_Id="<weekly.x.example>"))
    deliver(raw_letter("Alone", List_Id="<single.x.example>"), raw_letter("Personal"))
    shown = page(browser, inbox).content.decode()
    assert shown.count('<li class="bundle"') == 1
    assert "3 unread newsletters" in shown
    browser.post("/mail/bundles", {"bundles": "off", "next": "/"})
    assert "bundle" not in re.sub(r'(css/|name="|mail/)bundle', "", page(browser, inbox).content.decode())


def test_oldest_first_and_attachments(browser, inbox, deliver, letters):
    deliver(raw_letter("With", files=[("a.pdf", "application/pdf", b"%PDF", "")]))
    assert subjects(page(browser, inbox, "?sort=oldest"))[0] == "Letter 4"
    assert subjects(page(browser, inbox, "?show=attachments")) == ["With"]


def test_a_list_with_labels_marks_and_bundles_takes_at_most_eleven_queries(do, browser, inbox, mailbox, jonas, letters):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    do("pin")
    do("label", new_label="Urgent", mailbox=mailbox.public_id)
    page(browser, inbox)
    for address in (f"/mail/{inbox.public_id}", "/mail", f"/mail/labels/{Label.objects.get().public_id}"):
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        assert len(asked) <= 11, [query["sql"][:80] for query in asked]


def test_a_script_gets_the_notes_alone_and_refusals_as_such(do, browser, letters, inbox, trash, deliver):
    answer = do("archive", headers={"HX-Request": "true"})
    assert answer.status_code == 302  # a form field is no header
    ticked = f"{letters[3].conversation.public_id}.{inbox.public_id}"
    form = {"change": "star", "c": ticked, "folder": inbox.public_id}
    script = {"HX-Request": "true"}
    told = browser.post("/acts", form, headers=script)
    assert told.status_code == 200 and 'class="toast' in told.content.decode()
    assert browser.post("/acts", {**form, "change": "snooze", "until": "x"}, headers=script).status_code == 409
    old = deliver(raw_letter("Old"), folder=trash)[0]
    ticked = f"{old.conversation.public_id}.{trash.public_id}"
    assert browser.post("/acts", {"change": "delete", "c": ticked}, headers=script).status_code == 428  # R27
    asked = browser.post("/acts", {"change": "delete", "c": ticked}).content.decode()
    assert "Delete for good?" in asked and f'name="c" value="{ticked}"' in asked
    browser.post("/acts", {"change": "delete", "c": ticked, "sure": "yes"})
    assert PendingChange.objects.filter(kind="delete").count() == 1


def test_all_that_a_search_finds_and_no_more(browser, inbox, deliver, archive, sign_in, stranger):
    deliver(*(raw_letter(f"Offer {number}") for number in range(60)))
    deliver(raw_letter("Other"))
    shown = browser.get("/search?q=offer").content.decode()
    assert "Select all that this search finds" in shown and shown.count('name="c"') == 50
    form = {"change": "archive", "all": "1", "q": "subject:offer", "next": "/"}
    assert sign_in(stranger).post("/acts", form).status_code == 404
    browser.post("/acts", form)
    assert Placement.objects.filter(folder=archive).count() == 60
    browser.post("/acts", {**form, "q": "is:nonsense"})
    assert "is not known" in browser.get(f"/mail/{inbox.public_id}").content.decode()


BERLIN = ZoneInfo("Europe/Berlin")


def test_presets_are_in_the_readers_zone_and_still_to_come():
    saturday_evening = datetime(2026, 11, 28, 20, 30, tzinfo=BERLIN)
    offered = {offer.key: offer.at for offer in presets(saturday_evening)}
    assert offered == {
        "tomorrow": datetime(2026, 11, 29, 8, tzinfo=BERLIN),
        "week": datetime(2026, 11, 30, 8, tzinfo=BERLIN),
    }
    monday = datetime(2026, 11, 30, 9, 15, tzinfo=BERLIN)
    assert [offer.key for offer in presets(monday)] == ["later", "tomorrow", "weekend", "week"]
    assert presets(monday)[0].at == datetime(2026, 11, 30, 12, tzinfo=BERLIN)
    before_summer_time = datetime(2026, 3, 28, 10, tzinfo=BERLIN)
    assert moment("tomorrow", before_summer_time).hour == 6  # 8 o'clock, as the clock says it then


@pytest.mark.parametrize("typed", ["", "x", "2026-11-30T08:59", "2099-01-01T00:00", "tomorrow'; --"])
def test_a_moment_that_cannot_be_is_refused_in_words(typed):
    with pytest.raises(BadMoment):
        moment(typed, datetime(2026, 11, 30, 9, tzinfo=BERLIN))
