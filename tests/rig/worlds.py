"""Random worlds: letters in every state, in one database, lived through by Letterdesk and by the model.

A world is one conversation with its letters, what holds them and where they lie; some share a mailbox with its own
times, a company with its plan and tasks, and a clock, as in life. Each step is done by the product's own functions
and by `model.py`, and after each step all letters of all worlds are compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from django.db.models import Sum

from letterdesk.accounts.models import Account, Employee
from letterdesk.mailboxes import in_crm, tally
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import (
    BlobReference,
    Conversation,
    Folder,
    Hold,
    Mailbox,
    Message,
    PendingChange,
    Placement,
    Receipt,
    RetentionRule,
)
from letterdesk.mailboxes.retention import chain, holds
from letterdesk.mailboxes.retention.letters import visible
from letterdesk.mailboxes.retention.own_times import seal_of
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.plans.change import change_plan
from letterdesk.tasks import bin as tasks_bin
from letterdesk.tasks.link import link, unlink
from letterdesk.tasks.models import Task, TaskLetter

from .model import DAY, DAYS, Firm, Letter, Model
from .world import make_account

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KINDS = ("inbox", "sent", "drafts")
PLACES = ({"inbox"}, {"inbox"}, {"inbox"}, {"sent"}, {"drafts"}, {"inbox", "sent"}, {"sent", "drafts"})
AGES = (0, 9, 10, 19, 20, 29, 30, 31, 59, 89, 90, 100)  # days, around the ends of all periods
HOUR = timedelta(hours=1)
_blobs = count(1)


@dataclass(slots=True)
class Company:
    """An account here and there."""

    account: Account
    owner: Employee
    firm: Firm
    mailboxes: list[Mailbox]
    letters: list[int]
    tasks: list[int]


class Worlds:
    """`live(steps)` goes through time and fails at a difference."""

    def __init__(self, chance: Random, *, companies: int, mailboxes: int, conversations: int) -> None:
        self.chance, self.now, self.model = chance, START, Model()
        self.conversations = conversations  # of each mailbox
        self.log: list[str] = []
        self.begun = 0
        self.companies = [self._found(mailboxes) for _ in range(companies)]
        self.copies = self._copies()

    # What there is at the beginning --------------------------------------------------------------------------------

    def _found(self, mailboxes: int) -> Company:
        plan = self.chance.choice([each for each, days in DAYS.items() if days])
        account = make_account(plan=plan)
        owner = account.employees.get()
        made = Mailbox.objects.bulk_create(
            Mailbox(account=account, owner=owner, address=f"{n}@{account.pk}.example", imap_host="mail.example",
                    imap_user=f"{n}", connected_at=START) for n in range(mailboxes)
        )  # fmt: skip
        tasks = Task.objects.bulk_create(
            Task(account=account, number=n, title=f"Task {n}", creator=owner, responsible=owner,
                 deleted_at=self._maybe_binned()) for n in range(1, 2 + mailboxes * self.conversations // 2)
        )  # fmt: skip
        self.model.tasks.update({task.pk: task.deleted_at for task in tasks})
        company = Company(account, owner, Firm(plan), made, [], [task.pk for task in tasks])
        for mailbox in (None, *made):
            if self.chance.random() < 0.2:
                self.choose_times(company, mailbox)
        self._fill(company, tasks)
        return company

    def _maybe_binned(self) -> datetime | None:
        back = timedelta(days=self.chance.choice([0, 29, 30]), seconds=self.chance.randrange(10_000))
        return START - back if self.chance.random() < 0.3 else None

    def _fill(self, company: Company, tasks: list[Task]) -> None:
        account, chance = company.account, self.chance
        folders = Folder.objects.bulk_create(
            Folder(account=account, mailbox=mailbox, name=kind, wire_name=kind, role=kind, uidvalidity=1)
            for mailbox in company.mailboxes for kind in KINDS
        )  # fmt: skip
        by_kind = {(folder.mailbox_id, folder.role): folder for folder in folders}
        talks = Conversation.objects.bulk_create(
            Conversation(account=account, mailbox=mailbox, subject="Offer")
            for mailbox in company.mailboxes
            for _ in range(self.conversations)
        )
        drawn = [(talk, self._draw(company, talk.mailbox_id)) for talk in talks for _ in range(chance.randint(1, 4))]
        messages = Message.objects.bulk_create(
            Message(account=account, mailbox_id=letter.mailbox, conversation=talk, blob=f"{next(_blobs):064x}", size=1,
                    received_at=letter.received_at, is_held=self.model.is_held(letter), in_crm=letter.in_crm,
                    held_by_task=bool(letter.tasks), held_by_law=letter.is_legal,
                    binned_at=START if self.model.is_binned(letter) else None) for talk, letter in drawn
        )  # fmt: skip
        pairs = [(message, letter) for message, (_, letter) in zip(messages, drawn, strict=True)]
        self._hold(company, pairs, {task.pk: task for task in tasks})
        self._place(account, pairs, by_kind)
        company.letters = [message.pk for message in messages]
        self.begun += len(messages)
        self.model.letters.update({message.pk: letter for message, letter in pairs})

    def _draw(self, company: Company, mailbox: int) -> Letter:
        chance = self.chance
        edge = timedelta(seconds=chance.choice([-3600, -1, 0, 0, 1, 3600]))
        received_at = min(START, START - DAY * chance.choice(AGES) + edge)
        tasks = set(chance.sample(company.tasks, min(len(company.tasks), chance.choice([0, 0, 0, 1, 1, 2]))))
        intention = chance.choice(["", "", "", "", "", "flags", "append"])
        return Letter(
            company.firm, mailbox, received_at, set(chance.choice(PLACES)), tasks,
            chance.random() < 0.1, chance.random() < 0.3, intention,
        )  # fmt: skip

    def _hold(self, company: Company, pairs: list[tuple[Message, Letter]], tasks: dict[int, Task]) -> None:
        account = company.account
        linked = [(message, tasks[task]) for message, letter in pairs for task in sorted(letter.tasks)]
        TaskLetter.objects.bulk_create(TaskLetter(account=account, task=task, message=each) for each, task in linked)
        why = [(message, "task", task.reference) for message, task in linked]
        why += [(message, "legal", "court") for message, letter in pairs if letter.is_legal]
        Hold.objects.bulk_create(
            Hold(account=account, message=each, reason=reason, reference=reference) for each, reason, reference in why
        )
        holders = [(message.blob, f"mailbox:{message.mailbox_id}") for message, _ in pairs]
        holders += [(message.blob, f"activity:{message.pk}") for message, letter in pairs if letter.in_crm]
        BlobReference.objects.bulk_create(
            BlobReference(account=account, blob=blob, holder=holder, created_at=START) for blob, holder in holders
        )

    def _place(
        self, account: Account, pairs: list[tuple[Message, Letter]], folders: dict[tuple[int, str], Folder]
    ) -> None:
        lying = [
            (message, letter, folders[letter.mailbox, kind])
            for message, letter in pairs
            for kind in sorted(letter.lies_in)
        ]
        places = Placement.objects.bulk_create(
            Placement(account=account, folder=folder, message=message, conversation_id=message.conversation_id,
                      uidvalidity=1, uid=message.pk, received_at=message.received_at, binned_at=message.binned_at)
            for message, _, folder in lying
        )  # fmt: skip
        waiting = [(place, letter) for place, (_, letter, _) in zip(places, lying, strict=True) if letter.intention]
        first = {place.message_id: (place, letter) for place, letter in reversed(waiting)}
        changes = PendingChange.objects.bulk_create(
            PendingChange(account=account, mailbox_id=letter.mailbox, folder_id=place.folder_id, kind=letter.intention,
                          placement=place if letter.intention == "flags" else None,
                          detail={"add": ["\\Seen"], "remove": [], "blob": place.message.blob})
            for place, letter in first.values()
        )  # fmt: skip
        for change, (place, letter) in zip(changes, first.values(), strict=True):
            if letter.intention == "append":
                place.uid = -change.pk
                place.save(update_fields=["uid"])

    def _copies(self) -> set[str]:
        return set(BlobReference.objects.filter(holder__startswith="activity:").values_list("holder", flat=True))

    # What happens --------------------------------------------------------------------------------------------------

    def live(self, steps: int, *, acts: int) -> None:
        """Let time pass; at each step people do some things, and all or nothing of the housekeeping is done."""
        self.compare()
        for _ in range(steps):
            self.now += self.chance.choice([HOUR, 7 * HOUR, 23 * HOUR, DAY, DAY + HOUR, 40 * DAY, -2 * DAY])
            for _ in range(acts):
                self.now += timedelta(microseconds=1)
                act = self.chance.choice(ACTS)
                self.log.append(f"{self.now} {act.__name__}")
                act(self, self.chance.choice(self.companies))
            for housekeeping in self.chance.choice(([self.sweep], [self.sweep, self.follow], [self.purge_due], [])):
                self.log.append(f"{self.now} {housekeeping.__name__}")
                housekeeping()
                self.compare()
            self.compare()
        self.account_for()

    def sweep(self) -> None:
        sweep(now=self.now)
        self.model.sweep(self.now)

    def follow(self) -> None:
        follow(now=self.now)
        self.model.follow(self.now)

    def purge_due(self) -> None:
        tasks_bin.purge_due(now=self.now)
        self.model.purge_due(self.now)

    def choose_times(self, company: Company, mailbox: Mailbox | None) -> None:
        """Own times of an account or a mailbox, some of which begin later (F09)."""
        kinds = [kind for kind in ("days", "sent", "drafts") if self.chance.random() < 0.5]
        own = {kind: self.chance.choice([10, 20, 60]) for kind in kinds}
        begins_at = self.now + self.chance.choice([0, 0, 7]) * DAY
        rule = RetentionRule(
            account=company.account, mailbox=mailbox, days=own.get("days"), sent_days=own.get("sent"),
            draft_days=own.get("drafts"), made_at=self.now, begins_at=begins_at, by_operator=True,
        )  # fmt: skip
        rule.seal = seal_of(rule)
        rule.save()
        company.firm.chosen.append((begins_at, mailbox and mailbox.pk, own))

    # What must be the same -----------------------------------------------------------------------------------------

    def compare(self) -> None:
        """The same letters are here, and the same are shown; nothing but people's intentions waits for a server."""
        letters = self.model.letters
        self._same("here", set(Message.objects.values_list("pk", flat=True)), set(letters))
        seen: set[int] = set()
        for company in self.companies:
            own = Message.objects.filter(account=company.account)
            seen.update(visible(own, company.account, now=self.now).values_list("pk", flat=True))
        self._same("shown", seen, {key for key, letter in letters.items() if self.model.shown(letter, self.now)})
        waiting = {key for key, letter in letters.items() if letter.intention}
        flags = set(PendingChange.objects.filter(kind="flags").values_list("placement__message", flat=True))
        unsent = set(Placement.objects.filter(uid__lte=0).values_list("message", flat=True))
        self._same("waiting", flags | unsent, waiting)  # R10, R26

    def account_for(self) -> None:
        """Receipts count what went, holds and bins are exact, and CRM's copies are all there (R8, P10)."""
        counted = Receipt.objects.aggregate(total=Sum("count"))["total"] or 0
        assert counted == self.begun - len(self.model.letters), self.log
        assert holds.check() == []
        assert [wrong for company in self.companies for box in company.mailboxes for wrong in tally.check(box)] == []
        assert [wrong for company in self.companies for wrong in chain.verify(company.account)] == []
        assert self._copies() == self.copies

    def _same(self, what: str, found: set[int], expected: set[int]) -> None:
        if found != expected:
            wrong = sorted(found ^ expected)[:3]
            told = [f"letter {key} is {what} {'here' if key in found else 'in the model'} alone: "
                    f"{self.model.letters.get(key)}" for key in wrong]  # fmt: skip
            raise AssertionError("\n".join([f"at {self.now}", *told, *self.log[-20:]]))

    # What people do ------------------------------------------------------------------------------------------------

    def letter(self, company: Company) -> tuple[Message, Letter] | None:
        here = [key for key in company.letters if key in self.model.letters]
        if not here:
            return None
        key = self.chance.choice(here)
        return Message.objects.get(pk=key), self.model.letters[key]

    def task(self, company: Company, *, in_bin: bool) -> Task | None:
        fitting = [key for key in company.tasks if key in self.model.tasks and bool(self.model.tasks[key]) is in_bin]
        return Task.objects.get(pk=self.chance.choice(fitting)) if fitting else None


