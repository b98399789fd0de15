"""What becomes of a letter whose sender nobody knows, or of a client who writes anew: leads, contacts, deals (R28).

Inside the transaction of `link.py`, which holds the plan and the account: whether anything may be made was decided of
what is true there, and one address makes one record however many letters and mailboxes there are.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from letterdesk.accounts.absence import is_here
from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key
from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes.models import Message

from ..models import Kind, MailboxSaving, Reason, Record, Source, Unknown
from ..records.create import create
from ..records.fields import LONGEST_NAME, Fields
from ..records.stages import first_stage
from .decide import Bind, Known, New
from .ground import Grounds, know_deals
from .guess import company_of
from .turns import Queue, queue_of


@dataclass(slots=True)
class Maker:
    """Makes records of the letters of one mailbox, and enters them, so that later letters find them."""

    grounds: Grounds
    queue: Queue
    came_from: str
    now: datetime
    pipeline: int | None = None  # the key of that in which deals begin; None: the first
    made: Counter[str] = field(default_factory=Counter)

    def make(self, letter: Message, new: New) -> tuple[Bind, ...]:
        """Make it; returns where the letter stands for that."""
        client = _record(new.contact or new.company)
        responsible = self._responsible(client)
        if new.becomes == Unknown.LEAD:
            name = client.name if client and client.kind == Kind.CONTACT else _name_in(letter, new.address)
            return self._at(new, self._person(Kind.LEAD, new, name=name, responsible=responsible))
        made = []
        if client is None:
            name = _name_in(letter, new.address)
            client = self._person(Kind.CONTACT, new, name=name, responsible=responsible)
            made.append(client)
        if new.becomes == Unknown.DEAL:
            made.append(self._deal(letter, new, client, responsible))
        return self._at(new, *made)

    def _at(self, new: New, *made: Record) -> tuple[Bind, ...]:
        """The letter stands at what was made of it, and at the company of a new contact."""
        companies = [each.company_id for each in made if each.kind == Kind.CONTACT and each.company_id]
        binds = [Bind(each.pk, Reason.MADE, new.address) for each in made]
        return (*binds, *(Bind(company, Reason.ADDRESS, new.address) for company in companies))

    def _person(self, kind: Kind, new: New, *, name: str, responsible: Employee) -> Record:
        company = _record(new.company) or company_of(responsible.account_id, new.address)
        fields = Fields(
            name=name,
            responsible=responsible,
            company=company,
            addresses=(new.address,),
            came_from=self.came_from,
        )
        made = self._create(kind, fields)
        known = Known(made.pk, made.kind, company=made.company_id, active_at=made.active_at)
        self.grounds.records[new.address] = (*self.grounds.records.get(new.address, ()), known)
        self.grounds.add([known])
        if company is not None:
            self.grounds.add([Known(company.pk, Kind.COMPANY)])
            know_deals(self.grounds, made.account_id, [company.pk])
        return made

    def _deal(self, letter: Message, new: New, client: Record, responsible: Employee) -> Record:
        contact = client if client.kind == Kind.CONTACT else None
        company = (_record(new.company) or client.company) if contact else client
        name = normal_subject(letter.subject) or client.name
        stage = first_stage(responsible.account, Kind.DEAL, pipeline=self.pipeline)
        fields = Fields(
            name[:LONGEST_NAME], responsible, contact=contact, company=company, came_from=self.came_from, stage=stage
        )
        made = self._create(Kind.DEAL, fields)
        known = Known(made.pk, made.kind, made.company_id, made.contact_id, active_at=made.active_at)
        self.grounds.add_deals([known])
        return made

    def _create(self, kind: Kind, fields: Fields) -> Record:
        self.made[kind] += 1
        return create(kind, fields, by=None, now=self.now, source=Source.LETTER)

    def _responsible(self, client: Record | None) -> Employee:
        """A client stays with whom they know, as long as that person is here."""
        if client is not None and is_here(client.responsible, self.now):
            return client.responsible
        return self.queue.next()


def maker_of(saving: MailboxSaving, grounds: Grounds, *, now: datetime) -> Maker:
    """The maker of a mailbox with these settings; where nothing is said of the source, the mailbox is."""
    mailbox = saving.mailbox
    queue = queue_of(mailbox, now) if saving.makes_something else Queue(mailbox.owner)
    return Maker(grounds, queue, saving.came_from or mailbox.address, now, saving.pipeline_id)


def _record(key: int | None) -> Record | None:
    if not key:
        return None
    found: Record | None = Record.objects.filter(pk=key).select_related("responsible__account", "company").first()
    return found


def _name_in(letter: Message, address: str) -> str:
    """How the letter names whoever has this address; the address where it does not."""
    if address == address_key(letter.from_address or ""):
        return letter.from_name.strip() or address
    listed = [pair for kind in ("to", "cc") for pair in letter.recipients.get(kind, ())]
    names = (name.strip() for name, other in listed if address_key(other) == address)
    return next((name for name in names if name), address)
