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
    talk = Message.objects.get().conversation.public_id
    wrong = run("hold", "place", "Acme", "--conversation", "none", "--reason", "x", fails=True)
    assert wrong["error"] == "no_such_conversation"
    both = ("--conversation", talk, "--address", ADA)
    assert run("hold", "place", "Acme", *both, "--reason", "x", fails=True)["error"] == "contradiction"
    assert run("hold", "place", "Acme", "--conversation", talk, "--reason", "Case 8")["on"] == f"conversation {talk}"
    assert {(row["letters"], row["complete"]) for row in run("hold", "list", "Acme")} == {(1, True)}
    assert run("hold", "release", "Acme", placed["hold"]) == {"released": placed["hold"]}
    assert run("hold", "release", "Acme", placed["hold"], fails=True)["error"] == "no_such_hold"
    assert [bool(row["released"]) for row in run("hold", "list", "Acme")] == [False, True]
    assert Message.objects.get().is_held