def link_letter(world: Worlds, company: Company) -> None:
    found, task = world.letter(company), world.task(company, in_bin=False)
    if found and task:
        link(task, found[0], by=company.owner, now=world.now)
        found[1].tasks.add(task.pk)


def unlink_letter(world: Worlds, company: Company) -> None:
    found = world.letter(company)
    for task in sorted(found[1].tasks) if found else ():
        if found and world.model.tasks[task] is None:
            unlink(Task.objects.get(pk=task), found[0], by=company.owner, now=world.now)
            found[1].tasks.discard(task)


def bin_task(world: Worlds, company: Company) -> None:
    if task := world.task(company, in_bin=False):
        tasks_bin.delete(task, by=company.owner, now=world.now)
        world.model.tasks[task.pk] = world.now


def restore_task(world: Worlds, company: Company) -> None:
    task = world.task(company, in_bin=True)
    if task and task.deleted_at and task.deleted_at > world.now - 30 * DAY:
        tasks_bin.restore(task, by=company.owner, now=world.now)
        world.model.tasks[task.pk] = None


def purge_task(world: Worlds, company: Company) -> None:
    if task := world.task(company, in_bin=True):
        key = task.pk
        try:
            tasks_bin.purge(task, by=company.owner, now=world.now)
            is_done = True
        except tasks_bin.StillOnItsWay:
            is_done = False
        assert is_done is world.model.purge(key)


