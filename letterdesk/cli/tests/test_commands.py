"""The commands do what the documentation says, against a real server; refusals have a name and change nothing."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from letterdesk.accounts.models import Account, Employee
from letterdesk.cli.app import app
from letterdesk.crm.models import PolledMailbox
from letterdesk.mail.inbound import Inbound
from letterdesk.mailboxes.models import Mailbox, MailboxState, Message
from letterdesk.sync.models import SyncProcess
from letterdesk.tasks.create import create
from tests.rig.boxes import letter
from tests.rig.consent import Consents

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "ada@acme.example"


@pytest.fixture(autouse=True)
def _ground(allow_loopback, blob_folder, monkeypatch):
    monkeypatch.setenv("LETTERDESK_PASSWORD", "a-long-enough-password")


def run(*words: object, input: str = "", fails: bool = False):
    """Run a command; its JSON answer."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"], input=input, catch_exceptions=False)
    assert (result.exit_code != 0) is fails, result.output
    return json.loads(result.stdout)


@pytest.fixture
def acme():
    run("account", "create", "Acme", "--administrator", ADA, "--name", "Ada")
    return Account.objects.get()


@pytest.fixture
def connect(dovecot, acme):
    """Connect a fresh user's mailbox with this password."""
    user = dovecot.add_user()

    def connect(password: str = "secret", **kwargs):
        words = ("--owner", ADA, "--imap-host", dovecot.host, "--imap-port", dovecot.port, "--security", "none")
        return run("mailbox", "connect", user.name, *words, "--password-stdin", input=password + "\n", **kwargs)

    connect.user = user
    return connect


def test_an_account_is_opened_with_its_administrator():
    told = run("account", "create", "Acme", "--administrator", "Ada@Acme.example")
    assert told["administrator"] == ADA
    assert Employee.objects.get(email=ADA).is_administrator
    assert [row["name"] for row in run("account", "list")] == ["Acme"]


def test_an_employee_is_invited_by_an_administrator_alone(acme):
    assert run("employee", "invite", "bob@acme.example", "--by", ADA)["link"].startswith("http")
    Employee.objects.create_user("eve@acme.example", account=acme, name="Eve")
    assert run("employee", "invite", "x@acme.example", "--by", "eve@acme.example", fails=True)["error"] == "not_allowed"


@pytest.mark.dovecot
def test_a_mailbox_is_connected_synced_audited_paused_resumed_and_disconnected(connect, dovecot):
    dovecot.deliver(connect.user, letter(1))
    name = connect()["mailbox"]
    synced = run("mailbox", "sync", connect.user.name, "--once")[connect.user.name]
    assert synced["agrees"]
    assert synced["stored"] == 1
    assert run("mailbox", "audit", name)["agrees"]
    assert run("mailbox", "list")[0]["held"] == 1
    assert run("mailbox", "pause", name)["state"] == "paused"
    assert run("mailbox", "sync", name, fails=True)["error"] == "not_syncable"
    assert run("mailbox", "resume", name)["state"] == "connected"
    assert run("mailbox", "disconnect", name)["state"] == "disconnected"
    assert Mailbox.objects.get().secret is None


@pytest.mark.dovecot
def test_with_a_wrong_password_nothing_is_half_connected(connect):
    assert connect("wrong", fails=True)["error"] == "auth_failed"
    assert not Mailbox.objects.exists()


@pytest.mark.dovecot
def test_a_mailbox_is_not_connected_twice(connect):
    connect()
    assert connect(fails=True)["error"] == "already_connected"
    assert Mailbox.objects.count() == 1


def test_where_nothing_answers_the_error_is_named(acme):
    where = ("--imap-host", "127.0.0.1", "--imap-port", "9")
    told = run("mailbox", "connect", "x@acme.example", "--owner", ADA, *where, fails=True)
    assert told["error"] == "tcp_refused"


def test_a_private_server_is_refused_without_the_operators_leave(acme, settings):
    settings.ALLOWED_NETWORKS = []
    told = run("mailbox", "connect", "x@acme.example", "--owner", ADA, "--imap-host", "127.0.0.1", fails=True)
    assert told["error"] == "blocked_address"


