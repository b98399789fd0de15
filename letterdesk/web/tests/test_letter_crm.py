"""Letters are linked to records, taken away and moved by hand, from Webmail and from CRM; and it can be taken back."""

import re

import pytest
from django.utils import timezone

from letterdesk.config.reactions import REACTIONS
from letterdesk.crm.linking.by_hand import link_by_hand
from letterdesk.crm.linking.corrections import belongs
from letterdesk.crm.models import Activity, Binding, Correction, Exclusion, SetAside
from letterdesk.crm.tests.seeding import record_of
from letterdesk.events.models import Event
from letterdesk.events.record import record as tell
from letterdesk.mailboxes.models import Message
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_records import text_of


@pytest.fixture
def letters(deliver):
    first = deliver(raw_letter("Offer", Message_ID="<a@okafor.example>"))[0]
    headers = {"In_Reply_To": "<a@okafor.example>", "References": "<a@okafor.example>"}
    return [first, deliver(raw_letter("Re: Offer", text="Second", Message_ID="<b@okafor.example>", **headers))[0]]


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor")


@pytest.fixture
def activity(letters, contact, ines):
    return link_by_hand(letters[1], contact, by=ines, now=timezone.now())


def places(record):
    return Binding.objects.present().filter(record=record).count()


def test_a_letter_is_linked_with_the_earlier_ones_of_its_conversation(browser, letters, contact, inbox):
    """R5, R6"""
    at = f"/messages/{letters[1].public_id}/crm"
    page = browser.get(f"{at}?q=okafor&next=/mail")
    assert "nobody in CRM has this address" in text_of(page) and "Amara Okafor" in text_of(page)
    answer = browser.post(at, {"record": contact.public_id, "earlier": "yes", "next": "/mail"})
    assert (answer["Location"], places(contact)) == ("/mail", 2)
    assert Message.objects.filter(in_crm=True).count() == 2
    conversation = browser.get(f"/mail/{inbox.public_id}/{letters[1].conversation.public_id}")
    assert text_of(conversation).count("In CRM: Amara Okafor") == 2


def test_without_the_earlier_ones_where_that_was_unticked(browser, letters, contact):
    browser.post(f"/messages/{letters[1].public_id}/crm", {"record": contact.public_id})
    assert places(contact) == 1


def test_only_who_may_act_in_the_mailbox_links_and_only_to_what_they_see(browser, sign_in, people, letters, jonas):
    theirs = record_of(jonas, "Of Jonas")
    at = f"/messages/{letters[0].public_id}/crm"
    assert browser.post(at, {"record": theirs.public_id}).status_code == 404
    assert sign_in(jonas).post(at, {"record": theirs.public_id}).status_code == 404
    assert sign_in(people["reader"]).post(at, {"record": theirs.public_id}).status_code == 404
    assert not Activity.objects.exists()


def undo_of(answer):
    page = answer.content.decode()
    form = page[page.index('class="banner boxed ok"') : page.index("Undo")]
    return dict(re.findall(r'name="(change|record|target|whole|unsay)" value="([^"]*)"', form))


@pytest.mark.parametrize(("whole", "left"), [("", 1), ("yes", 0)])
def test_a_letter_or_its_conversation_is_taken_away_and_that_is_taken_back(
    browser, ines, activity, contact, whole, left
):
    other = record_of(ines, "Okafor Studio", kind="company")
    at = f"/crm/activities/{activity.public_id}/places"
    browser.post(at, {"change": "add", "record": other.public_id, "whole": "yes"})
    assert places(other) == 2
    answer = browser.post(at, {"change": "take", "record": contact.public_id, "whole": whole}, follow=True)
    assert "taken away from Amara Okafor" in text_of(answer)
    assert places(contact) == left
    browser.post(at, undo_of(answer))
    assert places(contact) == 2


def test_one_click_takes_a_letter_away_where_it_stands_elsewhere_too(browser, ines, activity, contact):
    page, button = f"/crm/activities/{activity.public_id}", "Take it away from Amara Okafor"
    assert button not in browser.get(page).content.decode()  # R8: what would go into the bin is warned of first
    other = record_of(ines, "Okafor Studio", kind="company")
    browser.post(f"{page}/places", {"change": "add", "record": other.public_id})
    shown = browser.get(page).content.decode()
    assert button in shown and "Take it away from Okafor Studio" in shown


