"""`letterdesk sendsave …` (R30)."""

import pytest

from letterdesk.accounts.models import Role
from letterdesk.crm.models import Activity
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound.tests.conftest import account, ines, sold_plans  # noqa: F401  fixtures
from letterdesk.plans.models import Subscription
from tests.rig.boxes import letter

from .test_commands import run

pytestmark = [
    pytest.mark.dovecot,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("allow_loopback", "blob_folder"),
]


def test_a_polled_mailbox_from_connecting_to_leaving(account, ines, dovecot, monkeypatch, settings):  # noqa: F811
    settings.JOBS_URL = "memory://"
    Subscription.objects.filter(account=account).update(plan="free")
    user, admin = dovecot.add_user(), employ(account, "Admin", Role.ADMINISTRATOR)
    monkeypatch.setenv("LETTERDESK_PASSWORD", user.password)
    address, place = "sales@acme.example", f"{dovecot.host}:{dovecot.port}"
    connect = ("sendsave", "connect", address, "--imap", place, "--security", "none", "--imap-user", user.name)
    assert run(*connect, "--by", ines.email, fails=True)["error"] == "not_allowed"
    assert run(*connect, "--unknown", "x", "--by", admin.email, fails=True)["error"] == "bad_word"
    for no_day in ("x", "2026-02-30", "0001-01-01"):
        assert run(*connect, "--since", no_day, "--by", admin.email, fails=True)["error"] == "bad_day"
    made = run(*connect, "--unknown", "lead", "--by", admin.email)
    assert made["state"] == "connected" and user.password not in str(made).split()
    assert run(*connect, "--by", admin.email, fails=True)["error"] == "bad_polled"
    dovecot.deliver(user, letter(1, From="Amara <amara@okafor.example>"))
    mine = (address, "--by", admin.email)
    assert run("sendsave", "look", *mine) == {"letters": 1}
    assert Activity.objects.get().subject == "Letter 1"
    assert run("sendsave", "older", *mine, "--since", "2026-01-31")["older since"].startswith("2026-01-3")
    assert run("sendsave", "pause", *mine)["state"] == "paused"
    assert run("sendsave", "look", *mine, fails=True)["error"] == "bad_polled"
    assert run("sendsave", "resume", *mine)["state"] == "connected"
    assert [row["address"] for row in run("sendsave", "list", "--by", admin.email)] == [address]
    assert run("sendsave", "list", "--by", ines.email) == []
    assert run("sendsave", "disconnect", *mine) == {"disconnected": address}
    assert run("sendsave", "look", *mine, fails=True)["error"] == "no_such_mailbox"
