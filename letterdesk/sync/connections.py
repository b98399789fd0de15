"""Opens connections: never too many to one host, never too many new ones at once, none while a host rests."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from letterdesk.mail.errors import MailError, NotRegistered, ProviderUnavailable, TokenRefused, Unavailable
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, Trace
from letterdesk.mailboxes.login import imap_login
from letterdesk.mailboxes.models import Mailbox, SignsIn

from .backoff import Hosts

AT_ONCE = 8  # sign-ins under way to one host: 200 mailboxes that start together queue up (A41)


def guard() -> Guard:
    """The guard with the operator's allowed networks."""
    return Guard(allowed=tuple(settings.ALLOWED_NETWORKS))


def sign_in(
    mailbox: SignsIn,
    guard: Guard,
    *,
    login: Login | None = None,
    timeout: float = 30,
    within: float | None = None,
    trace: Trace | None = None,
) -> Connection:
    """Open a connection to the mailbox's server; times as in `Connection.open`. Never inside a transaction.

    A token that the server does not take, although its time is not over, is renewed, once. Raises MailError.
    """
    login = login or imap_login(mailbox, guard)
    try:
        return Connection.open(login, guard, timeout=timeout, within=within, trace=trace)
    except TokenRefused:
        again = imap_login(mailbox, guard, refused=login.oauth_token)
    return Connection.open(again, guard, timeout=timeout, within=within, trace=trace)


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
        """Sign in to the mailbox's server. Raises MailError; Unavailable while the host rests or is full.

        A provider of tokens that does not answer says nothing about the host.
        """
        host, here = mailbox.imap_host, guard()
        if rest := self.hosts.rest(host):
            raise Unavailable(f"{host} did not answer before; next try in {rest:.0f} s")
        login = imap_login(mailbox, here)
        with self._place(host), self._signing_in[host]:
            try:
                connection = sign_in(mailbox, here, login=login, timeout=self._timeout)
            except MailError as error:
                if error.is_temporary and not isinstance(error, NotRegistered | ProviderUnavailable):
                    self.hosts.failed(host)
                raise
        self.hosts.answered(host)
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
