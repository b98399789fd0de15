"""Random changes by several sessions, as other mail programs make them. Seeded; `log` tells what was done.

mutator = Mutator(dovecot, user, seed=7)
mutator.run(100)
"""

import random
from contextlib import ExitStack

from .boxes import letter
from .dovecot import User
from .independent import Independent

KINDS = {
    "append": 30,
    "store": 25,
    "copy": 10,
    "move": 12,
    "expunge": 8,
    "create": 3,
    "rename": 2,
}
FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "work", "$Later"]


class Mutator:
    """Several sessions of one user. A context manager."""

    def __init__(
        self, server, user: User, *, seed: int, sessions: int = 3, kinds: dict[str, int] | None = None
    ) -> None:
        self.random = random.Random(seed)
        self.log: list[str] = [f"seed {seed}"]
        self.kinds = kinds or KINDS
        self._stack = ExitStack()
        self._sign_in = lambda: self._stack.enter_context(server.client(user))
        self._sessions = [self._sign_in() for _ in range(sessions)]
        self._number = 0

    def __enter__(self) -> "Mutator":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, times: int) -> None:
        """Do that many changes."""
        for _ in range(times):
            self.step()

    def step(self) -> None:
        """One change. A change that the server refuses (the letter went meanwhile) is one that did not happen."""
        kind = self.random.choices(list(self.kinds), list(self.kinds.values()))[0]
        which = self.random.randrange(len(self._sessions))
        try:
            done = getattr(self, f"_{kind}")(self._sessions[which])
        except Independent.abort as end:  # after a rename Dovecot ends other sessions: "state is inconsistent"
            self._sessions[which] = self._sign_in()
            done = f"refused: {end}"
        except (RuntimeError, Independent.error) as refusal:
            done = f"refused: {refusal}"
        self.log.append(f"{kind} {done}")

    def _folder(self, session: Independent) -> str:
        return self.random.choice(sorted(session.folders()))

    def _some(self, session: Independent, most: int = 3) -> tuple[str, str]:
        folder = self._folder(session)
        session.enter(folder)
        uids = session.ask("UID", "SEARCH", "ALL")[0].split()
        chosen = self.random.sample(uids, min(len(uids), self.random.randint(1, most)))
        if not chosen:
            raise RuntimeError(f"{folder} is empty")
        return folder, b",".join(chosen).decode()

    def _append(self, session: Independent) -> str:
        self._number += 1
        folder = self._folder(session)
        flags = self.random.sample(FLAGS, self.random.randint(0, 2))
        uid = session.store_letter(folder, letter(self._number, Subject=f"Mutated {self._number}"), flags=flags)
        return f"{folder} {uid} {flags}"

    def _store(self, session: Independent) -> str:
        folder, uids = self._some(session)
        sign, flag = self.random.choice("+-"), self.random.choice(FLAGS)
        session.ask("UID", "STORE", uids, f"{sign}FLAGS", f"({flag})")
        return f"{folder} {uids} {sign}{flag}"

    def _copy(self, session: Independent, verb: str = "COPY") -> str:
        folder, uids = self._some(session)
        to = self._folder(session)
        session.ask("UID", verb, uids, f'"{to}"')
        return f"{folder} {uids} to {to}"

    def _move(self, session: Independent) -> str:
        return self._copy(session, "MOVE")

    def _expunge(self, session: Independent) -> str:
        folder, uids = self._some(session)
        session.ask("UID", "STORE", uids, "+FLAGS", "(\\Deleted)")
        session.ask("UID", "EXPUNGE", uids)
        return f"{folder} {uids}"

    def _create(self, session: Independent) -> str:
        name = f"Folder{self.random.randint(1, 5)}"
        session.create(name)
        return name

    def _rename(self, session: Independent) -> str:
        names = [name for name in sorted(session.folders()) if name.startswith("Folder")]
        if not names:
            raise RuntimeError("nothing to rename")
        name, to = self.random.choice(names), f"Folder{self.random.randint(1, 9)}"
        status, _ = session.rename(name, to)
        return f"{name} to {to}: {status}"