def take_to_crm(world: Worlds, company: Company) -> None:
    if found := world.letter(company):
        in_crm.mark(company.account.pk, [found[0].pk])
        found[1].in_crm = True


def hold_by_law(world: Worlds, company: Company) -> None:
    if found := world.letter(company):
        message, letter = found
        if letter.is_legal:
            holds.release(message, reason="legal", reference="court")
        else:
            holds.add(message, reason="legal", reference="court", now=world.now)
        letter.is_legal = not letter.is_legal


def star(world: Worlds, company: Company) -> None:
    found = world.letter(company)
    places = list(found[0].placements.filter(uid__gt=0)[:1]) if found else []
    if found and places and not found[1].intention:
        is_starred = places[0].is_flagged
        change = {"remove" if is_starred else "add": ("\\Flagged",)}
        change_flags(places, **change, by=company.owner, now=world.now)
        found[1].intention = "flags"


def arrive_at_server(world: Worlds, company: Company) -> None:
    """The sync has carried out what somebody wanted."""
    found = world.letter(company)
    if found and found[1].intention:
        message, letter = found
        PendingChange.objects.filter(placement__message=message).delete()
        for place in message.placements.filter(uid__lte=0):
            PendingChange.objects.filter(pk=-place.uid).delete()
            Placement.objects.filter(pk=place.pk).update(uid=message.pk)
        letter.intention = ""


def change_the_plan(world: Worlds, company: Company) -> None:
    plan = world.chance.choice(list(DAYS))
    before = company.firm.plan
    change_plan(company.account, plan, by=None, now=world.now)
    company.firm.plan = plan
    if DAYS[plan]:
        company.firm.ended_at = None
    elif DAYS[before]:
        company.firm.ended_at = world.now


def choose_own_times(world: Worlds, company: Company) -> None:
    world.choose_times(company, world.chance.choice([None, *company.mailboxes]))


ACTS: list[Callable[[Worlds, Company], None]] = [
    link_letter, link_letter, unlink_letter, unlink_letter, bin_task, restore_task, purge_task, take_to_crm,
    hold_by_law, star, arrive_at_server, change_the_plan, choose_own_times,
]  # fmt: skip
