"""What we are measured beside, on the same server in the same run: mbsync, interimap, imaplib, notmuch."""

import imaplib
import shutil
import subprocess
import time
from pathlib import Path

from .server import Served, quiet_user

MBSYNC = """
IMAPAccount bench
Host {host}
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel bench
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""
INTERIMAP = """
database = {folder}/interimap.db
list-mailbox = INBOX

[local]
type = imap
host = {host}
port = {port}
username = {local}
password = {password}
auth = LOGIN
STARTTLS = NO

[remote]
type = imap
host = {host}
port = {port}
username = {user}
password = {password}
auth = LOGIN
STARTTLS = NO
"""


def has(program: str) -> bool:
    """Whether the peer is installed; the table says so where it is not."""
    return shutil.which(program) is not None


def mbsync(served: Served, folder: Path) -> float:
    """Seconds of one `mbsync` over the inbox into `folder`: a full copy the first time, then a no-op pass."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mbsyncrc"
    user = served.user
    config.write_text(MBSYNC.format(
        host=served.dovecot.host, port=served.dovecot.port, user=user.name, password=user.password, folder=folder
    ))  # fmt: skip
    return _timed(["mbsync", "-q", "-c", str(config), "bench"])


def interimap(served: Served, folder: Path) -> float:
    """Seconds of one `interimap` that copies the inbox to another user of the same server."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "interimap.conf"
    user = served.user
    config.write_text(INTERIMAP.format(
        host=served.dovecot.host, port=served.dovecot.port, user=user.name, password=user.password, folder=folder,
        local=quiet_user(served.dovecot).name,
    ))  # fmt: skip
    config.chmod(0o600)
    return _timed(["interimap", f"--config={config}"])


def raw_fetch(served: Served) -> float:
    """Seconds in which imaplib hands out all letters, in blocks of 200: nobody who uses IMAP is quicker."""
    client = imaplib.IMAP4(served.dovecot.host, served.dovecot.port)
    client.login(served.user.name, served.user.password)
    begin = time.perf_counter()
    client.select("INBOX", readonly=True)
    for first in range(1, served.letters + 1, 200):
        status, _ = client.fetch(f"{first}:{min(first + 199, served.letters)}", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        assert status == "OK"
    taken = time.perf_counter() - begin
    client.logout()
    return taken


class Notmuch:
    """The same letters in notmuch."""

    def __init__(self, folder: Path, letters: Path) -> None:
        self._config = folder / "notmuch.conf"
        folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(
            f"[database]\npath={folder}\nmail_root={letters}\n[user]\nname=Bench\nprimary_email=bench@example.org\n[new]\ntags=new\n"
        )
        _timed(["notmuch", f"--config={self._config}", "new", "--quiet"])

    def search(self, words: str) -> float:
        """Seconds of one search for 50 threads; the process start is part of it, as it is of every use."""
        command = ["notmuch", f"--config={self._config}", "search", "--limit=50", "--sort=newest-first", words]
        return _timed(command)


def _timed(command: list[str]) -> float:
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-800:] or done.stdout[-800:]}")
    return taken
