"""Writing in the browser, with no script at all: begin, save, files, send, stop; who may, and what is said (C21)."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import UNDO_SECONDS
from letterdesk.mailboxes.models import Grant, MailboxState
from letterdesk.outbound import drafts, send
from letterdesk.outbound.models import Delivery, Draft, DraftFile, State
from letterdesk.plans.models import Subscription
from letterdesk.web.tests.conftest import raw_letter

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
TABLE = "<table><tbody><tr><td style='color:red' bgcolor='#eee'>Price</td></tr></tbody></table>"

FIRST = "<first@okafor.example>"


@pytest.fixture(autouse=True)
def sends(mailbox):
    """The mailbox has a server to send through; nothing is delivered in these tests."""
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])


@pytest.fixture
def letter(deliver):
    return deliver(raw_letter("Offer", text="pineapple", html=f"<p>Our offer</p>{TABLE}", Message_ID=FIRST))[0]


@pytest.fixture
def begin(browser):
    """Begin a letter, or an answer; returns the draft."""

    def begun(client=browser, **form):
        answer = client.post("/mail/compose", form)
        assert answer["Location"].startswith("/drafts/"), answer["Location"]
        return Draft.objects.get(public_id=answer["Location"].rpartition("/")[2])

    return begun


def form(draft, **more):
    line = ", ".join(address for _name, address in draft.to)
    given = {"seen": draft.version, "to": line, "cc": "", "bcc": "", "subject": draft.subject, "format": "html"}
    return given | {"html": draft.body_html or "<p>Hello</p>", "sender": draft.mailbox.public_id} | more


def alert(answer):
    found = re.search(r'role="alert".*?</div>', answer.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split()) if found else ""


# Beginning


def test_an_empty_letter_that_was_left_is_taken_up_again(begin):
    assert begin() == begin()


def test_an_answer_quotes_the_letter_with_its_table(browser, begin, letter):
    draft = begin(letter=letter.public_id, kind="reply")
    assert draft.to == [["Amara", "amara@okafor.example"]]
    page = browser.get(f"/drafts/{draft.public_id}").content.decode()
    assert "color: red" in page
    assert 'bgcolor="#eee"' in page


@pytest.mark.parametrize("kind", ["", "steal"])
def test_an_unknown_kind_of_answer_is_refused(browser, letter, kind):
    assert browser.post("/mail/compose", {"letter": letter.public_id, "kind": kind}).status_code == 404


def test_without_a_mailbox_to_write_from_it_is_said(sign_in, people):
    answer = sign_in(people["reader"]).post("/mail/compose", follow=True)
    assert "no mailbox from which you may write" in answer.content.decode()


def test_nobody_answers_in_a_suspended_mailbox(browser, mailbox, letter):  # R13
    mailbox.state = MailboxState.SUSPENDED
    mailbox.save(update_fields=["state"])
    assert browser.post("/mail/compose", {"letter": letter.public_id, "kind": "reply"}).status_code == 404


# Saving


def test_what_is_written_is_saved_and_told(browser, begin):
    draft = begin()
    answer = browser.post(
        f"/drafts/{draft.public_id}", form(draft, to='"Okafor, Amara" <a@b.example>; c@d.example', subject="Hi"),
        headers={"HX-Request": "true"},
    )  # fmt: skip
    draft.refresh_from_db()
    assert draft.to == [["Okafor, Amara", "a@b.example"], ["", "c@d.example"]]
    assert answer.json()["version"] == draft.version
    assert answer.json()["told"].startswith("Draft saved ")


@pytest.mark.case("C21")
def test_what_is_pasted_is_cleaned_when_it_is_saved(browser, begin):
    draft = begin()
    html = (
        '<p onclick="x()">Hi</p><script>x()</script><img src="https://track.example/a.png">'
        f'<img src="file:///etc/passwd"><a href="javascript:x()">go</a>{TABLE}'
    )
    browser.post(f"/drafts/{draft.public_id}", form(draft, html=html))
    draft.refresh_from_db()
    assert not re.search(r"script|onclick|track\.example|file:", draft.body_html)
    assert "color: red" in draft.body_html


def test_a_newer_version_is_named_and_nothing_is_overwritten(browser, begin, ines, now):
    draft = begin()
    drafts.save(draft, by=ines, seen=draft.version, now=now, subject="Theirs")
    answer = browser.post(f"/drafts/{draft.public_id}", form(draft, subject="Mine"))
    assert answer.status_code == 409
    assert "saved another version" in alert(answer)
    assert 'value="Mine"' in answer.content.decode()
    draft.refresh_from_db()
    assert draft.subject == "Theirs"
    told = browser.post(f"/drafts/{draft.public_id}", form(draft, seen=1), headers={"HX-Request": "true"})
    assert (told.status_code, told.json()["newer"]) == (409, draft.version)


def test_a_colleague_who_writes_is_named_until_one_takes_over(sign_in, browser, begin, letter, mailbox, jonas):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    draft = begin(letter=letter.public_id, kind="reply")
    colleague, page = sign_in(jonas), f"/drafts/{draft.public_id}"
    assert "Ines is writing in this draft" in colleague.get(page).content.decode()
    assert colleague.post(page, form(draft, subject="Mine")).status_code == 409
    colleague.post(f"{page}/writer")
    assert colleague.post(page, form(draft, subject="Mine")).status_code == 302


def test_without_a_script_an_untouched_rich_letter_stays_rich(browser, begin, letter):
    draft = begin(letter=letter.public_id, kind="reply")
    kept = draft.body_html
    browser.post(f"/drafts/{draft.public_id}", form(draft, format="text", text=draft.body_text, html=""))
    draft.refresh_from_db()
    assert draft.body_html == kept
    browser.post(f"/drafts/{draft.public_id}", form(draft, format="text", text="All new", html=""))
    draft.refresh_from_db()
    assert (draft.body_html, draft.body_text) == ("", "All new")


def test_a_page_whose_editor_failed_takes_no_text_away(browser, begin, letter):
    draft = begin(letter=letter.public_id, kind="reply")
    kept = draft.body_html
    browser.post(f"/drafts/{draft.public_id}", {**form(draft, format="html", text=draft.body_text), "html": ""})
    draft.refresh_from_db()
    assert draft.body_html == kept


def test_what_was_discarded_comes_back_by_the_note_until_it_is_removed(browser, begin, sign_in, jonas, stranger):
    draft = begin()
    where = f"/drafts/{draft.public_id}"
    browser.post(where, form(draft, subject="Hi"))
    browser.post(f"{where}/files", {"file": SimpleUploadedFile("a.txt", b"x", "text/plain")})
    file = f"/draft-files/{DraftFile.objects.get().public_id}"
    noted = browser.post(f"{where}/discarding", follow=True).content.decode()
    assert "The draft is discarded." in noted and f'action="{where}/restoring"' in noted
    assert [browser.get(each).status_code for each in (where, file)] == [404, 404]
    assert "No drafts" in browser.get("/drafts").content.decode()
    assert [sign_in(each).post(f"{where}/restoring").status_code for each in (jonas, stranger)] == [404, 404]
    assert browser.post(f"{where}/restoring")["Location"] == where
    shown = browser.get(where).content.decode()
    assert 'value="Hi"' in shown and "a.txt" in shown
    browser.post(f"{where}/discarding")
    drafts.remove_discarded(now=timezone.now() + drafts.RESTORABLE - timedelta(seconds=10))
    assert Draft.objects.exists()
    drafts.remove_discarded(now=timezone.now() + drafts.RESTORABLE)
    assert not Draft.objects.exists() and browser.post(f"{where}/restoring").status_code == 404


# Files


def test_a_picture_stands_in_the_text_and_a_file_beside_it(browser, begin):
    draft = begin()
    address = f"/drafts/{draft.public_id}/files"
    ajax = {"headers": {"HX-Request": "true"}}
    kept = browser.post(address, {"file": SimpleUploadedFile("a.png", PNG, "image/png"), "inline": "yes"}, **ajax)
    browser.post(address, {"file": SimpleUploadedFile("page.html", b"<script>", "text/html")}, **ajax)
    picture, page = DraftFile.objects.order_by("pk")
    assert f'data-address="/draft-files/{picture.public_id}"' in kept.content.decode()
    shown = f'<p><img src="/draft-files/{picture.public_id}" alt="a"></p>'
    browser.post(f"/drafts/{draft.public_id}", form(draft, html=shown))
    draft.refresh_from_db()
    assert f"cid:{picture.content_id}" in draft.body_html
    assert f'src="/draft-files/{picture.public_id}"' in browser.get(f"/drafts/{draft.public_id}").content.decode()
    assert browser.get(f"/draft-files/{picture.public_id}")["Content-Type"] == "image/png"
    assert browser.get(f"/draft-files/{page.public_id}")["Content-Disposition"].startswith("attachment")  # rule 9


def test_what_is_no_picture_is_never_shown_as_one(browser, begin):
    address = f"/drafts/{begin().public_id}/files"
    drawing = SimpleUploadedFile("a.svg", b"<svg onload='x()'>", "image/svg+xml")
    browser.post(address, {"file": drawing, "inline": "yes"})
    file = DraftFile.objects.get()
    assert file.content_id == ""
    assert "attachment" in browser.get(f"/draft-files/{file.public_id}")["Content-Disposition"]


def test_taking_a_file_out_without_a_script_keeps_what_is_written(browser, begin):
    draft = begin()
    browser.post(f"/drafts/{draft.public_id}/files", {"file": SimpleUploadedFile("a.txt", b"x", "text/plain")})
    file = DraftFile.objects.get()
    browser.post(f"/draft-files/{file.public_id}/removal", form(draft, subject="Kept"))
    draft.refresh_from_db()
    assert (draft.subject, draft.files.count()) == ("Kept", 0)


# Sending


def test_a_letter_is_sent_and_can_be_stopped_by_the_note(browser, begin, letter):
    draft = begin(letter=letter.public_id, kind="reply")
    answer = browser.post(f"/drafts/{draft.public_id}/sending", form(draft), follow=True)
    delivery = Delivery.objects.get()
    assert delivery.state == State.QUEUED
    assert "Sent." in answer.content.decode()
    assert f'action="/outbox/{delivery.public_id}/stopping"' in answer.content.decode()
    assert browser.get(f"/drafts/{draft.public_id}")["Location"] == "/outbox"
    stopped = browser.post(f"/outbox/{delivery.public_id}/stopping")
    assert stopped["Location"] == f"/drafts/{draft.public_id}"
    assert Draft.objects.get().sent_at is None


def test_send_and_close_closes_for_everyone_and_undo_takes_both_back(browser, begin, letter, mailbox, jonas, archive):
    alone = begin(letter=letter.public_id, kind="reply")
    assert "Send and close" not in browser.get(f"/drafts/{alone.public_id}").content.decode()
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    type(letter.conversation).objects.update(status="open")
    assert "Send and close" in browser.get(f"/drafts/{alone.public_id}").content.decode()
    asked = browser.post(f"/drafts/{alone.public_id}/sending", form(alone, subject="", close="yes"))
    assert '<input type="hidden" name="close" value="yes">' in asked.content.decode()  # the question loses nothing
    alone.refresh_from_db()
    answer = browser.post(f"/drafts/{alone.public_id}/sending", form(alone, close="yes", sure="yes"), follow=True)
    assert "Sent, and closed for everyone." in answer.content.decode()
    letter.conversation.refresh_from_db()
    assert letter.conversation.status == "closed"
    browser.post(f"/outbox/{Delivery.objects.get().public_id}/stopping")
    letter.conversation.refresh_from_db()
    assert letter.conversation.status == "open" and Draft.objects.get().sent_at is None
    pair = f"{letter.conversation.public_id}.{letter.placements.get().folder.public_id}"
    browser.post("/acts", {"change": "close", "c": pair, "next": "/mail"})
    again = Draft.objects.get()
    browser.post(f"/drafts/{again.public_id}/sending", form(again, close="yes", sure="yes"))
    stopped = browser.post(f"/outbox/{Delivery.objects.latest('pk').public_id}/stopping")
    letter.conversation.refresh_from_db()
    assert stopped.status_code == 302 and letter.conversation.status == "closed"  # it was before the letter


def test_a_letter_waits_as_long_as_its_writer_wants(browser, begin, ines):
    """What the page of settings keeps is what the sending reads: once they used two names."""
    assert browser.post("/settings/signatures", {"undo": "7"}).status_code == 404
    for chosen, seconds in [("30", 30), ("0", 0), ("", UNDO_SECONDS)]:
        browser.post("/settings/signatures", {"undo": chosen})
        draft = begin()
        browser.post(f"/drafts/{draft.public_id}/sending", form(draft, to="bo@example.org", subject="Hi", sure="yes"))
        sent = Delivery.objects.get(draft=draft)
        assert (sent.due_at - sent.created_at).total_seconds() == seconds


def test_what_has_left_is_not_stopped(browser, begin):
    draft = begin()
    browser.post(f"/drafts/{draft.public_id}/sending", form(draft, to="a@b.example", subject="Hi"))
    Delivery.objects.update(state=State.SENDING)
    answer = browser.post(f"/outbox/{Delivery.objects.get().public_id}/stopping", follow=True)
    assert "has left already" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"to": ""}, "Say to whom this letter goes."),
        ({"to": "Bob"}, "Bob is no e-mail address."),
        ({"later": "at", "later_at": "2020-01-01T10:00"}, "That is over already."),
        ({"later": "at", "later_at": ""}, "Choose a day and a time"),
    ],
)
def test_what_keeps_it_from_going_out_is_named_and_the_draft_kept(browser, begin, fields, told):
    draft = begin()
    more = {"to": "a@b.example", "subject": "Hi"} | fields
    answer = browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **more))
    assert answer.status_code == 422
    assert told in alert(answer)
    assert Draft.objects.get().sent_at is None


def test_a_doubt_is_told_once_and_then_it_goes(browser, begin):
    draft = begin()
    wish = {"to": "a@b.example", "html": "<p>See the attached list</p>", "later": "tomorrow"}
    answer = browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **wish))
    assert "It has no subject." in alert(answer)
    assert "there is none" in alert(answer)
    draft.refresh_from_db()
    browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **wish, sure="yes"))
    delivery = Delivery.objects.get()
    assert delivery.due_at - delivery.created_at > timedelta(minutes=10)


def test_not_in_the_plan_and_used_up_are_two_errors(browser, begin, account, now):
    """R22, R24"""
    from letterdesk.plans import usage
    from letterdesk.plans.models import Usage

    draft = begin()
    Usage.objects.create(account=account, month=usage.month_of(account, now), used=50_000)
    wish = {"to": "a@b.example", "subject": "Hi"}
    used_up = browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **wish))
    Subscription.objects.filter(account=account).update(plan="free")
    draft.refresh_from_db()
    not_in_plan = browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **wish))
    assert "used up" in alert(used_up)
    assert "not in your plan" in alert(not_in_plan)
    assert not Delivery.objects.exists()


# Lists and rights


def test_an_answer_takes_few_queries_however_long_the_conversation(browser, letter, deliver):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            answer = browser.post("/mail/compose", {"letter": letter.public_id, "kind": "reply"}, follow=True)
            assert answer.status_code == 200
        return len(asked)

    once = queries()
    deliver(*[raw_letter("Re: Offer", text=f"and {number}", In_Reply_To=FIRST) for number in range(8)])
    assert queries() == once == 33, once


def test_lists_take_the_same_queries_for_one_and_for_many(browser, ines, mailbox, now):
    def queries(address):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert browser.get(address).status_code == 200
        return len(asked)

    def write(count):
        for number in range(count):
            wish = {"to": [("", f"a{number}@b.example")], "subject": "Hi", "body_text": "x"}
            drafts.start(mailbox, by=ines, now=now, **wish)
            draft = drafts.start(mailbox, by=ines, now=now, **wish)
            send.send(draft, by=ines, seen=draft.version, now=now)

    write(1)
    browser.get("/drafts")
    before = [queries("/drafts"), queries("/outbox")]
    write(4)
    assert [queries("/drafts"), queries("/outbox")] == before


def test_a_dismissed_writer_sees_no_draft(browser, begin, ines, now):
    draft = begin()
    Employee.objects.filter(pk=ines.pk).update(dismissed_at=now)
    assert browser.get(f"/drafts/{draft.public_id}").status_code in {302, 404}
    assert not Draft.objects.visible_to(ines).exists()


def test_a_new_letter_is_its_authors_alone_and_an_answer_is_everybodys_who_may_answer(
    sign_in, begin, letter, mailbox, jonas, people
):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=jonas)
    own, answer = begin(), begin(letter=letter.public_id, kind="reply")
    got = [sign_in(one).get(f"/drafts/{each.public_id}").status_code for each in (own, answer)
           for one in (jonas, people["reader"], people["stranger"])]  # fmt: skip
    assert got == [404, 404, 404, 200, 404, 404]


def test_a_signature_stands_below_new_letters(browser, begin, mailbox):
    said = {"mailbox": mailbox.public_id, "from_name": "Ines M.", "text": "Ines\n<b>CEO</b>"}
    browser.post("/settings/signatures", said)
    draft = begin()
    assert "&lt;b&gt;CEO" in draft.body_html
    assert "Ines M. &lt;ines@acme.example&gt;" in browser.get(f"/drafts/{draft.public_id}").content.decode()


def test_people_are_proposed_each_once(browser, letter, jonas):
    def proposed(typed):
        return re.findall(r'data-value="([^"]*)"', browser.get("/recipients", {"q": typed}).content.decode())

    assert proposed("ama") == ["Amara &lt;amara@okafor.example&gt;"]
    assert proposed("jon") == [f"Jonas &lt;{jonas.email}&gt;"]
    assert proposed("") == []