def test_letters_are_imported_once(acme, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(letter(number))
    words = ("import", tmp_path, "--owner", ADA, "--into", "archive@acme.example")
    assert run(*words)["stored"] == 3
    again = run(*words)
    assert (again["stored"], again["known"]) == (0, 3)
    assert Message.objects.count() == 3
    assert run("reparse")["archive@acme.example"]["letters"] == 3


def test_what_is_not_there_is_named(acme, tmp_path):
    told = run("import", tmp_path / "no.mbox", "--owner", ADA, "--into", "archive@acme.example", fails=True)
    assert told["error"] == "file_not_found"
    assert run("mailbox", "sync", "nobody@acme.example", fails=True)["error"] == "no_such_mailbox"


def test_doctor_finds_a_mailbox_that_nobody_syncs(acme):
    assert all(row["ok"] for row in run("doctor"))
    Mailbox.objects.create(
        account=acme, owner=Employee.objects.get(email=ADA), address=ADA, name="Ada", imap_host="imap.acme.example",
        connected_at=datetime.now(UTC), state=MailboxState.CONNECTED,
    )  # fmt: skip
    rows = {row["check"]: row for row in run("doctor", fails=True)}
    assert "start `letterdesk run`" in rows["sync"]["says"]


def test_doctor_finds_a_mailbox_for_crm_at_which_nobody_looks_or_that_needs_a_person(acme):  # R30
    made = PolledMailbox.objects.create(account=acme, address="sales@acme.example", due_at=datetime.now(UTC))
    said = {row["check"]: row["says"] for row in run("doctor", fails=True)}
    assert "1 mailboxes wait: start `letterdesk run`" in said["sync"]
    SyncProcess.objects.create(name="one", started_at=datetime.now(UTC), seen_at=datetime.now(UTC))
    assert all(row["ok"] for row in run("doctor"))
    PolledMailbox.objects.update(due_at=datetime.now(UTC) - timedelta(hours=1))
    said = {row["check"]: row["says"] for row in run("doctor", fails=True)}
    assert "Not looked at for CRM: sales@acme.example" in said["mailboxes"]
    PolledMailbox.objects.filter(pk=made.pk).update(state="failing", error_code="auth_failed")
    said = {row["check"]: row["says"] for row in run("doctor", fails=True)}
    assert said["mailboxes"] == "Failing: sales@acme.example (auth_failed)"


def test_doctor_says_whether_somebody_takes_letters_by_smtp(acme, settings, tmp_path):  # R30
    def said(**more):
        row = next(row for row in run("doctor", fails=more.pop("fails", False)) if row["check"] == "letters by SMTP")
        return row["says"]

    assert "not set up" in said()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "0.0.0.0"):
            settings.INBOUND = Inbound("in.acme.example", host, port)
            assert said() == f"in.acme.example at {host}:{port}: answers"
    assert "nobody answers from here; start `letterdesk run`" in said()
    settings.INBOUND = replace(settings.INBOUND, certificate=str(tmp_path / "none.pem"))
    assert "LETTERDESK_INBOUND_CERTIFICATE" in said(fails=True)


def test_doctor_asks_each_provider_whether_it_knows_us(acme, settings):
    def says() -> tuple[bool, str]:
        rows = json.loads(CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False).stdout)
        return next((row["ok"], row["says"]) for row in rows if row["check"] == "sign-in by OAuth")

    assert says() == (True, "no provider is set up")
    with Consents() as server:
        known = server.provider(imap="localhost:1 none", smtp="localhost:2 none")
        settings.OAUTH_PROVIDERS = {"rigmail": known}
        assert says() == (True, "Rigmail: http://127.0.0.1:8000/oauth/rigmail")
        settings.OAUTH_PROVIDERS = {"rigmail": replace(known, client_secret="expired")}
        ok, text = says()
        assert not ok and "Rigmail does not accept this Letterdesk" in text and "expired" not in text
    settings.OAUTH_PROVIDERS = {}
    ada = Employee.objects.get(email=ADA)
    Mailbox.objects.create(account=acme, owner=ada, address=ADA, name="Ada", imap_host="x", signs_in_by="rigmail")
    assert says() == (False, "Mailboxes sign in by rigmail: set its id and secret (docs/settings.md).")


@pytest.mark.dovecot
def test_after_a_rotation_the_old_key_can_go(connect, settings):
    connect()
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    assert run("keys", "rotate")["secrets"] == 1
    settings.ENCRYPTION_KEYS = [new]
    assert Mailbox.objects.get().secret == {"password": "secret"}


@pytest.mark.dovecot
def test_a_secret_that_no_key_opens_is_named_and_not_touched(connect, settings):
    connect()
    before = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert run("keys", "rotate", fails=True)["error"] == "secret_unreadable"
    settings.ENCRYPTION_KEYS = before
    assert Mailbox.objects.get().secret == {"password": "secret"}


def test_an_employee_is_dismissed_handed_over_and_taken_back(acme):
    eve = Employee.objects.create_user("eve@acme.example", account=acme, name="Eve")
    create("Call back", by=eve, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert run("employee", "reinstate", eve.email, "--by", ADA, fails=True)["error"] == "not_dismissed"
    assert run("employee", "dismiss", ADA, "--by", ADA, fails=True)["error"] == "last_administrator"
    run("employee", "dismiss", eve.email, "--by", ADA)
    assert [(row["employee"], row["tasks"]) for row in run("employee", "left", "--by", ADA)] == [(eve.email, 1)]
    told = run("employee", "hand-over", eve.email, "--by", ADA, "--tasks-to", ADA, "--mailboxes-to", ADA)
    assert (told["tasks_handed_over"], told["mailboxes_handed_over"]) == (1, 0)
    run("employee", "reinstate", eve.email, "--by", ADA)
    assert Employee.objects.get(pk=eve.pk).is_active
