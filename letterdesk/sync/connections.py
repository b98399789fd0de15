"""Opens connections: never too many to one host, never too many new ones at once, none while a host rests."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from letterdesk.mail.errors import MailError, Unavailable
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login
from letterdesk.mailboxes.models import Mailbox

from .backoff import Hosts

AT_ONCE = 8  # sign-ins under way to one host: 200 mailboxes that start together queue up (A41)


def guard() -> Guard:
    """The guard with the operator's allowed networks."""
    return Guard(allowed=tuple(settings.ALLOWED_NETWORKS))


def login_of(mailbox: Mailbox) -> Login:
    """How to sign in to this mailbox's server."""
    secret = mailbox.secret or {}
    return Login(
        host=mailbox.imap_host,
        port=mailbox.imap_port,
        security=mailbox.imap_security,
        user=mailbox.imap_user or mailbox.address,
        password=secret.get("password", ""),
        oauth_token=secret.get("oauth_token", ""),
    )


class Connections:
    """The doors to all hosts, shared by the threads of one process."""

    def __init__(self, *, per_host: int | None = None, timeout: float = 30) -> None:
        self.hosts = Hosts()
        self._timeout = timeout
        self._per_host = per_host or settings.HOST_CONNECTIONS
        self._signing_in: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))
        self._open: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def open(self, mailbox: Mailbox) -> Connection:
        """Sign in to the mailbox's server. Raises MailError; Unavailable while the host rests or is full."""
        login = login_of(mailbox)
        if rest := self.hosts.rest(login.host):
            raise Unavailable(f"{login.host} did not answer before; next try in {rest:.0f} s")
        with self._place(login.host), self._signing_in[login.host]:
            try:
                connection = Connection.open(login, guard(), timeout=self._timeout)
            except MailError as error:
                if error.is_temporary:
                    self.hosts.failed(login.host)
                raise
        self.hosts.answered(login.host)
        return connection

    def closed(self, host: str) -> None:
        """A connection to this host has ended: its place is free."""
        with self._lock:
            self._open[host] -= 1

    @contextmanager
    def _place(self, host: str) -> Iterator[None]:
        with self._lock:
            if self._open[host] >= self._per_host:
                raise Unavailable(f"{self._per_host} connections to {host} are open, which is the limit here")
            self._open[host] += 1
        try:
            yield
        except BaseException:
            self.closed(host)
            raise
