"""Plan and usage: meters, the preview, what pauses first, and the banner before and after a change."""

import re
from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.models import Subscription
from letterdesk.tasks.create import create
from letterdesk.web.account.plans import WEBMAIL
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_access import knock

DAY = timedelta(hours=24)


def box(owner, name, **fields):
    return Mailbox.objects.create(
        account=owner.account, owner=owner, address=f"{name}@acme.example", name=name, imap_host="imap.acme.example",
        imap_user=name, **fields,
    )  # fmt: skip


def text_of(answer):
    """What one reads, without tags, on one line."""
    page = answer.content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_a_meter_says_what_is_used_and_what_happens_at_the_limit(browser, ines, mailbox):
    for number in range(3):
        box(ines, f"box{number}")
    told = text_of(browser.get("/plan"))
    assert "Your mailboxes" in told and "4 / 5" in told and "Near the limit" in told
    assert "no further mailbox can be connected" in told
    assert "30 days" in told


def test_at_and_over_the_limit_the_meter_says_so(browser, ines, mailbox, account, now):
    change_plan(account, "start", by=None, now=now)
    assert "At the limit" in text_of(browser.get("/plan"))
    box(ines, "second")
    assert "Over the limit" in text_of(browser.get("/plan"))


def test_only_an_administrator_sees_what_others_have(sign_in, account, ines, jonas, mailbox):
    box(jonas, "his")
    assert "Mailboxes of" not in text_of(sign_in(ines).get("/plan"))
    told = text_of(sign_in(employ(account, "Admin", "administrator")).get("/plan"))
    assert "Mailboxes of Ines" in told and "Mailboxes of Jonas" in told


def test_the_preview_counts_what_goes_and_names_what_pauses(browser, ines, mailbox, deliver, now):
    letters = deliver(raw_letter("One"), raw_letter("Two"), raw_letter("Three"))
    holds.add(letters[0], reason="task", reference="task:1", now=now)
    told = text_of(browser.get("/plan?to=free"))
    assert re.search(r"Pause Ines Letters that go here 2 ·", told)
    assert "Copies that stay in CRM 0" in told and "Letters that stay with tasks 1" in told
    assert "Nothing is deleted or changed on a mail server" in told
    assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_the_preview_tells_an_employee_of_their_own_mailboxes_alone(sign_in, account, ines, jonas, mailbox, deliver):
    deliver(raw_letter("One"))
    told = text_of(sign_in(jonas).get("/plan?to=free"))
    assert "no mailbox" in told and "Letters that go here 0" in told and "Ines" not in told
    assert "Letters that go here 1" in text_of(sign_in(employ(account, "Admin", "administrator")).get("/plan?to=free"))


@pytest.mark.parametrize("key", ["gold", "", "<b>"])
def test_a_plan_that_is_not_in_the_catalogue_shows_no_preview(browser, key):
    answer = browser.get("/plan", {"to": key})
    assert answer.status_code == 200
    assert "Letters that go here" not in text_of(answer)


def test_the_owner_chooses_what_pauses_first(browser, ines, jonas, mailbox):  # R13
    first, his = box(ines, "first"), box(jonas, "his")
    browser.post("/plan/giving-way", {"first": [first.public_id, his.public_id]})
    assert set(Mailbox.objects.filter(gives_way=True)) == {first}  # never a colleague's
    assert re.search(rf'value="{first.public_id}" checked', browser.get("/plan").content.decode())
    browser.post("/plan/giving-way", {})
    assert not Mailbox.objects.filter(gives_way=True).exists()


def test_without_a_second_mailbox_there_is_nothing_to_choose(browser, mailbox):
    assert "Pause these first" not in text_of(browser.get("/plan"))


def test_a_company_that_sells_nothing_sees_usage_without_limits_and_no_upsell(browser, mailbox, settings):
    settings.CATALOGUE = "self-hosted"
    told = text_of(browser.get("/plan"))
    assert "1, no limit" in told and "without end" in told
    assert "Compare the plans" not in told and "What another plan would do" not in told


def test_it_takes_few_queries_whatever_there_is(browser, ines, mailbox, deliver, django_assert_max_num_queries):
    for number in range(4):
        box(ines, f"box{number}")
    deliver(*(raw_letter(f"Letter {number}") for number in range(5)))
    with django_assert_max_num_queries(9):  # one of them: what the month has sent
        browser.get("/plan")


def banner(client, address="/settings"):
    """The text of the banner; empty: there is none."""
    found = re.search(r'<aside class="banner warn plan-notice".*?</aside>', client.get(address).content.decode(), re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])) if found else ""


def test_a_banner_tells_that_the_trial_ends_where_it_is_near(browser, mailbox, account, now):
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now - 10 * DAY)
    assert banner(browser) == ""
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now - 20 * DAY)
    assert "changes from Demo to Free" in banner(browser) and "letters that no task holds are removed" in banner(
        browser
    )
    choose_next(account, "professional", at=None, by=None, now=now)
    assert banner(browser) == ""  # nothing is taken away


