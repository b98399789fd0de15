"""Who the people of letters in Webmail are, for one reader.

Of records that the reader may not see there is a number, and no more (ux.md 1.6).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Q, When, prefetch_related_objects

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.models import Message

from ..access import in_sight, people_in_sight
from ..linking.ground import ours_of
from ..models import EmailAddress, Kind, LetterCopy, Record, Stage

MOST_PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wrote or got the letters, and the records with this address that the reader may see."""

    name: str
    address: str
    records: list[Record] = field(default_factory=list)
    hidden: int = 0

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def people_of(letters: Sequence[Message], employee: Employee) -> list[Person]:
    """The people of these letters without colleagues and own mailboxes, those of the newest letter first."""
    named: dict[str, tuple[str, str]] = {}
    for letter in reversed(letters):
        for name, address in _in(letter):
            key = address_key(address)
            if key and (key not in named or not named[key][0]):
                named[key] = (name, named[key][1] if key in named else address)
    ours = ours_of(employee.account_id)
    outside = [(key, person) for key, person in named.items() if key not in ours]
    first = dict(outside[:MOST_PEOPLE])
    known = _records_of(list(first), employee)
    return [Person(name, address, *known.get(key, ([], 0))) for key, (name, address) in first.items()]


def _in(letter: Message) -> list[tuple[str, str]]:
    """The sender first, then who got it."""
    others = [pair for part in ("to", "cc") for pair in letter.recipients.get(part, [])]
    return [(letter.from_name, letter.from_address), *((name, address) for name, address in others)]


def _records_of(keys: list[str], employee: Employee) -> dict[str, tuple[list[Record], int]]:
    """By address, the records with it that the reader may see, and how many others there are; two queries."""
    rows = EmailAddress.objects.filter(account=employee.account_id, key__in=keys, record__deleted_at=None)
    rows = rows.annotate(
        is_seen=Case(When(in_sight(employee, "record__"), then=True), default=False),
        is_company_seen=Case(
            When(
                record__company__responsible__in=people_in_sight(employee), record__company__deleted_at=None, then=True
            ),
            default=False,
        ),
    )
    found: defaultdict[str, tuple[list[Record], int]] = defaultdict(lambda: ([], 0))
    shown: list[Any] = []
    for row in rows.select_related("record__stage", "record__company").order_by("record__kind", "record_id"):
        records, hidden = found[row.key]
        if row.is_seen:
            row.record.company = row.record.company if row.is_company_seen else None
            records.append(row.record)
            shown.append(row.record)
        else:
            found[row.key] = (records, hidden + 1)
    prefetch_related_objects(shown, "phones")
    return dict(found)


def open_deals(clients: Collection[int], employee: Employee) -> list[Any]:
    """The open deals of these contacts and companies that the reader may see, what was active last first."""
    if not clients:
        return []
    of_them = Q(contact__in=clients) | Q(company__in=clients)
    deals = Record.objects.visible_to(employee).present().filter(of_them, kind=Kind.DEAL)
    open_ones = deals.filter(stage__outcome=Stage.Outcome.OPEN)
    return list(open_ones.select_related("stage").order_by("-active_at", "-pk"))


def kept_of(letters: Sequence[Message]) -> int:
    """How many of these letters of one mailbox are kept at CRM, outside its bin."""
    blobs = [letter.blob for letter in letters if letter.in_crm]
    if not blobs:
        return 0
    copies = LetterCopy.objects.filter(mailbox=letters[0].mailbox_id, blob__in=blobs, activity__deleted_at=None)
    there = set(copies.values_list("blob", flat=True))
    return sum(letter.blob in there for letter in letters)
