"""What somebody has told the wizard so far: kept encrypted for an hour, so that every step has its own address."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.cache import cache

from letterdesk.lib.crypto import cipher
from letterdesk.mail.survey import Amount, Surveyed
from letterdesk.web.request import Request

KEPT_FOR = 3600  # seconds


@dataclass(frozen=True)
class DraftFolder:
    """A folder that the test has seen. `amounts`: depth as the form names it ("" for everything) → letters, bytes."""

    name: str
    wire_name: str
    delimiter: str
    role: str
    is_selectable: bool
    letters: int | None
    amounts: dict[str, list[int]]

    @classmethod
    def of(cls, seen: Surveyed) -> "DraftFolder":
        """As the survey found it."""
        amounts = {depth_key(depth): [each.letters, each.size] for depth, each in seen.amounts.items()}
        one = seen.folder
        return cls(one.name, one.wire_name, one.delimiter, one.role, one.selectable, seen.letters, amounts)

    def amount(self, depth: str) -> Amount | None:
        """What this depth would bring; None: it was not counted."""
        told = self.amounts.get(depth)
        return Amount(*told) if told else None


@dataclass
class Draft:
    """The wizard's memory. `server`: fields of the sign-in form; `is_tested`: it let us in as it stands.

    `secret`: as the mailbox will keep it, {"password": …} or a consent's.
    """

    address: str = ""
    secret: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    found: str = ""
    note: str = ""
    folders: list[DraftFolder] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    is_tested: bool = False

    @property
    def password(self) -> str:
        """The password that was typed; "" where there is none, or a consent."""
        return str(self.secret.get("password", ""))

    def take(self, secret: dict[str, Any]) -> None:
        """Another way in: what was tested with the one before counts no more."""
        self.secret = secret
        self.forget_test()

    def forget_test(self) -> None:
        """Something was changed: what the server said before counts no more."""
        self.folders, self.steps, self.is_tested = [], [], False


def depth_key(depth: int | None) -> str:
    """A depth as the form names it."""
    return "" if depth is None else str(depth)


def load(request: Request) -> Draft:
    """The draft of this person, or an empty one."""
    kept = cache.get(_key(request))
    if not kept:
        return Draft()
    try:
        told = json.loads(cipher().decrypt(kept.encode()))
        return Draft(**{**told, "folders": [DraftFolder(**each) for each in told["folders"]]})
    except (InvalidToken, TypeError):  # the operator has taken the key away, or it was kept by a version before
        return Draft()


def keep(request: Request, draft: Draft) -> None:
    """Remember it for an hour."""
    cache.set(_key(request), cipher().encrypt(json.dumps(asdict(draft)).encode()).decode(), KEPT_FOR)


def drop(request: Request) -> None:
    """Forget it: the mailbox is connected, or the person begins anew."""
    cache.delete(_key(request))


def _key(request: Request) -> str:
    return f"connecting:{request.employee.public_id}"