def test_a_conversation_is_moved_and_moved_back(browser, ines, activity, contact):
    other = record_of(ines, "40 seats", kind="deal")
    at = f"/crm/activities/{activity.public_id}/places"
    wanted = {"change": "move", "record": contact.public_id, "target": other.public_id, "whole": "yes"}
    answer = browser.post(at, wanted, follow=True)
    assert "2 letters moved to 40 seats" in text_of(answer)
    assert (places(contact), places(other)) == (0, 2)
    browser.post(at, undo_of(answer))
    assert (places(contact), places(other)) == (2, 0)
    assert not Correction.objects.exists()


def test_later_letters_of_the_address_are_meant_where_a_person_says_so(
    browser, ines, activity, contact, sign_in, jonas
):
    other = record_of(ines, "40 seats", kind="deal")
    at = f"/crm/activities/{activity.public_id}/places"
    wanted = {"change": "move", "record": contact.public_id, "target": other.public_id, "later": "yes"}
    answer = browser.post(at, wanted, follow=True)
    said = dict(Correction.objects.values_list("record", "belongs"))
    assert said == {other.pk: True, contact.pk: False}
    assert "Letters of this address do not belong here." in text_of(answer)
    browser.post(at, undo_of(answer))
    assert not Correction.objects.exists()
    wanted_here = belongs("amara@okafor.example", contact, by=jonas, now=timezone.now())
    browser.post(at, undo_of(browser.post(at, wanted, follow=True)))
    assert Correction.objects.get() == wanted_here and Correction.objects.get().belongs  # what was said before stays
    Correction.objects.all().delete()
    browser.post(at, {"change": "add", "record": other.public_id, "later": "yes"})
    forget = {"change": "forget", "correction": Correction.objects.get().public_id}
    assert sign_in(jonas).post(at, forget).status_code == 404
    assert "Forgotten" in text_of(browser.post(at, forget, follow=True))
    assert not Correction.objects.exists()


def test_what_stands_nowhere_else_goes_into_the_bin_and_comes_back_from_there(browser, activity, contact):
    """R8"""
    at = f"/crm/activities/{activity.public_id}"
    answer = browser.post(f"{at}/places", {"change": "take", "record": contact.public_id}, follow=True)
    assert "In the bin" in text_of(answer) and "Restore" in text_of(answer)
    browser.post(f"{at}/restoration")
    assert places(contact) == 2


def test_nobody_moves_a_letter_to_or_from_what_they_do_not_see(browser, sign_in, activity, contact, jonas, people):
    theirs = record_of(jonas, "Of Jonas")
    at = f"/crm/activities/{activity.public_id}/places"
    wanted = {"change": "move", "record": contact.public_id, "target": theirs.public_id}
    assert browser.post(at, wanted).status_code == 404
    for who in (jonas, people["stranger"]):
        assert sign_in(who).post(at, wanted).status_code == 404
    assert browser.post(at, {"change": "nonsense", "record": contact.public_id}).status_code == 404
    assert places(contact) == 2


def test_the_panel_says_why_a_letter_is_not_saved_and_the_address_can_be_left_out_for_good(browser, letters):
    at = f"/conversations/{letters[0].conversation.public_id}/crm"
    assert text_of(browser.get(f"{at}/reasons")).count("nobody in CRM has this address") == 2
    assert "all of this domain" not in text_of(browser.get(at))
    browser.post("/settings/crm/exclusions", {"pattern": "amara@okafor.example", "next": at})
    assert Exclusion.objects.get().pattern == "amara@okafor.example"
    assert "on the list of exclusions" in text_of(browser.get(f"{at}/reasons"))
    for pattern in ("@okafor.example", "a*@okafor.example", "okafor.example"):
        assert browser.post("/settings/crm/exclusions", {"pattern": pattern}).status_code == 403


def test_the_mailbox_and_its_owner_are_told_of_a_letter_at_which_crm_could_not_look(browser, letters, inbox, ines):
    now = timezone.now()
    [letter, _] = letters
    SetAside.objects.create(
        account=ines.account, mailbox=inbox.mailbox, letter=letter.pk, error="ValueError", at=now, due_at=now
    )
    tell("linking.failing", account=ines.account, topic=inbox.mailbox.topic, error="ValueError")
    for react in REACTIONS["linking.failing"]:
        react(Event.objects.get(kind="linking.failing"))
    assert "CRM could not look at a letter in" in text_of(browser.get("/notifications"))
    page = browser.get(f"/mailboxes/{inbox.mailbox.public_id}")
    assert "CRM could not look at 1 letter yet. It is tried again by itself. Offer" in text_of(page)
    assert f"/messages/{letter.public_id}/crm" in page.content.decode()
    assert "tried again by itself" in text_of(browser.get(f"/messages/{letter.public_id}/crm"))
