"""A private Postfix on loopback, out of a temporary folder: one more server that takes letters, and a real one.

    with Postfix(authority, auth=dovecot) as postfix:
        postfix.reach(mailbox)            # STARTTLS, AUTH asked of Dovecot
        postfix.letters("bo")             # what lies in the Maildir of bo@client.example

It knows bo@client.example, puts off late@client.example as a greylist does, refuses who is unknown, and takes letters
of up to LARGEST bytes without saying so at EHLO, so that its own refusal is seen. Its master runs as root.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .certificates import Authority
from .ports import free_port, wait_for_port

SBIN = Path("/usr/lib/postfix/sbin")
IS_HERE = (SBIN / "master").exists() and os.geteuid() == 0
LARGEST = 200_000
FOLDERS = "active bounce corrupt defer deferred flush hold incoming private public trace"
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {sbin}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.client.example
mydestination =
alias_maps =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
message_size_limit = {largest}
smtpd_discard_ehlo_keywords = size
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{late@client.example=450 4.2.0 Greylisted}} }}
virtual_mailbox_domains = client.example
virtual_mailbox_maps = inline:{{bo@client.example=bo/, late@client.example=late/}}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_limit = 0
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""


def asked_by_postfix(port: int) -> str:
    """Settings of a Dovecot that tells a Postfix on loopback whose password is right."""
    return f"service auth {{\n  inet_listener {{\n    address = 127.0.0.1\n    port = {port}\n  }}\n}}\n"


class Postfix:
    """One running server; a context manager that ends it and removes its folder."""

    def __init__(self, authority: Authority, *, auth: int) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="rig-postfix-"))
        self.folder.chmod(0o755)
        pair = authority.pair()
        main = MAIN.format(folder=self.folder, sbin=SBIN, auth=auth, largest=LARGEST, certificate=pair.certificate,
                           key=pair.key)  # fmt: skip
        (self.folder / "main.cf").write_text(main)
        (self.folder / "master.cf").write_text(MASTER.format(port=self.port))
        self._make_folders()

    def _make_folders(self) -> None:
        postfix = pwd.getpwnam("postfix")
        for name in (*(f"queue/{each}" for each in FOLDERS.split()), "data"):
            (self.folder / name).mkdir(parents=True)
            os.chown(self.folder / name, postfix.pw_uid, postfix.pw_gid)
        (self.folder / "queue/pid").mkdir()
        (self.folder / "mail").mkdir()
        os.chown(self.folder / "mail", 65534, 65534)

    def __enter__(self) -> "Postfix":
        words = [SBIN / "master", "-c", self.folder, "-d"]
        with (self.folder / "stderr").open("wb") as errors:
            self._master = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True,
                env={**os.environ, "MAIL_CONFIG": str(self.folder)},
            )  # fmt: skip
        try:
            wait_for_port(self.port, timeout=20, alive=lambda: self._master.poll() is None)
        except TimeoutError as error:
            raise RuntimeError(self.log()) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._master.send_signal(signal.SIGTERM)  # its children go with it
        self._master.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reach(self, mailbox) -> None:
        """Let this mailbox send through it; its password is Dovecot's."""
        mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security = "localhost", self.port, "starttls"
        mailbox.secret = {"password": "secret"}
        mailbox.save(update_fields=["smtp_host", "smtp_port", "smtp_security", "secret"])

    def letters(self, name: str) -> list[bytes]:
        """What lies in somebody's mailbox, with the line ends of a Unix file."""
        return [file.read_bytes() for file in sorted((self.folder / "mail" / name / "new").glob("*"))]

    def log(self) -> str:
        """What it wrote about itself."""
        files = (self.folder / "stderr", self.folder / "log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())
