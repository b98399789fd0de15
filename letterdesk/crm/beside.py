"""What CRM knows of letters in Webmail, for one reader: at which records they stand, and who their people are.

Of records that the reader may not see there is a number, and no more (ux.md 1.6).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.models import Mailbox, Message

from .lists import with_facts
from .models import Activity, Binding, EmailAddress, LetterCopy, Record
from .timeline import with_bindings

MOST_PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter's activity, the bindings that the reader may see, and how many others there are."""

    activity: Activity
    bindings: list[Binding]
    hidden: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wrote or got the letters, and the records with this address that the reader may see."""

    name: str
    address: str
    records: list[Record] = field(default_factory=list)
    hidden: int = 0


def standings(letters: Collection[Message], employee: Employee) -> dict[int, Standing]:
    """The activities of these letters, by key of the letter: three queries, none where CRM has no copy of any."""
    marked = {(letter.mailbox_id, letter.blob): letter.pk for letter in letters if letter.in_crm}
    if not marked:
        return {}
    copies = LetterCopy.objects.filter(
        account=employee.account_id,
        mailbox__in={mailbox for mailbox, _blob in marked},
        blob__in={blob for _mailbox, blob in marked},
        activity__deleted_at=None,
    ).select_related("activity")
    found: dict[int, Any] = {
        marked[pair]: copy.activity for copy in copies if (pair := (copy.mailbox_id, copy.blob)) in marked
    }
    with_bindings(list(found.values()), employee)
    present = Binding.objects.present().filter(activity__in=[each.pk for each in found.values()])
    counts: defaultdict[int, int] = defaultdict(int)
    for activity_id in present.values_list("activity_id", flat=True):
        counts[activity_id] += 1
    return {
        letter: Standing(each, each.shown_bindings, counts[each.pk] - len(each.shown_bindings))
        for letter, each in found.items()
    }


def people_of(letters: Sequence[Message], employee: Employee) -> list[Person]:
    """The people of these letters without colleagues and own mailboxes, those of the newest letter first."""
    named: dict[str, tuple[str, str]] = {}
    for letter in reversed(letters):
        for name, address in _in(letter):
            key = address_key(address)
            if key and (key not in named or not named[key][0]):
                named[key] = (name, named[key][1] if key in named else address)
    for key in _ours(employee.account_id, list(named)):
        del named[key]
    first = dict(list(named.items())[:MOST_PEOPLE])
    known = _records_of(list(first), employee)
    return [Person(name, address, *known.get(key, ([], 0))) for key, (name, address) in first.items()]


def _in(letter: Message) -> list[tuple[str, str]]:
    """The sender first, then who got it."""
    others = [pair for part in ("to", "cc") for pair in letter.recipients.get(part, [])]
    return [(letter.from_name, letter.from_address), *((name, address) for name, address in others)]


def _ours(account_id: int, keys: list[str]) -> set[str]:
    """Which of these are addresses of colleagues or of our own mailboxes."""
    people = Employee.objects.filter(account=account_id).values_list("email", flat=True)
    boxes = Mailbox.objects.filter(account=account_id).values_list("address", flat=True)
    return {address_key(address) for address in [*people, *boxes]} & set(keys)


def _records_of(keys: list[str], employee: Employee) -> dict[str, tuple[list[Record], int]]:
    rows = EmailAddress.objects.filter(account=employee.account_id, key__in=keys, record__deleted_at=None)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for key, record_id in rows.values_list("key", "record_id"):
        holders[key].append(record_id)
    wanted = {record_id for ids in holders.values() for record_id in ids}
    visible = Record.objects.visible_to(employee).present().filter(pk__in=wanted)
    seen: dict[int, Any] = {record.pk: record for record in with_facts(visible, employee).order_by("kind", "pk")}
    return {
        key: ([record for pk, record in seen.items() if pk in ids], sum(pk not in seen for pk in ids))
        for key, ids in holders.items()
    }
