"""`letterdesk hold`: placed with a reason, listed in counts, released (F05, F08)."""

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.tests.letters import folder_of, letter

from .test_commands import ADA, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_placed_listed_and_released(monkeypatch):
    monkeypatch.setenv("LETTERDESK_PASSWORD", "a-long-enough-password")
    run("account", "create", "Acme", "--administrator", ADA)
    account = Account.objects.get()
    mailbox = Mailbox.objects.create(account=account, owner=account.employees.get(), address="ada@acme.example")
    letter(folder_of(mailbox), received_at=timezone.now())
    assert run("hold", "place", "Acme", "--mailbox", "no@acme.example", "--reason", "x", fails=True)["error"] == (
        "no_such_mailbox"
    )
    assert run("hold", "place", "Acme", "--reason", " ", fails=True)["error"] == "not_possible"
    placed = run("hold", "place", "Acme", "--mailbox", "Ada@acme.example", "--reason", "Case 7")
    assert placed["on"] == "mailbox ada@acme.example" and Message.objects.get().is_held
    assert [(row["letters"], row["reason"], row["released"]) for row in run("hold", "list", "Acme")] == [
        (1, "Case 7", None)
    ]
    assert run("hold", "release", "Acme", placed["hold"]) == {"released": placed["hold"]}
    assert run("hold", "release", "Acme", placed["hold"], fails=True)["error"] == "no_such_hold"
    assert run("hold", "list", "Acme")[0]["released"] and Message.objects.get().is_held
