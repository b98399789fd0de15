"""Trying a sign-in step by step, so that a person sees where it fails: the six steps of the connect form."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

from letterdesk.mail import imap_signin, smtp
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection
from letterdesk.mail.imap_types import Login
from letterdesk.mail.imap_wire import Wire

STEPS = ("resolve", "connect", "secure", "sign_in", "folders", "smtp")
PATIENCE = 10.0  # seconds for each step
WITHIN = 60.0  # seconds for all that the server of letters is asked: a person waits


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of STEPS. `error` is set exactly when `ok` is False; `detail` says in words what was seen."""

    name: str
    ok: bool
    milliseconds: int
    error: MailError | None = None
    detail: str = ""


def test_login(
    login: Login, guard: Guard, *, smtp_login: Login | None = None, timeout: float = PATIENCE
) -> Iterator[CheckStep]:
    """Yield each step when it is done; the first that fails is the last. Nothing stays connected, nothing changes.

    `timeout` in seconds for each answer; after WITHIN the connection is closed, whatever comes. Without `smtp_login`
    the last step is left out.
    """
    trial = _Trial(login, guard, smtp_login, timeout)
    try:
        for name, step in trial.steps():
            done = _timed(name, step)
            yield done
            if not done.ok:
                return
    finally:
        trial.close()


test_login.__test__ = False  # type: ignore[attr-defined]  # pytest: its name is no promise


def _timed(name: str, step: Callable[[], str]) -> CheckStep:
    began = monotonic()
    try:
        detail, error = step(), None
    except MailError as failure:
        detail, error = failure.detail, failure
    return CheckStep(name, error is None, round((monotonic() - began) * 1000), error, detail)


class _Trial:
    def __init__(self, login: Login, guard: Guard, smtp_login: Login | None, timeout: float) -> None:
        self.login = login
        self.guard = guard
        self.smtp_login = smtp_login
        self.timeout = timeout
        self.wire: Wire | None = None
        self.offered: frozenset[str] = frozenset()

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        steps = dict(
            zip(STEPS, (self.resolve, self.connect, self.secure, self.sign_in, self.folders, self.smtp), strict=True)
        )
        return [(name, step) for name, step in steps.items() if name != "smtp" or self.smtp_login]

    def resolve(self) -> str:
        return ", ".join(self.guard.addresses(self.login.host, self.login.port)[:3])

    def connect(self) -> str:
        self.guard.connect(self.login.host, self.login.port, timeout=self.timeout).close()
        return f"{self.login.host}:{self.login.port}"

    def secure(self) -> str:
        self.wire, self.offered = imap_signin.connect(
            self.login, self.guard, timeout=self.timeout, within=WITHIN, trace=None
        )
        return self.wire.encryption or "not encrypted"

    def sign_in(self) -> str:
        assert self.wire  # noqa: S101  # the step before has set it
        self.offered = imap_signin.sign_in(self.wire, self.login, self.offered)
        return self.login.user

    def folders(self) -> str:
        assert self.wire  # noqa: S101
        connection = Connection(self.wire, self.offered)
        names = [folder.name for folder in connection.folders()]
        letters = connection.status("INBOX").messages
        return f"{len(names)} folders, {letters} letters in the inbox"

    def smtp(self) -> str:
        assert self.smtp_login  # noqa: S101
        client = smtp.sign_in(self.smtp_login, self.guard, timeout=self.timeout)
        client.close()
        return f"{self.smtp_login.host}:{self.smtp_login.port}"

    def close(self) -> None:
        if self.wire:
            Connection(self.wire, self.offered).logout()
