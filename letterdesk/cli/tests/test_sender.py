"""`letterdesk sender …` (R24)."""

import re

import pytest
from django.core import mail
from django.utils import timezone

from letterdesk.accounts.models import Role
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound import senders
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
