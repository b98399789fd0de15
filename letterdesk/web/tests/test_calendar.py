"""The calendar of what leaves when: whose counts one sees, the letters of a day, and another plan's next 30 days."""

import re
from datetime import timedelta

import pytest

from letterdesk.accounts.zones import zone_of
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.plans.models import Usage
from letterdesk.plans.usage import month_of
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_plan import text_of

DAY = timedelta(hours=24)


@pytest.fixture
def three(deliver, now):
    """Three letters of Ines that leave in five days: one is deleted, one stays in CRM, one is kept."""
    letters = deliver(raw_letter("Deleted"), raw_letter("Copied"), raw_letter("Kept"))
    Message.objects.update(received_at=now - 25 * DAY)
    Message.objects.filter(pk=letters[1].pk).update(in_crm=True)
    holds.add(letters[2], reason="task", reference="task:1", now=now)
    return letters


@pytest.fixture
def day(ines, now):
    return (now + 5 * DAY).astimezone(zone_of(ines)).date()


def test_the_days_say_what_leaves_what_stays_in_crm_and_what_is_kept(browser, three, day):
    told = text_of(browser.get(f"/plan/calendar?month={day:%Y-%m}"))
    assert "1 deleted 1 to CRM alone 1 kept" in told
    assert "1 linked to a task" in told


def test_only_who_reads_the_mailbox_sees_its_days_and_letters(sign_in, three, jonas, stranger, ines, account, day):
    """C18: counts of the whole account for administrators alone, letters for readers alone."""
    admin = employ(account, "Admin", "administrator")
    for person, asked, seen in ((ines, "", True), (jonas, "", False), (jonas, "&of=account", False), (admin, "", False),
                                (admin, "&of=account", True), (stranger, "&of=account", False)):  # fmt: skip
        told = text_of(sign_in(person).get(f"/plan/calendar?month={day:%Y-%m}{asked}"))
        assert ("1 deleted" in told) == seen, (person.name, asked)
    for person in (jonas, admin, stranger):
        assert "No letter leaves" in text_of(sign_in(person).get(f"/plan/calendar/{day}"))
    whole = sign_in(admin).get(f"/plan/calendar?month={day:%Y-%m}&of=account").content.decode()
    assert "/plan/calendar/2" not in whole  # no day leads to letters of others


def test_a_day_lists_the_letters_that_leave(browser, three, day):
    answer = browser.get(f"/plan/calendar/{day}")
    told = text_of(answer)
    assert "Deleted" in told and "Copied" in told and "Kept" not in told
    assert "Leaves Webmail in" in told and "a copy stays in CRM" in told
    link = re.search(r'href="(/mail/[^"]+)"', answer.content.decode())
    assert browser.get(link[1]).status_code == 200


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_not_found(browser, mailbox, day):
    assert browser.get(f"/plan/calendar/{day}").status_code == 404


@pytest.mark.parametrize("month", ["", "x", "0001-01", "9999-12", "2026-13"])
def test_what_is_no_month_ahead_shows_the_nearest(browser, mailbox, month):
    assert browser.get("/plan/calendar", {"month": month}).status_code == 200


def test_it_takes_few_queries_whatever_there_is(browser, three, deliver, day, django_assert_max_num_queries):
    deliver(*(raw_letter(f"More {number}") for number in range(5)))
    Message.objects.update(received_at=three[0].received_at)
    with django_assert_max_num_queries(8):
        browser.get(f"/plan/calendar?month={day:%Y-%m}")
    with django_assert_max_num_queries(8):
        browser.get(f"/plan/calendar/{day}")


def test_another_plan_shows_its_next_thirty_days(browser, three, now):
    """R20: by another plan the same letters leave on other days, or not at all within 30."""
    told = text_of(browser.get("/plan?to=start"))
    assert "Over the next 30 days under this plan" in told and "1 deleted" in told
    assert "1 deleted" not in text_of(browser.get("/plan?to=professional"))
    assert "Over the next 30 days" not in text_of(browser.get("/plan?to=free"))  # all goes at once


def test_where_nothing_leaves_the_page_says_so(browser, mailbox, settings):
    settings.CATALOGUE = "self-hosted"
    assert "Nothing leaves by time" in text_of(browser.get("/plan/calendar"))


@pytest.mark.parametrize(
    ("used", "word"), [(39_999, ""), (40_000, "Near the limit"), (50_000, "At the limit")]
)  # fmt: skip
def test_the_meter_of_outgoing_mail_says_when_it_begins_anew(browser, account, now, used, word):  # R22 R23
    Usage.objects.create(account=account, month=month_of(account, now), used=used)
    told = text_of(browser.get("/plan"))
    assert re.search(rf"E-mails sent this month by the whole account {word} ?Each e-mail counts once", told)
    assert f"{used:,} / 50,000" in told and "Counted anew from" in told