def test_a_banner_tells_of_fewer_mailboxes_without_threatening_letters(browser, account, now):
    choose_next(account, "start", at=now + DAY, by=None, now=now)
    assert "from Standard to Start+" in banner(browser) and "removed" not in banner(browser)


def test_after_the_end_of_webmail_a_banner_says_what_became_of_it(browser, mailbox, account, now, settings):
    change_plan(account, "free", by=None, now=now - DAY)
    assert "has no Webmail since" in banner(browser) and "an upgrade fetches their letters anew" in banner(browser)
    settings.PURGE_GRACE_DAYS = 14
    assert "Letters are kept until" in banner(browser)


def test_the_banner_speaks_of_suspended_mailboxes_only_where_there_are_some(browser, account, now, settings):
    change_plan(account, "free", by=None, now=now - DAY)
    told = banner(browser)
    assert "has no Webmail since" in told and "suspended" not in told
    settings.PURGE_GRACE_DAYS = 14
    assert "Letters are kept" not in banner(browser)


def test_before_the_end_of_webmail_who_has_no_mailbox_is_not_told_of_suspended_ones(browser, account, now):
    choose_next(account, "free", at=now + DAY, by=None, now=now)
    told = banner(browser)
    assert "changes from Standard to Free" in told and "suspended" not in told and "removed" not in told


def test_the_first_page_offers_what_the_plan_has(browser, account, now):
    assert 'href="/mailboxes/connect"' in browser.get("/").content.decode()
    change_plan(account, "free", by=None, now=now - DAY)
    page = browser.get("/").content.decode()
    assert 'href="/mailboxes/connect"' not in page and "as soon as a mailbox is connected" not in page
    for address in ("/crm/contacts", "/settings/sendsave", "/tasks", "/plans"):
        assert f'href="{address}"' in page.split('id="main"')[1]
        assert browser.get(address).status_code == 200


def test_without_webmail_no_page_offers_to_write_a_letter_in_it(browser, mailbox, account, now):
    """R2: what would be refused is not offered; drafts and the outbox stay, as letters from CRM lie there."""
    pages = ("/drafts", "/outbox", "/settings/templates")

    def offered():
        shown = ["data-new-letter" in browser.get(page).content.decode() for page in pages]
        write, connect = (browser.get(f"/palette?q={word}").content.decode() for word in ("write", "connect"))
        return [*shown, 'data-command="compose"' in write, 'href="/mailboxes/connect"' in connect]

    assert offered() == [True] * 5
    change_plan(account, "free", by=None, now=now - DAY)
    assert offered() == [False] * 5


def test_the_banner_costs_one_query_near_the_end_of_webmail(browser, account, now):
    def count():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            browser.get("/settings")
        return len(queries)

    before = count()
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now - 29 * DAY)
    assert banner(browser)
    assert count() == before + 1  # whether there are mailboxes to lose


@pytest.mark.parametrize("plan", ["free", "project"])
def test_every_page_of_webmail_refuses_with_the_way_out(browser, things, account, now, plan):  # R2 R3 R11
    """From the second of the change, though no job has run: letters and mailboxes are still there."""
    Subscription.objects.filter(account=account).update(plan="demo", trial_started_at=now - 30 * DAY)
    choose_next(account, plan, at=None, by=None, now=now - DAY)
    for name in sorted(WEBMAIL):
        answer = knock(browser, name, things)
        assert answer.status_code == 403, name
        assert "Compare the plans" in answer.content.decode(), name
    assert Subscription.objects.get(account=account).plan == "demo"  # nothing was written


def test_letters_are_no_longer_shown_by_their_own_address_but_those_of_tasks(browser, deliver, ines, account, now):
    """R4, R11."""
    letter = deliver(raw_letter(text="Hello"))[0]
    body = f"/messages/{letter.public_id}/body"
    assert browser.get(body).status_code == 200
    change_plan(account, "free", by=None, now=now - DAY)
    assert browser.get(body).status_code == 404
    holds.add(letter, reason="legal", reference="court", now=now)
    assert browser.get(body).status_code == 404  # held, but there is no Webmail to read it in
    create("Renew", by=ines, now=now, letters=[letter])
    assert browser.get(body).status_code == 200


def test_the_other_pages_stay_open(browser, things, account, now):
    change_plan(account, "free", by=None, now=now - DAY)
    for address in ("/plan", "/plans", "/mailboxes", f"/mailboxes/{things.mailbox_id}", "/settings", "/help"):
        assert browser.get(address).status_code == 200, address
    assert browser.get(f"/mailboxes/{things.mailbox_id}/disconnection").status_code == 200
