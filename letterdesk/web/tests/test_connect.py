"""The wizard without a script and without a browser: four steps, each with an address; limits where they are felt."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from letterdesk.lib.crypto import cipher
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Login
from letterdesk.mail.survey import survey
from letterdesk.mailboxes.models import AccessRequest, Mailbox
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.plans.models import Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trust_rig", "allow_loopback")]


@pytest.fixture
def typed(dovecot):
    """What somebody types at step 2 for a fresh user of the rig's Dovecot."""
    user = dovecot.add_user()
    dovecot.deliver(user, b"From: a@b.example\r\nSubject: One\r\n\r\nHello")
    settings = {"imap_host": "localhost", "imap_port": dovecot.tls_port, "imap_security": "tls"}
    return {"address": user.name, "password": user.password, "imap_user": user.name, **settings}


@pytest.fixture
def at_choices(browser, typed):
    """A browser that has come to step 3."""

    def go(client=browser, **changes):
        assert client.post("/mailboxes/connect", {"address": typed["address"]}).status_code == 302
        return client.post("/mailboxes/connect/sign-in", {**typed, "do": "next", **changes})

    return go


def test_the_four_steps_lead_from_an_address_to_a_mailbox(browser, ines, at_choices, typed, jonas):
    answer = at_choices()
    assert answer["Location"] == "/mailboxes/connect/choices"
    page = browser.get("/mailboxes/connect/choices").content.decode()
    assert "the last 30 days · 1 letter, 4" in page and "the last 7 days" in page  # counted before anything is fetched
    assert "everything" not in page and "the last 60 days" not in page  # R21: not beyond the plan
    assert typed["password"] not in page
    form = {"name": "Sales", "fetch_days": "7", "on": ["0", "1"], "who": "some", "may_reply": "yes"}
    form |= {"crm": "yes", "unknown_incoming": "lead", "responsible": jonas.public_id}
    answer = browser.post("/mailboxes/connect/choices", form | {"to": [f"employee:{jonas.public_id}"]})
    mailbox = Mailbox.objects.get(address=typed["address"])
    assert answer["Location"] == f"/mailboxes/{mailbox.public_id}/progress"
    assert (mailbox.name, mailbox.fetch_days, mailbox.secret) == ("Sales", 7, {"password": typed["password"]})
    assert mailbox.folders.filter(is_on=True).count() == 2
    assert (mailbox.grants.get().employee, mailbox.grants.get().may_reply) == (jonas, True)
    assert (mailbox.saving.known, mailbox.saving.unknown_incoming) == (False, "lead")
    assert mailbox.saving.turns.get().employee == jonas
    assert browser.get("/mailboxes/connect/choices").status_code == 302  # the draft is gone


def test_the_usual_choices_connect_in_one_go(browser, at_choices, typed):
    answer = at_choices(do="connect")
    assert answer["Location"].endswith("/progress")
    mailbox = Mailbox.objects.get(address=typed["address"])
    assert mailbox.fetch_days is None and not mailbox.folders.filter(is_on=False).exists()


def test_a_folder_has_one_role_and_the_inbox_none_other(browser, at_choices):
    at_choices()
    answer = browser.post("/mailboxes/connect/choices", {"on": "0", "role_spam": "0"})
    assert answer.status_code == 422 and "The inbox stays the inbox" in answer.content.decode()
    answer = browser.post("/mailboxes/connect/choices", {"on": "0", "role_spam": "2", "role_trash": "2"})
    assert answer.status_code == 422 and "One folder cannot be two things" in answer.content.decode()
    assert not Mailbox.objects.filter(imap_host="localhost").exists()


def test_more_days_than_the_plan_has_are_refused_by_the_server(browser, at_choices):
    """R21"""
    at_choices()
    answer = browser.post("/mailboxes/connect/choices", {"on": "0", "fetch_days": "31"})
    assert answer.status_code == 409 and "at most" in answer.content.decode()
    assert not Mailbox.objects.filter(imap_host="localhost").exists()


