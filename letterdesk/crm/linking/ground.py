"""Gathers what is decided upon (`decide.py`) for some letters of one mailbox: a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key, read_addresses
from letterdesk.mailboxes.models import Mailbox, Message, Placement
from letterdesk.outbound.models import Delivery
from letterdesk.plans import limits
from letterdesk.plans.models import Channel, Subscription
from letterdesk.plans.timeline import webmail_began_at

from ..models import (
    Binding,
    Correction,
    EmailAddress,
    Kind,
    MailboxSaving,
    PolledMailbox,
    Reason,
    Record,
    Stage,
    Unlinked,
)
from ..records.merged import staying
from ..saving import saving_of
from ..sendsave.secret import Ours
from . import exclusions
from .copies import written_there
from .decide import Conversation, Ground, Known, Said, Saving, Seen
from .identity import People, identity_of, people_of
from .threads import Threads, all_of, fill_people, threads_of

_KNOWN = (  # of a record, through what stands at it; a conversation may have more letters than objects fit
    "record_id", "record__kind", "record__contact", "record__company", "record__company__deleted_at",
    "record__active_at", "record__stage", "record__stage__outcome", "record__deleted_at",
)  # fmt: skip
ORDINARY = "folder"  # the role of a folder that has none


def ours_of(account_id: int) -> frozenset[str]:
    """The addresses of the company, those from which Letterdesk itself writes, and all secret ones (R30)."""
    return Ours(addresses_of(account_id) | system_addresses())


def system_addresses() -> frozenset[str]:
    """From where Letterdesk itself writes: invitations, passwords, warnings."""
    found = read_addresses([settings.DEFAULT_FROM_EMAIL.encode(), settings.SERVER_EMAIL.encode()])
    return frozenset(address_key(each.address) for each in found)


def addresses_of(account_id: int) -> frozenset[str]:
    """The addresses of our people, those who left too, and of our mailboxes of any kind."""
    people = Employee.objects.filter(account=account_id).values_list("email")
    mailboxes = Mailbox.objects.filter(account=account_id).values_list("address")
    polled = PolledMailbox.objects.filter(account=account_id).values_list("address")
    return frozenset(address_key(address) for (address,) in people.union(mailboxes, polled, all=True))


def known_of(record: Record, *, is_open: bool, is_binned: bool) -> Known:
    """A record as decisions see it."""
    company = record.company_id if record.kind != Kind.CONTACT or record.company is None else _present(record.company)
    return Known(
        pk=record.pk,
        kind=record.kind,
        company=company,
        contact=record.contact_id,
        is_open=is_open,
        is_binned=is_binned,
        active_at=record.active_at,
    )


def _present(company: Record) -> int | None:
    return company.pk if company.deleted_at is None else None


def _known(record: Record) -> Known:
    is_open = record.stage is None or record.stage.outcome == Stage.Outcome.OPEN
    return known_of(record, is_open=is_open, is_binned=record.deleted_at is not None)


@dataclass(slots=True)
class Linked:
    """An activity that stands at records by itself: it went along with no other."""

    at: datetime
    outside: frozenset[str]  # its people
    thread: int
    records: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Grounds:
    """Everything around some letters of a mailbox. What is made meanwhile is entered, so that later letters see it."""

    ours: frozenset[str]
    saving: Saving
    has_webmail: bool
    webmail_since: datetime | None
    people: dict[int, People]  # by letter
    roles: dict[int, frozenset[str]]
    identities: dict[int, str]
    threads: Threads
    written: dict[int, int | None] = field(default_factory=dict)  # by letter that was written in CRM, its record
    excluded: frozenset[str] = frozenset()
    records: dict[str, tuple[Known, ...]] = field(default_factory=dict)  # by address
    deals: dict[int, Known] = field(default_factory=dict)  # open ones of clients, by key
    deals_of: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # by client
    clients: set[int] = field(default_factory=set)  # of whose deals the database was asked
    known: dict[int, Known] = field(default_factory=dict)  # every record that is spoken of, by key
    said: dict[str, Said] = field(default_factory=dict)  # by address
    standing: dict[int, dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))  # by thread, record
    linked: dict[str, Linked] = field(default_factory=dict)  # by identity
    unlinked: dict[str, set[int | None]] = field(default_factory=lambda: defaultdict(set))  # by identity
    unlinked_threads: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def seen(self, letter: Message) -> Seen:
        """The facts of a letter."""
        return Seen(
            people=self.people[letter.pk],
            roles=self.roles.get(letter.pk, frozenset()),
            received_at=letter.received_at,
            is_bulk=bool(letter.list_id),
            is_automatic=letter.is_automatic,
            is_history=letter.is_history,
            is_binned=letter.binned_at is not None,
            is_written=letter.pk in self.written,
            written_at=self.written.get(letter.pk),
        )

    def thread(self, letter: Message) -> int | None:
        """The conversation at CRM in which the letter takes part; None: none yet."""
        return self.threads.for_letter(letter.conversation_id, self.people[letter.pk].outside(self.ours))

    def around(self, letter: Message) -> Ground:
        """What is around a letter."""
        thread = self.thread(letter)
        unlinked = self.unlinked.get(self.identities[letter.pk], set())
        of_thread = self.unlinked_threads.get(thread, set()) if thread else set()
        outside = self.people[letter.pk].outside(self.ours)
        records = {address: self.records[address] for address in outside if address in self.records}
        deals = {pk for client in clients_among(records) for pk in self.deals_of.get(client, ())}
        return Ground(
            ours=self.ours,
            excluded=self.excluded,
            records=records,
            deals=tuple(self.deals[pk] for pk in sorted(deals)),
            conversation=self._conversation(thread) if thread else None,
            said={address: self.said[address] for address in outside if address in self.said},
            saving=self.saving,
            unlinked=frozenset(record for record in unlinked if record is not None) | of_thread,
            is_unlinked=None in unlinked,
            has_webmail=self.has_webmail,
            webmail_since=self.webmail_since,
        )

    def join(self, first: int, same: Collection[int]) -> None:
        """These threads are the first one from now on: what stands there and what was taken from there."""
        self.threads.become(first, same)
        for each in same:
            self.standing[first].update(self.standing.pop(each, {}))
            self.unlinked_threads[first] |= self.unlinked_threads.pop(each, set())
        for linked in self.linked.values():
            if linked.thread in same:
                linked.thread = first

    def add(self, records: Iterable[Known]) -> None:
        """These are spoken of from now on."""
        for each in records:
            self.known[each.pk] = each

    def add_deals(self, deals: Iterable[Known]) -> None:
        """Open deals, which belong to their clients; those that are there already stay as they are."""
        for deal in deals:
            self.deals.setdefault(deal.pk, deal)
            self.known.setdefault(deal.pk, deal)
            for client in (deal.contact, deal.company):
                if client is not None:
                    self.deals_of[client].add(deal.pk)

    def stand(self, thread: int, records: Iterable[int], *, at: datetime) -> None:
        """A letter that came at that time stands in this thread at these records: they were active then."""
        for pk in records:
            if pk in self.known:
                self.standing[thread][pk] = self.known[pk]
            deal = self.deals.get(pk)
            if deal is not None and (deal.active_at is None or deal.active_at < at):
                self.deals[pk] = replace(deal, active_at=at)

    def _conversation(self, thread: int) -> Conversation:
        return Conversation(frozenset(self.threads.people[thread]), tuple(self.standing[thread].values()))


def grounds_of(
    mailbox: Mailbox, letters: Sequence[Message], *, now: datetime, saving: MailboxSaving | None = None
) -> Grounds:
    """All that is around these letters of the mailbox at `now`; `saving`: its settings, where they are known."""
    account = mailbox.account
    subscription = Subscription.objects.filter(account=account).first()
    saving = saving or saving_of(mailbox)
    ours = ours_of(account.pk)
    grounds = Grounds(
        ours=ours,
        saving=Saving(saving.known, saving.unknown_incoming, saving.unknown_outgoing, saving.returning),
        has_webmail=limits.terms(account, now=now).has_integration,
        webmail_since=webmail_began_at(subscription, now) if subscription else None,
        people={letter.pk: people_of(letter) for letter in letters},
        roles=roles_of(letters),
        identities={letter.pk: identity_of(letter) for letter in letters},
        threads=threads_of(account.pk, letters, ours=ours),
    )
    _fill_written(grounds, mailbox, letters)
    _fill(grounds, account.pk)
    return grounds


def grounds_beside(
    account_id: int, people: People, *, role: str, identity: str, threads: Threads, saving: Saving
) -> Grounds:
    """What is around one letter that lies in no mailbox; it is called 0. No plan and no time keeps it out (R30)."""
    grounds = Grounds(
        ours=ours_of(account_id),
        saving=saving,
        has_webmail=True,
        webmail_since=None,
        people={0: people},
        roles={0: frozenset({role})},
        identities={0: identity},
        threads=threads,
    )
    _fill(grounds, account_id)
    return grounds


def know_threads(grounds: Grounds, account_id: int, threads: Iterable[int]) -> None:
    """Ask for what stands in these threads, and who takes part, where that was not asked yet."""
    new = {each for each in threads if each not in grounds.threads.asked}
    if new:
        fill_people(grounds.threads, new, ours=grounds.ours)
        _fill_standing(grounds, new)
        _fill_unlinked(grounds, account_id, (), new)


def know_deals(grounds: Grounds, account_id: int, clients: Iterable[int]) -> None:
    """Ask for the open deals of these clients, where that was not asked yet."""
    new = {each for each in clients if each not in grounds.clients}
    if not new:
        return
    grounds.clients |= new
    theirs = Q(contact__in=new) | Q(company__in=new)
    open_ones = Q(stage=None) | Q(stage__outcome=Stage.Outcome.OPEN)
    deals = Record.objects.present().filter(theirs, open_ones, account=account_id, kind=Kind.DEAL)
    grounds.add_deals(known_of(deal, is_open=True, is_binned=False) for deal in deals)


def clients_among(records: Mapping[str, Sequence[Known]]) -> set[int]:
    """The records with these addresses, and their companies."""
    return {pk for found in records.values() for each in found for pk in (each.pk, each.company) if pk}


def _fill(grounds: Grounds, account_id: int) -> None:
    threads = all_of(grounds.threads)
    _fill_records(grounds, account_id)
    grounds.said = said_of(account_id, _outside(grounds))
    grounds.add(record for said in grounds.said.values() for record in said.here)
    _fill_standing(grounds, threads)
    _fill_unlinked(grounds, account_id, set(grounds.identities.values()), threads)


def roles_of(letters: Sequence[Message]) -> dict[int, frozenset[str]]:
    """The roles of the folders in which each of these letters is shown."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    places = Placement.objects.filter(message__in=[letter.pk for letter in letters], hidden_at=None, is_deleted=False)
    for message, role in places.values_list("message_id", "folder__role"):
        found[message].add(role or ORDINARY)
    return {message: frozenset(roles) for message, roles in found.items()}


