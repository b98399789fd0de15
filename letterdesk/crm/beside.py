"""Who the people of letters in Webmail are, for one reader.

Of records that the reader may not see there is a number, and no more (ux.md 1.6).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.models import Message

from .ground import ours_of
from .lists import with_facts
from .models import EmailAddress, Record

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
    rows = EmailAddress.objects.filter(account=employee.account_id, key__in=keys, record__deleted_at=None)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for key, record_id in rows.values_list("key", "record_id"):
        holders[key].append(record_id)
    wanted = {record_id for ids in holders.values() for record_id in ids}
    visible = Record.objects.visible_to(employee).present().filter(pk__in=wanted)
    seen: dict[int, Any] = {
        record.pk: record for record in with_facts(visible, employee).prefetch_related("phones").order_by("kind", "pk")
    }
    return {
        key: ([record for pk, record in seen.items() if pk in ids], sum(pk not in seen for pk in ids))
        for key, ids in holders.items()
    }
