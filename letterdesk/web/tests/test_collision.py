"""An answer in the browser whose conversation moves on: who wrote what is said, and nothing leaves unasked (W3)."""

# ruff: noqa: F811  fixtures
import re

import pytest

from letterdesk.mailboxes.models import Grant
from letterdesk.outbound import drafts, send
from letterdesk.outbound.models import Delivery, Draft
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_writing import FIRST, begin, form, letter, sends  # noqa: F401


@pytest.fixture
def overtaken(begin, letter, deliver):
    """An answer of Ines, and a letter of Bo that came after she had begun it."""
    draft = begin(letter=letter.public_id, kind="reply")
    deliver(raw_letter("Re: Offer", text="Never mind", sender="Bo <bo@okafor.example>", References=FIRST))
    return draft


def button(answer, name):
    return re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode())[1]


def send_form(browser, draft, **more):
    draft.refresh_from_db()
    return browser.post(f"/drafts/{draft.public_id}/sending", form(draft, **more))


def test_an_overtaken_answer_is_refused_and_says_who_wrote_what(browser, overtaken):
    answer = send_form(browser, overtaken)
    page = answer.content.decode()
    assert answer.status_code == 409 and not Delivery.objects.exists()
    assert re.search(
        r'<h2 id="collision" tabindex="-1" data-focus>.*Bo wrote (now|a second ago|\d+.seconds? ago)', page, re.DOTALL
    )
    assert "Never mind" in page and "Send anyway" in page


def test_send_anyway_sends_but_not_over_a_third_letter(browser, overtaken, letter, deliver):
    known = button(send_form(browser, overtaken), "known")
    deliver(raw_letter("Re: Offer", text="Third", sender="Cy <cy@okafor.example>", References=FIRST))
    again = send_form(browser, overtaken, known=known)
    assert again.status_code == 409 and "Cy wrote" in again.content.decode()
    assert send_form(browser, overtaken, known=f"{known},{button(again, 'known')}").status_code == 302
    assert Delivery.objects.count() == 1


def test_review_leads_to_the_conversation_and_is_not_asked_again(browser, overtaken, letter):
    refused = send_form(browser, overtaken)
    overtaken.refresh_from_db()
    answer = browser.post(f"/drafts/{overtaken.public_id}", form(overtaken, review=button(refused, "review")))
    assert answer["Location"].endswith(letter.conversation.public_id)
    assert send_form(browser, overtaken).status_code == 302


def test_keeping_it_as_a_draft_is_asked_again(browser, overtaken, letter):
    overtaken.refresh_from_db()
    answer = browser.post(f"/drafts/{overtaken.public_id}", form(overtaken, keep="yes"))
    assert answer["Location"].endswith(letter.conversation.public_id)
    assert "Bo wrote" in browser.get(f"/drafts/{overtaken.public_id}").content.decode()
    assert send_form(browser, overtaken).status_code == 409


@pytest.mark.parametrize("said", ["x", "1,,--2,9" * 400, "9" * 400, "²"])
def test_what_a_form_invents_counts_for_nothing(browser, overtaken, said):
    assert send_form(browser, overtaken, known=said).status_code == 409


def test_a_colleagues_text_is_shown_to_who_may_read_it_alone(browser, begin, letter, people, mailbox, sign_in):
    """P9: an answer from a mailbox of one's own quotes nothing to others."""
    Grant.objects.create(account=mailbox.account, mailbox=mailbox, employee=people["mate"])
    mine = begin(letter=letter.public_id, kind="reply")
    theirs = begin(sign_in(people["mate"]), letter=letter.public_id, kind="reply")
    drafts.save(theirs, by=people["mate"], seen=1, now=theirs.updated_at, body_text="Our price is 40")
    delivery = send.send(Draft.objects.get(pk=theirs.pk), by=people["mate"], seen=2, now=theirs.updated_at)
    page = send_form(browser, mine).content.decode()
    assert "Jonas: an answer is being sent" in page and "Our price is 40" in page
    Draft.objects.filter(pk=theirs.pk).update(answers=None, author=people["mate"])
    page = browser.get(f"/drafts/{mine.public_id}/news").content.decode()
    assert "Jonas" in page and "Our price" not in page
    assert delivery.answers_id