def records_named(account_id: int, references: Iterable[str]) -> dict[str, int]:
    """The keys of the records with these references ("deal:…"), in the bin or not; of a merged one what stays."""
    wanted = set(references)
    ids = {each.partition(":")[2] for each in wanted}
    found = {each.reference: each.pk for each in Record.objects.filter(account=account_id, public_id__in=ids)}
    stays = staying(found.values()) if found else {}
    return {reference: stays[key] for reference, key in found.items() if reference in wanted}


def records_with(account_id: int, addresses: Iterable[str]) -> dict[str, tuple[Known, ...]]:
    """The records that have each of these folded addresses; in one query."""
    found = EmailAddress.objects.filter(account=account_id, key__in=sorted(addresses))
    by_address: defaultdict[str, list[Known]] = defaultdict(list)
    for address in found.select_related("record__stage", "record__company").order_by("record_id"):
        by_address[address.key].append(_known(address.record))
    return {address: tuple(known) for address, known in by_address.items()}


def _fill_written(grounds: Grounds, mailbox: Mailbox, letters: Sequence[Message]) -> None:
    grounds.written, identities = written_among(mailbox, letters, grounds.roles)
    grounds.identities |= identities
    where = {record for record in grounds.written.values() if record is not None}
    found = Record.objects.filter(pk__in=where).select_related("stage", "company") if where else ()
    grounds.add(map(_known, found))


