"""A private Dovecot 2.3 on loopback, from a temporary folder.

    def test_it(dovecot):                       # one server for the session, users are fresh in every test
        user = dovecot.add_user()               # User(name, password)
        uid = dovecot.deliver(user, b"Subject: x\\r\\n\\r\\nbody", folder="INBOX", flags=["\\\\Seen"], date=when)
        with dovecot.client(user) as imap:      # imaplib: an independent reader, also for changing things
            imap.enter("INBOX")
        dovecot.doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=user)
        dovecot.commands(user)                  # Counter of the IMAP commands of this user, from the server's own log
        dovecot.host, dovecot.port, dovecot.tls_port

    def test_without_condstore(dovecot_server):  # others, shared by their options
        plain = dovecot_server(without={"CONDSTORE", "QRESYNC", "MOVE", "UIDPLUS"})
        narrow = dovecot_server(connections=2)   # mail_max_userip_connections
        expired = dovecot_server(certificate="expired")

Capabilities that are stripped are not announced any more; the commands themselves still work.
The fixture `trust_rig` makes OpenSSL trust the rig's authority, and `allow_loopback` the outgoing guard.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from .certificates import Authority, Pair
from .independent import Independent
from .ports import free_port, wait_for_port

BINARY = shutil.which("dovecot") or next((p for p in ("/usr/sbin/dovecot",) if Path(p).exists()), None)
CAPABILITIES = (
    "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS "
    "THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED "
    "I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE "
    "SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE"
)
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}/home/%u
mail_location = maildir:~/Maildir:LAYOUT=fs
mail_fsync = never
mail_max_userip_connections = {connections}
mailbox_list_index = yes
maildir_stat_dirs = yes
rawlog_dir = {folder}/raw/%u
{capability}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
namespace inbox {{
  inbox = yes
  separator = /
#FOLDERS#
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  client_limit = 4000
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  client_limit = 5000
}}
service auth {{
  client_limit = 6000
}}
service stats {{
  client_limit = 5000
}}
service imap {{
  process_limit = 3000
}}
"""
ROLES = {"Sent": "\\Sent", "Drafts": "\\Drafts", "Trash": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive"}
SPECIAL = "".join(f"  mailbox {n} {{\n    special_use = {r}\n    auto = create\n  }}\n" for n, r in ROLES.items())


@dataclass(frozen=True)
class User:
    """Someone with a mailbox on a rig server."""

    name: str
    password: str = "secret"


class Dovecot:
    """One running server. `stop()` ends it and removes its folder."""

    def __init__(
        self,
        authority: Authority,
        *,
        without: Iterable[str] = (),
        connections: int = 1000,
        certificate: str = "valid",
        special_use: bool = True,
        settings: str = "",
    ) -> None:
        self.host = "127.0.0.1"
        self.port, self.tls_port = free_port(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="rig-dovecot-"))
        self.folder.chmod(0o755)
        self._numbers = count(1)
        self._readers: dict[User, Independent] = {}
        capability = self._announced(frozenset(without))
        text = self._configuration(authority.pair(certificate), capability, connections=connections)
        folders = SPECIAL if special_use else ""
        (self.folder / "dovecot.conf").write_text(text.replace("#FOLDERS#", folders) + settings)
        self._start()

    def _announced(self, without: frozenset[str]) -> str:
        words = " ".join(word for word in CAPABILITIES.split() if word not in without)
        return f"imap_capability = {words}" if without else ""

    def _configuration(self, pair: Pair, capability: str, *, connections: int) -> str:
        is_root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid()).pw_name
        mail = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
        self._owner = (mail.pw_uid, mail.pw_gid)
        for name in ("home", "raw"):
            (self.folder / name).mkdir(mode=0o755)
            os.chown(self.folder / name, *self._owner)
        return CONFIG.format(
            folder=self.folder,
            port=self.port,
            tls_port=self.tls_port,
            login_user="dovenull" if is_root else me,
            internal_user="dovecot" if is_root else me,
            internal_group="dovecot" if is_root else "",
            mail_uid=mail.pw_uid,
            mail_gid=mail.pw_gid,
            connections=connections,
            certificate=pair.certificate,
            key=pair.key,
            capability=capability,
        )

    def _start(self) -> None:
        assert BINARY, "Dovecot is not installed"
        with (self.folder / "stderr").open("wb") as errors:
            self._master = subprocess.Popen(
                [BINARY, "-F", "-c", self.folder / "dovecot.conf"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # its own process group, so that `stop` ends all of it
            )
        try:
            wait_for_port(self.port, alive=lambda: self._master.poll() is None)
        except TimeoutError as error:
            raise RuntimeError((self.folder / "stderr").read_text() + self.log()) from error

    def stop(self) -> None:
        """End the server and remove its folder."""
        for reader in self._readers.values():
            with suppress(Exception):
                reader.shutdown()
        with suppress(ProcessLookupError):
            os.killpg(self._master.pid, signal.SIGKILL)
        self._master.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the server wrote about itself."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    # People and their mail ------------------------------------------------------------------------------------------

    def add_user(self, name: str = "", *, domain: str = "rig.example") -> User:
        """A fresh user with empty INBOX, Sent, Drafts, Trash, Junk, Archive."""
        user = User(f"{name or 'user'}{next(self._numbers)}@{domain}")
        raw = self.folder / "raw" / user.name
        raw.mkdir()
        os.chown(raw, *self._owner)
        return user

    def client(self, user: User) -> Independent:
        """A new imaplib connection, signed in; a context manager that logs out. Not counted in `commands`."""
        client = Independent(self.host, self.port)
        client.login(user.name, user.password)
        client.xatom("ID", '("name" "rig")')
        return client

    def deliver(
        self,
        user: User,
        raw: bytes,
        *,
        folder: str = "INBOX",
        flags: Iterable[str] = (),
        date: datetime | None = None,
    ) -> int:
        """Store a letter as another program would; return its UID. `date` is aware; default: now."""
        if user not in self._readers:
            self._readers[user] = self.client(user)
        return self._readers[user].store_letter(folder, raw, flags=flags, date=date)

    def maildir(self, user: User, folder: str = "INBOX") -> Path:
        """Where the letters of a folder lie on disk."""
        home = self.folder / "home" / user.name / "Maildir"
        return home if folder == "INBOX" else home / folder

    def doveadm(self, *words: str, user: User | None = None) -> str:
        """Run doveadm: `doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=user)`."""
        verb = 2 if words[0] in {"mailbox", "stats"} else 1
        who = ["-u", user.name] if user else []
        command = ["doveadm", "-c", str(self.folder / "dovecot.conf"), *words[:verb], *who, *words[verb:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout

    # What the server saw --------------------------------------------------------------------------------------------

    def wire(self, user: User) -> list[bytes]:
        """Every line that programs other than the rig itself sent as this user, in order, literals included."""
        files = sorted((self.folder / "raw" / user.name).glob("*.in"), key=lambda file: file.stat().st_mtime)
        sessions = [file.read_bytes() for file in files]
        return [line for session in sessions if b'"name" "rig"' not in session for line in session.splitlines()]

    def commands(self, user: User) -> Counter[str]:
        """How often each command was sent: `UID FETCH`, `SELECT`, `UID EXPUNGE`… A STORE names what it stores."""
        return count_commands(self.wire(user))


_COMMAND = re.compile(rb"^(?:[\d.]+ )?[A-Za-z0-9]+ ((?:UID )?[A-Za-z]+)(.*)$", re.IGNORECASE | re.DOTALL)
_VERBS = re.compile(
    "(UID )?(CAPABILITY|NOOP|LOGOUT|STARTTLS|AUTHENTICATE|LOGIN|ENABLE|SELECT|EXAMINE|CREATE|DELETE|RENAME|SUBSCRIBE|"
    "UNSUBSCRIBE|LIST|LSUB|NAMESPACE|STATUS|APPEND|IDLE|CHECK|CLOSE|UNSELECT|EXPUNGE|SEARCH|FETCH|STORE|COPY|MOVE|ID|"
    "NOTIFY|SORT|THREAD)"
)


def count_commands(lines: Iterable[bytes]) -> Counter[str]:
    """Count the commands among lines that a client sent. `STORE +\\Deleted` is counted by that name besides."""
    counted: Counter[str] = Counter()
    for line in lines:
        found = _COMMAND.match(line)
        if not found:
            continue
        verb = found[1].decode().upper()
        if not _VERBS.fullmatch(verb):
            continue
        counted[verb] += 1
        if verb.endswith("STORE") and b"\\deleted" in found[2].lower() and b"-FLAGS" not in found[2].upper():
            counted["STORE +\\Deleted"] += 1
    return counted


def wait_until(condition, *, timeout: float = 5, step: float = 0.02):
    """Ask until the answer is true, and return it; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(step)
    return answer