def test_the_place_that_the_plan_does_not_have_is_told_at_the_first_step(browser, ines, account):
    """R14"""
    Subscription.objects.update(plan="start")
    Mailbox.objects.create(account=account, owner=ines, address="a@b.example", name="A", imap_host="x", imap_user="a")
    page = browser.get("/mailboxes/connect").content.decode()
    assert "Mailboxes used: 1 of 1." in page and 'role="alert"' in page and 'href="/plans"' in page
    assert browser.post("/mailboxes/connect", {"address": "new@b.example"}).status_code == 409


def test_a_shared_mailbox_too_many_connects_nothing(browser, ines, account, at_choices, jonas, now):
    """R16"""
    Subscription.objects.update(plan="demo", trial_started_at=now)
    for number in range(3):
        other = Mailbox.objects.create(account=account, owner=jonas, address="x@b.example", name="X")
        other.grants.create(account=account, employee=employ(account, f"P{number}"))
    at_choices()
    answer = browser.post("/mailboxes/connect/choices", {"on": "0", "who": "everyone"})
    assert answer.status_code == 409 and "3 shared mailboxes" in answer.content.decode()
    assert not Mailbox.objects.filter(imap_host="localhost").exists()


def test_who_finds_it_connected_can_ask_its_owner(browser, sign_in, at_choices, jonas, typed):
    at_choices(do="connect")
    client = sign_in(jonas)
    answer = at_choices(client)
    page = answer.content.decode()
    mailbox = Mailbox.objects.get(address=typed["address"])
    assert answer.status_code == 409 and "already connected by Ines" in page and "Request access" in page
    for _twice in range(2):
        assert client.post(f"/mailboxes/{mailbox.public_id}/requests").status_code == 302
    asked = AccessRequest.objects.get()
    assert "Jonas</bdi> asks for access" in browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    browser.post(f"/mailboxes/{mailbox.public_id}/grants", {"to": f"employee:{jonas.public_id}", "may_reply": "yes"})
    assert not AccessRequest.objects.filter(pk=asked.pk).exists()


@pytest.mark.case("D03")
def test_the_test_is_no_port_scanner(browser, at_choices):
    for _attempt in range(10):
        assert at_choices(password="wrong", imap_port="1").status_code == 422
    answer = at_choices()
    assert answer.status_code == 422 and "Too many attempts" in answer.content.decode()


@pytest.mark.case("C22")
def test_the_password_lies_encrypted_while_it_waits(at_choices, ines):
    at_choices(password="s3cret-marker")
    kept = cache.get(f"connecting:{ines.public_id}")
    assert kept and "s3cret-marker" not in kept
    assert "s3cret-marker" in cipher().decrypt(kept.encode()).decode()


def test_a_known_provider_is_told_as_the_address_is_typed(browser):
    page = browser.get("/mailboxes/connect/lookup?address=ines@gmail.com").content.decode()
    assert "Google · imap.gmail.com:993" in page and "app password" in page and "hx-get" not in page
    page = browser.get("/mailboxes/connect/lookup?address=ines@acme.invalid").content.decode()
    assert page.count("hx-trigger=") == 4  # each other source answers for itself
    answer = browser.get("/mailboxes/connect/lookup?source=mx&address=ines@acme.invalid")
    assert "no match" in answer.content.decode()


def test_a_survey_counts_to_the_second_and_changes_nothing(dovecot, now):
    user = dovecot.add_user()
    for age in (timedelta(minutes=1), timedelta(days=7) - timedelta(minutes=5), timedelta(days=7, minutes=5)):
        dovecot.deliver(user, b"From: a@b.example\r\nSubject: x\r\n\r\nHello", date=now - age)
    login = Login("127.0.0.1", dovecot.port, "none", user.name, user.password)
    found = survey(login, Guard(("127.0.0.0/8",)), depths=[None, 30, 7], now=now)
    inbox = found[0]
    assert inbox.folder.role == "inbox" and inbox.letters == 3
    assert {depth: amount.letters for depth, amount in inbox.amounts.items()} == {None: 3, 30: 3, 7: 2}
    assert {line.split()[1] for line in dovecot.wire(user)} & {b"SELECT", b"STORE", b"EXPUNGE"} == set()
