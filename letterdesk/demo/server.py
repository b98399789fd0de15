"""The demo's own mail server: IMAP (pymap, in memory) and a small SMTP that delivers into it, on loopback."""

import asyncio
import smtplib
import threading
from argparse import Namespace
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pymap.backend.dict import Config, DictBackend, Identity
from pymap.imap import IMAPService
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata

LARGEST = 50_000_000  # bytes of a letter
SECONDS = 20  # for Letterdesk's own SMTP
FOLDERS = ("Sent", "Drafts", "Junk", "Trash", "Archive")


@dataclass(frozen=True, slots=True)
class Seeded:
    """A letter that lies on the demo server from the beginning."""

    folder: str
    raw: bytes
    received_at: datetime
    flags: frozenset[str] = frozenset()


class MailServer:
    """IMAP and SMTP for the people of a demo company, in a thread of its own. `with MailServer(…) as server:`"""

    def __init__(self, people: Mapping[str, str], *, host: str = "127.0.0.1", imap_port: int, smtp_port: int) -> None:
        self.people = dict(people)  # address → password
        self.host, self.imap_port, self.smtp_port = host, imap_port, smtp_port
        self.inbound: tuple[str, int] | None = None  # domain and port of Letterdesk's own SMTP, for secret addresses
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-mail-server", daemon=True)
        self._config: Config

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def seed(self, address: str, letters: list[Seeded]) -> None:
        """Put letters into the folders of one address."""
        self._run(self._append_all(address, letters))

    def deliver(self, address: str, raw: bytes) -> None:
        """Deliver one new letter into the inbox, as SMTP does."""
        self._run(self._append_all(address, [Seeded("INBOX", raw, datetime.now(UTC))]))

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        arguments = Namespace(
            host=self.host, port=self.imap_port, debug=False, cert=None, key=None, tls=False, passlib_cfg=None,
            proxy_protocol="noop", inherited_sockets=None, demo_data=False, demo_user="-", demo_password="-",  # noqa: S106  nobody signs in as "-"
        )  # fmt: skip
        backend, self._config = await DictBackend.init(arguments)
        self._config.apply_context()
        for address, password in self.people.items():
            hashed = await Passwords(self._config).hash_password(password)
            backend.login.users_dict[address] = UserMetadata(self._config, address, password=hashed)
        self._login = backend.login
        await IMAPService(backend, self._config).start(self._stack)
        smtp = await self._loop.create_server(self._smtp, self.host, self.smtp_port)
        await self._stack.enter_async_context(smtp)

    def _smtp(self) -> SMTP:
        return SMTP(
            _Delivery(self), hostname="demo.letterdesk.example", loop=self._loop, data_size_limit=LARGEST,
            authenticator=self._authenticate, auth_require_tls=False,
        )  # fmt: skip

    def _authenticate(self, _smtp: SMTP, _session: Session, _envelope: Envelope, _way: str, said: Any) -> AuthResult:
        """Who signs in as one of the people; Letterdesk does before it sends."""
        if not isinstance(said, LoginPassword):
            return AuthResult(success=False, handled=False)
        password = self.people.get(said.login.decode().lower())
        return AuthResult(success=password == said.password.decode())

    async def _append_all(self, address: str, letters: list[Seeded]) -> None:
        async with Identity(address, self._login, None, frozenset()).new_session() as session:
            folders = session.mailbox_set
            for name in FOLDERS:
                if name not in {entry.name for entry in (await folders.list_mailboxes()).list()}:
                    await folders.add_mailbox(name)
            for letter in letters:
                folder = await folders.get_mailbox(letter.folder)
                flags = frozenset(Flag(flag.encode()) for flag in letter.flags)
                await folder.append(AppendMessage(letter.raw, letter.received_at, flags), recent=True)


class _Delivery:
    """What the demo's SMTP does with a letter: its people get it, Letterdesk what is for its secret addresses; anybody
    else's copy goes nowhere.

    Who answers a customer of the demo sees it sent; nothing ever leaves this machine.
    """

    def __init__(self, server: MailServer) -> None:
        self.server = server

    async def handle_RCPT(  # aiosmtpd's names and signature
        self, _smtp: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address.lower())
        return "250 2.1.5 OK"

    async def handle_DATA(self, _smtp: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        for address in dict.fromkeys(each for each in envelope.rcpt_tos if each in self.server.people):
            await self.server._append_all(address, [Seeded("INBOX", raw, datetime.now(UTC))])
        return await asyncio.to_thread(self._hand_on, envelope, raw) or "250 2.0.0 Delivered"

    def _hand_on(self, envelope: Envelope, raw: bytes) -> str:
        """Give Letterdesk what is for its own addresses; returns its refusal, empty: it took all there was."""
        domain, port = self.server.inbound or ("", 0)
        secret = [each for each in envelope.rcpt_tos if domain and each.endswith(f"@{domain}")]
        if not secret:
            return ""
        try:
            with smtplib.SMTP(self.server.host, port, timeout=SECONDS) as line:
                line.sendmail(envelope.mail_from or "", secret, raw)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return f"{code} {text.decode('ascii', 'replace')}"
        except (OSError, smtplib.SMTPException):
            return "451 4.4.1 Nobody takes letters at secret addresses yet"
        return ""
