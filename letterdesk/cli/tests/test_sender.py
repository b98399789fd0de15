"""`letterdesk sender …` (R24)."""

import re

import pytest
from django.core import mail
from django.utils import timezone

from letterdesk.accounts.models import Role
from letterdesk.mail.inbound import Inbound
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound import senders
from letterdesk.outbound.models import SenderUser, VerifiedSender
from letterdesk.outbound.tests.conftest import account, ines, sold_plans  # noqa: F401  fixtures
from tests.rig.sink import Sink

from .test_commands import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]


def test_a_sender_from_adding_to_removing(account, ines, monkeypatch):  # noqa: F811
    admin = employ(account, "Admin", Role.ADMINISTRATOR)
    monkeypatch.setenv("LETTERDESK_PASSWORD", "secret")
    with Sink() as sink:
        server = ("--smtp", f"{sink.host}:{sink.port}", "--security", "none", "--everyone")
        add = ("sender", "add", "sales@acme.example", *server, "--by")
        assert run(*add, ines.email, fails=True)["error"] == "not_allowed"
        made = run(*add, admin.email)
        assert made["confirmed"] is None and made["users"] == ["everyone"] and "secret" not in str(made)
        assert run(*add, admin.email, fails=True)["error"] == "bad_sender"
    assert run("sender", "list", "--of", ines.email) == []
    link = ("sender", "link", "sales@acme.example", "--by")
    assert run(*link, ines.email, fails=True)["error"] == "no_such_sender"
    assert run(*link, admin.email)["confirmed"] is None
    senders.verify(re.search(r"/senders/(\S+)", mail.outbox[-1].body)[1], now=timezone.now())
    assert run(*link, admin.email)["confirmed"] and len(mail.outbox) == 2
    [row] = run("sender", "list", "--of", ines.email)
    assert row["address"] == "sales@acme.example"
    assert run("sender", "remove", "sales@acme.example", "--by", admin.email)["removed"] == "sales@acme.example"
    assert run("sender", "list", "--of", admin.email) == []


def test_what_is_not_named_stays_as_it_is(account, ines, settings):  # noqa: F811
    admin = employ(account, "Maria", Role.ADMINISTRATOR)
    sender = VerifiedSender.objects.create(
        account=account, address="sales@acme.example", key="sales@acme.example", name="Acme", daily_most=50,
        smtp_host="smtp.acme.example", smtp_port=465, smtp_security="tls", smtp_user="acme",
    )  # fmt: skip
    SenderUser.objects.create(account=account, sender=sender, employee=ines)
    change = ("sender", "change", "sales@acme.example", "--by")
    assert run(*change, ines.email, "--no-reports", fails=True)["error"] == "no_such_sender"
    settings.INBOUND = Inbound("", "127.0.0.1", 0)
    assert run(*change, admin.email, "--reports", fails=True)["error"] == "not_set_up"
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    row = run(*change, admin.email, "--reports")
    assert (row["reports come here"], row["name"], row["a day"], row["users"]) == (True, "Acme", 50, ["Ines"])
    row = run(*change, admin.email, "--no-reports", "--a-day", "0", "--name", "", "--everyone")
    assert (row["reports come here"], row["name"], row["a day"], row["users"]) == (False, "", None, ["everyone"])
