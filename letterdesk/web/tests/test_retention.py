"""How long letters stay: previewed, chosen, braked, taken back; never longer than the plan (R18, W12)."""

import re
from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Message, RetentionRule
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.mailboxes.tests.letters import letter

from .test_plan import text_of

DAY = timedelta(hours=24)
PAGE = "/settings/retention"


@pytest.fixture
def office(sign_in, account):
    return sign_in(employ(account, "Admin", "administrator"))


def mark_of(answer):
    return re.search(r'name="seen" value="(\w+)"', answer.content.decode())[1]


def choose(client, **form):
    """Look at the preview, and choose what it showed."""
    seen = client.get(PAGE, {"days": "", **form})
    return client.post(PAGE, {"days": "", "seen": mark_of(seen), **form})


def test_the_preview_counts_and_changes_nothing(office, inbox, now):
    letter(inbox, received_at=now - 20 * DAY)
    letter(inbox, received_at=now - 5 * DAY)
    told = text_of(office.get(PAGE, {"days": "10"}))
    assert "1 letter of 2 leaves Webmail" in told and "The mail server keeps its originals" in told
    assert not RetentionRule.objects.exists()


def test_what_takes_much_asks_twice_waits_and_can_be_taken_back(office, inbox, now):
    letter(inbox, received_at=now - 20 * DAY)
    assert choose(office, days="10").status_code == 409  # not sure
    assert choose(office, days="10", sure="yes").status_code == 302
    rule = RetentionRule.objects.get()
    assert (rule.begins_at - rule.made_at, rule.going) == (7 * DAY, 1)
    assert sweep(now=now) == 0
    assert "Take back" in text_of(office.get(PAGE))
    office.post(f"{PAGE}/{rule.public_id}/taking-back")
    assert "Take back" not in text_of(office.get(PAGE))
    assert sweep(now=now + DAY) == 0
    assert list(Event.objects.filter(kind__startswith="retention").values_list("kind", flat=True)) == [
        "retention.chosen", "retention.taken_back",
    ]  # fmt: skip


def test_what_takes_nothing_holds_at_once(office, mailbox, inbox, now):
    letter(inbox, received_at=now - 2 * DAY)
    assert choose(office, of=mailbox.public_id, days="10").status_code == 302
    assert "10 days" in text_of(office.get(PAGE))
    assert RetentionRule.objects.get().mailbox == mailbox


def test_a_choice_without_its_preview_or_after_a_change_is_shown_anew(office, inbox, now):
    """F04: what was counted is what is done, or nothing is."""
    letter(inbox, received_at=now - 20 * DAY)
    seen = mark_of(office.get(PAGE, {"days": "10"}))
    letter(inbox, received_at=now - 21 * DAY)
    for mark in (seen, "", "x"):
        answer = office.post(PAGE, {"days": "10", "seen": mark, "sure": "yes"})
        assert answer.status_code == 409 and "2 letters of 2 leave" in text_of(answer)
    assert not RetentionRule.objects.exists()
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("days", "said"), [("31", "not longer"), ("0", "greater than or equal"), ("x", "whole number")]
)
def test_longer_than_the_plan_and_what_is_no_number_is_refused(office, inbox, days, said):
    answer = office.get(PAGE, {"days": days})
    assert answer.status_code == 422 and said in text_of(answer)
    assert office.post(PAGE, {"days": days, "sure": "yes"}).status_code == 422


def test_without_limits_there_is_no_end_but_the_own_one(office, inbox, now, settings):
    settings.CATALOGUE = "self-hosted"
    letter(inbox, received_at=now - 4000 * DAY)
    assert "1 letter of 1 leaves" in text_of(office.get(PAGE, {"days": "3650"}))


def test_a_rule_changed_past_the_preview_is_told(office, account, inbox, now):  # F09
    letter(inbox, received_at=now - 5 * DAY)
    choose(office, days="20")
    RetentionRule.objects.update(days=3)
    assert "was not made here" in text_of(office.get(PAGE))
    assert sweep(now=now) == 0
