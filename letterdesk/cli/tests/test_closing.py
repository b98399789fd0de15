"""`letterdesk account export`, `delete`, `restore`, `purge` and `letterdesk operator`: shown, done, refused by name."""

import json
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.utils import timezone

from letterdesk.accounts.close import KEPT
from letterdesk.accounts.models import Account, Employee
from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.tests.letters import folder_of, letter

from .test_commands import ADA, run

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@other.example"


@pytest.fixture(autouse=True)
def _ground(blob_folder, monkeypatch):
    monkeypatch.setenv("LETTERDESK_PASSWORD", "a-long-enough-password")


@pytest.fixture
def acme():
    """A company with one letter, and another beside it."""
    run("account", "create", "Acme", "--administrator", ADA)
    run("account", "create", "Other", "--administrator", BOB)
    account = Account.objects.get(name="Acme")
    mailbox = Mailbox.objects.create(account=account, owner=account.employees.get(), address="ada@acme.example")
    letter(folder_of(mailbox), received_at=timezone.now())
    return account


def are_over():
    """Let the 30 days of all that was asked for be over."""
    Account.objects.exclude(closed_at=None).update(closed_at=timezone.now() - KEPT - timedelta(seconds=1))


def test_an_export_is_a_whole_file_of_that_account_alone_and_overwrites_nothing(acme, tmp_path):
    content = b"From: a@acme.example\r\nSubject: Plan\r\n\r\nHello\r\n"
    Message.objects.update(blob=blobs.put_many(acme.pk, [content])[0], size=len(content))
    to = tmp_path / "acme.zip"
    told = run("account", "export", "Acme", "--to", to)
    assert (told["account"], told["letters"], told["missing"]) == (acme.public_id, 1, 0)
    assert told["bytes"] == to.stat().st_size and to.stat().st_mode & 0o077 == 0
    with ZipFile(to) as archive:
        assert archive.testzip() is None and json.loads(archive.read("manifest.json"))["missing"] == []
        assert b"Subject: Plan" in b"".join(archive.read(name) for name in archive.namelist() if "mbox" in name)
        assert BOB.encode() not in b"".join(archive.read(name) for name in archive.namelist())
    before = to.read_bytes()
    assert run("account", "export", "Acme", "--to", to, fails=True)["error"] == "file_exists"
    assert to.read_bytes() == before and list(tmp_path.glob("*.part")) == []
    assert Event.objects.filter(kind="account.exported", account=acme).count() == 1
    missing = run("account", "export", "Nobody", "--to", tmp_path / "no.zip", fails=True)
    assert missing["error"] == "no_such_account" and not (tmp_path / "no.zip").exists()


def test_a_deletion_is_shown_asked_for_and_taken_back(acme):
    told = run("account", "delete", "Acme")
    assert (told["letters"], told["people"], told["done"]) == (1, 1, False)
    acme.refresh_from_db()
    assert not acme.is_closed and not Event.objects.filter(kind="account.closed").exists()
    assert run("account", "restore", "Acme", fails=True)["error"] == "not_closed"
    assert run("account", "delete", "acme", "--apply")["done"]
    acme.refresh_from_db()
    assert acme.is_closed and Event.objects.get(kind="account.closed").account == acme
    assert run("account", "delete", "Acme", "--apply", fails=True)["error"] == "already_closed"
    run("account", "restore", acme.public_id)
    acme.refresh_from_db()
    assert not acme.is_closed and not Account.objects.get(name="Other").is_closed
    assert run("account", "purge", "--apply") == [] and Message.objects.count() == 1


def test_a_purge_waits_for_its_30_days_is_shown_first_and_leaves_others(acme):
    run("account", "delete", "Acme", "--apply")
    assert run("account", "purge", "--apply") == [] and Message.objects.exists()
    are_over()
    assert [(row["name"], row["letters"], row["done"]) for row in run("account", "purge")] == [("Acme", 1, False)]
    assert Message.objects.exists()
    assert [row["done"] for row in run("account", "purge", "--apply")] == [True]
    acme.refresh_from_db()
    assert acme.purged_at is not None and not Message.objects.exists() and not Mailbox.objects.exists()
    assert list(Employee.objects.values_list("email", flat=True)) == [BOB]
    assert run("account", "restore", acme.public_id, fails=True)["error"] == "not_closed"
    assert run("account", "purge", "--apply") == []


def test_what_a_legal_hold_protects_is_refused(acme):
    run("hold", "place", "Acme", "--reason", "Case 7")
    run("account", "delete", "Acme", "--apply")
    are_over()
    assert run("account", "purge", "--apply", fails=True)["error"] == "held"
    acme.refresh_from_db()
    assert acme.purged_at is None and Message.objects.get().is_held


def test_an_operator_is_appointed_listed_and_dismissed_on_record(acme):
    assert run("operator", "list") == []
    assert run("operator", "grant", "no@acme.example", fails=True)["error"] == "no_such_employee"
    assert run("operator", "grant", ADA.title()) == {"operator": ADA}
    assert run("operator", "list") == [{"operator": ADA, "account": "Acme"}]
    assert not Employee.objects.get(email=BOB).is_operator
    run("operator", "revoke", ADA)
    assert run("operator", "list") == [] and not Employee.objects.get(email=ADA).is_operator
    Employee.objects.filter(email=ADA).update(is_active=False)
    assert run("operator", "grant", ADA, fails=True)["error"] == "no_such_employee"
    kinds = Event.objects.filter(kind__startswith="operator.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["operator.granted", "operator.revoked"]


def test_links_in_an_accounts_letters_are_switched_off_and_on(acme):
    assert run("account", "links", "Acme", "--off")["links_on"] is False
    acme.refresh_from_db()
    assert acme.links_off_at is not None
    assert run("account", "links", "Acme", "--on")["links_on"] is True
    acme.refresh_from_db()
    assert acme.links_off_at is None
