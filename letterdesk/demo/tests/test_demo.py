"""What the README promises of the demo, by the command that `make demo` calls."""

import json
import os
import smtplib
import subprocess
import sys

import pytest

from letterdesk.demo.company import ADDRESSES
from letterdesk.demo.server import MailServer
from tests.rig.ports import free_port
from tests.rig.sink import Sink


def demo(folder, *words):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "DATABASE_", "JOBS_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "letterdesk", "demo", *words],
        env={**kept, "LETTERDESK_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_once_it_syncs_every_mailbox_over_imap_and_the_ledgers_add_up(tmp_path):
    done = demo(tmp_path, "--once", "--json", "--imap-port", "0", "--smtp-port", "0")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == set(ADDRESSES)
    assert all(report["agrees"] for report in told.values())
    assert sum(report["stored"] for report in told.values()) > 200
    inboxes = [folder for report in told.values() for folder in report["folders"] if folder["folder"] == "INBOX"]
    assert all(folder["ledger"]["left_out"] for folder in inboxes)  # some are older than the plan keeps


def test_a_folder_that_holds_something_else_is_not_emptied(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    done = demo(tmp_path, "--once")
    assert done.returncode != 0
    assert "not a folder of the demo" in done.stderr
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_its_mail_server_hands_letters_to_secret_addresses_on(tmp_path):
    """R30: who tries Send & Save needs no other server; a refusal is told, and what nobody takes is tried again."""
    letter = "From: ines@x.example\r\nSubject: Offer\r\n\r\nHello\r\n"
    unknown = "rcpt:save-no@in.x.example:550 5.1.1 Nobody takes letters there"
    with (
        MailServer({"ines@x.example": "x"}, imap_port=free_port(), smtp_port=free_port()) as server,
        smtplib.SMTP(server.host, server.smtp_port, timeout=10) as line,
    ):
        server.inbound = ("in.x.example", free_port())
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            line.sendmail("ines@x.example", ["save-it@in.x.example"], letter)
        with Sink(unknown) as sink:
            server.inbound = ("in.x.example", sink.port)
            line.sendmail("ines@x.example", ["bo@y.example", "save-it@in.x.example"], letter)
            with pytest.raises(smtplib.SMTPDataError, match="Nobody takes letters there"):
                line.sendmail("ines@x.example", ["save-no@in.x.example"], letter)
    [taken] = sink.taken
    assert (taken.sender, taken.recipients) == ("ines@x.example", ("save-it@in.x.example",))
