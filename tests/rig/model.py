"""What becomes of a letter, as the rules have it (R4, R9–R12, R18–R20, R29): the reference that worlds are compared to.

Written from the rules and docs/decisions/0008 alone. It asks nothing of Letterdesk, so that it shares no error with it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
DAYS = {"free": 0, "project": 0, "start": 30, "crm": 30, "standard": 30, "professional": 90}  # of the plan catalogue


@dataclass
class Firm:
    """An account: its plan, since when that has no Webmail, and own times: (begins, whose, days by kind of folder)."""

    plan: str
    ended_at: datetime | None = None
    chosen: list[tuple[datetime, int | None, dict[str, int]]] = field(default_factory=list)  # None: of all mailboxes


@dataclass
class Letter:
    """A letter: where it lies ("inbox", "sent", "drafts"), its tasks, and what a person did that no server knows."""

    firm: Firm
    mailbox: int
    received_at: datetime
    lies_in: set[str]
    tasks: set[int] = field(default_factory=set)
    is_legal: bool = False
    in_crm: bool = False
    intention: str = ""  # "flags", or "append": the server does not have it yet


@dataclass
class Model:
    """All letters and tasks that there are; a task has the moment since which it lies in the bin."""

    letters: dict[int, Letter] = field(default_factory=dict)
    tasks: dict[int, datetime | None] = field(default_factory=dict)
    seen_at: datetime | None = None
    held_until: datetime | None = None

    def days(self, letter: Letter, kind: str, now: datetime) -> int:  # R18
        says: dict[bool, dict[str, int]] = {True: {}, False: {}}
        for _, whose, own in sorted((each for each in letter.firm.chosen if each[0] <= now), key=lambda each: each[0]):
            if whose in (None, letter.mailbox):
                says[whose is not None] = own
        words = [says[hand].get(name) for hand in (True, False) for name in (kind, "days")]
        return min([DAYS[letter.firm.plan], *[days for days in words if days][:1]])

    def is_over(self, letter: Letter, now: datetime) -> bool:  # R19, F06
        return all(now >= letter.received_at + DAY * self.days(letter, kind, now) for kind in letter.lies_in)

    def is_held(self, letter: Letter) -> bool:  # R4
        return bool(letter.tasks) or letter.is_legal

    def is_binned(self, letter: Letter) -> bool:  # R29
        return bool(letter.tasks) and all(self.tasks[task] for task in letter.tasks)

    def shown(self, letter: Letter, now: datetime) -> bool:  # R18, R20
        return not self.is_binned(letter) and (self.is_held(letter) or not self.is_over(letter, now))

    def steady(self, now: datetime) -> bool:  # R20: a jump holds the deletion back for a day
        jumped = self.seen_at is not None and now - self.seen_at > DAY
        set_back = self.seen_at is not None and now < self.seen_at
        self.held_until = now + DAY if jumped else None if set_back else self.held_until
        self.seen_at = now
        return self.held_until is None or now >= self.held_until

    def sweep(self, now: datetime) -> None:  # R9
        for key, letter in list(self.letters.items()) if self.steady(now) else ():
            has_webmail = DAYS[letter.firm.plan] > 0
            if has_webmail and self.is_over(letter, now) and not self.is_held(letter) and not letter.intention:
                del self.letters[key]

    def follow(self, now: datetime) -> None:  # R12
        for key, letter in list(self.letters.items()) if self.steady(now) else ():
            if letter.firm.ended_at is None or now < letter.firm.ended_at:
                continue
            letter.intention = "append" if letter.intention == "append" else ""
            if not self.is_held(letter) and not letter.intention:
                del self.letters[key]

    def purge(self, task: int) -> bool:  # R29
        linked = {key: letter for key, letter in self.letters.items() if task in letter.tasks}
        if any(letter.intention for letter in linked.values() if letter.tasks == {task}):
            return False
        for key, letter in linked.items():
            letter.tasks.discard(task)
            if not self.is_held(letter):
                del self.letters[key]
        del self.tasks[task]
        return True

    def purge_due(self, now: datetime) -> None:  # R29: 30 days in the bin
        if (self.seen_at and now - self.seen_at > DAY) or (self.held_until and now < self.held_until):
            return
        due = sorted((since, task) for task, since in self.tasks.items() if since and since <= now - 30 * DAY)
        for _, task in due:
            self.purge(task)
