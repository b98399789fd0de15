"""pymap, in memory, stands in where Dovecot is missing: enough for initial sync, flags, moves and new mail.

Same methods as `Dovecot`, as far as it goes: add_user, deliver, client, host, port, stop.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import count

from letterdesk.demo.server import MailServer

from .dovecot import User
from .independent import Independent
from .ports import free_port


class StandIn:
    """A pymap server with room for a number of users."""

    def __init__(self, *, users: int = 12) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        people = {f"user{number}@rig.example": "secret" for number in range(1, users + 1)}
        self._server = MailServer(people, host=self.host, imap_port=self.port, smtp_port=free_port())
        self._server.__enter__()
        self._numbers = count(1)

    def stop(self) -> None:
        """End the server."""
        self._server.__exit__(None, None, None)

    def add_user(self) -> User:
        """A fresh user with INBOX, Sent, Drafts, Junk, Trash, Archive."""
        user = User(f"user{next(self._numbers)}@rig.example")
        self._server.seed(user.name, [])
        return user

    def client(self, user: User) -> Independent:
        """A new imaplib connection, signed in."""
        client = Independent(self.host, self.port)
        client.login(user.name, user.password)
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
        """Store a letter; return its UID."""
        with self.client(user) as client:
            return client.store_letter(folder, raw, flags=flags, date=date)