def written_among(
    mailbox: Mailbox, letters: Sequence[Message], roles: Mapping[int, Collection[str]]
) -> tuple[dict[int, int | None], dict[int, str]]:
    """Copies of what was written in CRM and left through this mailbox; in Sent alone, elsewhere it may be forged.

    By letter, the record at which it was written; and its identity, where what was written is an activity already.
    """
    sent = {each.pk: each.message_id for each in letters if "sent" in roles.get(each.pk, ()) and each.message_id}
    if not sent:
        return {}, {}
    left = Delivery.objects.filter(mailbox=mailbox, channel=Channel.CRM, message_id__in=set(sent.values()))
    left = left.exclude(about="")
    about = dict(left.values_list("message_id", "about"))
    records = records_named(mailbox.account_id, about.values()) if about else {}
    there = written_there(mailbox.account_id, {named: records.get(where) for named, where in about.items()})
    written = {letter: records.get(about[named]) for letter, named in sent.items() if named in about}
    return written, {letter: there[named].identity for letter, named in sent.items() if named in there}


def _fill_records(grounds: Grounds, account_id: int) -> None:
    outside = _outside(grounds)
    excluded = exclusions.of_account(account_id)
    grounds.excluded = frozenset(address for address in outside if excluded.has(address))
    grounds.records = records_with(account_id, outside)
    for found in grounds.records.values():
        grounds.add(Known(each.company, Kind.COMPANY) for each in found if each.kind == Kind.CONTACT and each.company)
        grounds.add(found)
    know_deals(grounds, account_id, clients_among(grounds.records))


