"""A whole Letterdesk in processes of its own, on a temporary data folder: pages, jobs and sync, as `letterdesk run`."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.rig.database import migrated
from tests.rig.forked import Commands
from tests.rig.ports import free_port

PASSWORD = "correct horse battery"
PATIENCE = 180  # seconds; five processes start, beside whatever else the machine does


class House:
    """Start it, give commands, stop it. `process`: "web" where pages alone are wanted, a quarter of the work."""

    def __init__(
        self,
        folder: Path,
        *,
        certificates: Path | None = None,
        plan: str = "standard",
        process: str = "run",
        **more: str,
    ) -> None:
        self.folder = folder
        self._verb = process
        self.port = free_port()
        self.inbound_port = free_port()
        self.address = f"http://localhost:{self.port}"  # passkeys want a name
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "DATABASE_"))},
            "LETTERDESK_DATA": str(folder),
            "LETTERDESK_URL": self.address,
            "LETTERDESK_CATALOGUE": "commercial",
            "LETTERDESK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "LETTERDESK_PUSH_NETWORKS": "127.0.0.0/8,::1/128",
            "EMAIL_URL": "none://",
            "LETTERDESK_INBOUND_DOMAIN": "in.acme.example",
            "LETTERDESK_INBOUND_LISTEN": f"127.0.0.1:{self.inbound_port}",
            "LETTERDESK_INBOUND_SENDERS": "127.0.0.1",
            "LETTERDESK_INBOUND_BELIEVED": "mx.free.example",
            **({"SSL_CERT_FILE": str(certificates)} if certificates else {}),
            **more,
        }
        self.plan = plan
        self.process: subprocess.Popen[bytes] | None = None
        self._commands: Commands | None = None

    def start(self) -> None:
        """Open the account of Ines, start the processes, wait until pages are served."""
        migrated(self.folder / "letterdesk.sqlite3")
        self.open_account("Acme", "ines@acme.example", "Ines Moreau")
        with (self.folder / "run.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "letterdesk", self._verb, "--listen", f"127.0.0.1:{self.port}"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()  # or its processes would keep the machine busy for ever
            raise

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.address}/accounts/login/", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise AssertionError((self.folder / "run.log").read_text())

    def open_account(self, name: str, email: str, person: str) -> None:
        """An account with an administrator whose password is PASSWORD."""
        self.command(
            "account", "create", name, "--administrator", email, "--name", person, "--plan", self.plan,
            "--time-zone", "Europe/Berlin", "--password-stdin", secret=PASSWORD,
        )  # fmt: skip

    @property
    def commands(self) -> Commands:
        """Runs commands and scripts on this house's data."""
        if self._commands is None:
            self._commands = Commands(self.environment)
        return self._commands

    def command(self, *words: str, secret: str = "") -> str:
        """Run a command of Letterdesk; returns what it printed. Fails with it."""
        done = self.commands.run(*words, secret=secret)
        assert done.returncode == 0, (words, done.stdout.decode(), done.stderr.decode())
        return done.stdout.decode()

    def connect(self, address: str, *, host: str, port: int, security: str, user: str, password: str) -> None:
        """Connect a mailbox of Ines by command line."""
        server = ["--imap-host", host, "--imap-port", str(port), "--security", security, "--imap-user", user]
        whose = ["--owner", "ines@acme.example", "--name", "Ines"]
        told = self.command(
            "mailbox", "connect", address, *whose, *server, "--password-stdin", "--json", secret=password
        )
        json.loads(told)

    def disconnect(self, address: str) -> None:
        """Disconnect a mailbox and forget its letters: the next test meets none of them."""
        self.command("mailbox", "disconnect", address, "--delete-copies")

    def stop(self) -> None:
        """End the processes that `start` began."""
        if self._commands is not None:
            self._commands.stop()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            raise
