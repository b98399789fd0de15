"""`letterdesk outbox …` and `letterdesk account usage` (R22, R23)."""

import pytest
from django.utils import timezone

from letterdesk.outbound import drafts
from letterdesk.outbound.models import Delivery, State, Suppressed
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.conftest import (  # noqa: F401  fixtures
    account,
    blobs_folder,
    ines,
    jonas,
    mailbox,
    receiving,
    sold_plans,
)
from letterdesk.plans.models import Usage

from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def letter(mailbox, ines):  # noqa: F811
    now = timezone.now()
    draft = drafts.start(mailbox, by=ines, now=now, to=[("", "bo@client.example")], subject="Hi", body_text="x")
    return send(draft, by=ines, seen=1, now=now)


def test_a_letter_that_waits_is_listed_and_stopped_once(letter, ines, jonas):  # noqa: F811
    [row] = run("outbox", "list", "--of", ines.email)
    assert (row["id"], row["state"], row["recipients"]) == (letter.public_id, "queued", 1)
    assert run("outbox", "list", "--of", jonas.email) == []
    one = ("outbox", "cancel", letter.public_id, "--by")
    assert run(*one, jonas.email, fails=True)["error"] == "not_on_its_way"
    assert run("account", "usage", ines.account.name)["webmail"] == 1
    assert run(*one, ines.email)["state"] == "cancelled"
    assert run(*one, ines.email, fails=True)["error"] == "too_late"
    assert run("outbox", "list", "--of", ines.email) == []
    assert run("account", "usage", ines.account.name)["used"] == 0


def test_what_was_perhaps_sent_is_decided_once(letter, ines):  # noqa: F811
    Delivery.objects.update(state=State.UNKNOWN)
    decide = ("outbox", "resolve", letter.public_id, "--by", ines.email, "--as")
    assert run(*decide, "nonsense", fails=True)["error"] == "not_valid"
    assert run(*decide, "draft", fails=True)["error"] == "not_so"
    assert run(*decide, "sent")["state"] == "sent"
    assert run(*decide, "again", fails=True)["error"] == "not_so"


def test_a_counter_that_is_wrong_is_said_and_repaired(letter, ines):  # noqa: F811
    Usage.objects.update(used=5)
    name = ines.account.name
    assert run("account", "usage", name)["difference"] == 4
    assert run("account", "usage", name, "--repair")["used"] == 1
    assert run("account", "usage", name)["difference"] == 0


def test_undeliverable_addresses_are_listed_and_taken_off_by_whom_they_concern(mailbox, ines, jonas):  # noqa: F811
    Suppressed.objects.create(account=mailbox.account, mailbox=mailbox, address="bo@client.example", reason="550 no")
    [row] = run("outbox", "undeliverable", "--of", ines.email)
    assert (row["address"], row["mailbox"], row["reason"]) == ("bo@client.example", str(mailbox), "550 no")
    assert run("outbox", "undeliverable", "--of", jonas.email) == []
    off = ("outbox", "allow", "BO@client.example", "--by")
    assert run(*off, jonas.email, fails=True)["error"] == "not_undeliverable"
    assert run(*off, ines.email)["address"] == "bo@client.example"
    assert run("outbox", "undeliverable", "--of", ines.email) == []


def test_a_mailbox_gets_a_daily_limit(mailbox, ines, jonas):  # noqa: F811
    limit = ("outbox", "limit", mailbox.address, "--by")
    assert run(*limit, ines.email)["most"] is None
    assert run(*limit, ines.email, "--most", "500")["most"] == 500
    assert run(*limit, ines.email, "--most", "-1", fails=True)["error"] == "bad_limit"
    assert run(*limit, jonas.email, fails=True)["error"] == "no_such_mailbox"
    assert run(*limit, ines.email, "--most", "0")["most"] is None