def said_of(account_id: int, addresses: Iterable[str]) -> dict[str, Said]:
    """What people said of letters of these folded addresses; in one query."""
    told: dict[str, Said] = {}
    found = Correction.objects.filter(account=account_id, key__in=sorted(addresses))
    for each in found.select_related("record__stage", "record__company").order_by("record_id"):
        said = told.get(each.key, Said())
        if each.belongs:
            said = Said((*said.here, _known(each.record)), said.away)
        else:
            said = Said(said.here, said.away | {each.record_id})
        told[each.key] = said
    return told


def _outside(grounds: Grounds) -> set[str]:
    return {address for people in grounds.people.values() for address in people.outside(grounds.ours)}


def _fill_standing(grounds: Grounds, threads: Collection[int]) -> None:
    if not threads:
        return
    bindings = Binding.objects.present().filter(activity__thread__in=threads)
    each_once = bindings.order_by("record_id").values_list("activity__thread", *_KNOWN).distinct()
    for thread, pk, kind, contact, company, company_gone_at, active_at, stage, outcome, gone_at in each_once:
        firm = None if kind == Kind.CONTACT and company_gone_at is not None else company
        is_open = stage is None or outcome == Stage.Outcome.OPEN
        known = Known(pk, kind, firm, contact, is_open, is_binned=gone_at is not None, active_at=active_at)
        grounds.standing[thread][pk] = known
        grounds.known.setdefault(pk, known)
    if any(not people.outside(grounds.ours) for people in grounds.people.values()):  # these may go along
        _fill_linked(grounds, bindings.exclude(reason=Reason.HISTORY))


def _fill_linked(grounds: Grounds, bindings: QuerySet[Any]) -> None:
    names = ("identity", "received_at", "thread_id", "from_address", "recipients")
    for record, *columns in bindings.values_list("record_id", *(f"activity__{name}" for name in names)):
        letter = SimpleNamespace(**dict(zip(names, columns, strict=True)))
        linked_as(grounds, letter.identity, letter).records.add(record)


def linked_as(grounds: Grounds, identity: str, letter: Any, thread: int | None = None) -> Linked:
    """How this letter stands; as an activity or, in this thread, as it will be one."""
    if identity not in grounds.linked:
        outside = frozenset(people_of(letter).outside(grounds.ours))
        grounds.linked[identity] = Linked(letter.received_at, outside, thread or letter.thread_id)
    return grounds.linked[identity]


def _fill_unlinked(grounds: Grounds, account_id: int, identities: Collection[str], threads: Collection[int]) -> None:
    taken = Unlinked.objects.filter(account=account_id)
    found = taken.filter(Q(identity__in=sorted(identities), thread=None) | Q(thread__in=threads))
    for identity, thread, record in found.values_list("identity", "thread_id", "record_id"):
        if identity:
            grounds.unlinked[identity].add(record)
        elif thread and record:
            grounds.unlinked_threads[thread].add(record)
