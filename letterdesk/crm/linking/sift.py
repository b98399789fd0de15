"""Which of some letters CRM may know anything of: a few questions about all of them, so that the others cost no more.

Most letters of a first sync are of people whom nobody knows. Nothing comes of such a letter (`decide.py`), unless the
mailbox makes something of strangers, which it never does of what lay there before we looked (R28). Whatever is left
is looked at as ever: one too many is no mistake, one too few would be.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import F

from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Message

from ..models import MailboxSaving
from .ground import ours_of
from .identity import identity_of, people_of
from .threads import known_talks

VALUES_AT_ONCE = 10_000
_ADDRESSES = """
    SELECT key FROM crm_emailaddress WHERE account_id = %s AND key IN %s
    UNION SELECT key FROM crm_correction WHERE account_id = %s AND key IN %s"""
_ACTIVITIES = "SELECT identity FROM crm_activity WHERE account_id = %s AND identity IN %s"
_WRITTEN = "SELECT message_id FROM outbound_delivery WHERE mailbox_id = %s AND about <> '' AND message_id IN %s"


@dataclass(slots=True)
class Glance:
    """As much of a letter as tells whether CRM may know of it."""

    pk: int
    conversation_id: int
    is_history: bool
    blob: str
    message_id: str
    subject: str
    from_address: str
    recipients: Any
    sent_at: datetime | None
    snippet: str


def next_of(saving: MailboxSaving, most: int, *, after: int | None = None) -> list[int]:
    """Keys of the letters of a mailbox that were not looked at yet, in the order in which they came; `after`: this key.

    Keys alone: PostgreSQL may sort all that are left to find the first.
    """
    considered = saving.considered if after is None else after
    letters = Message.objects.filter(pk__gt=considered).order_by("pk")
    mine = letters.filter(mailbox=saving.mailbox_id)
    if considered:  # they are few: asked for the mailbox, SQLite would rather walk all of it
        mine = letters.annotate(of=F("mailbox_id") + 0).filter(of=saving.mailbox_id)
    return list(mine.values_list("pk", flat=True)[:most])


def sift(saving: MailboxSaving, keys: Sequence[int]) -> list[int]:
    """Those of these letters of a mailbox of which something may come, in their order; `saving`: its settings."""
    columns = [each.name for each in fields(Glance)]
    glances = [Glance(*row) for row in Message.objects.filter(pk__in=keys).values_list(*columns)]
    if saving.makes_something and not all(each.is_history for each in glances):
        return list(keys)  # what is made of one may be known to the next
    talks = known_talks(saving.account_id, {each.conversation_id for each in glances})
    letters = _with_known_people(saving.account_id, glances) | _known_themselves(saving, glances)
    talks |= {each.conversation_id for each in glances if each.pk in letters}  # where the others follow
    return sorted(each.pk for each in glances if each.conversation_id in talks)


def _with_known_people(account_id: int, glances: Collection[Glance]) -> set[int]:
    letters: defaultdict[str, list[int]] = defaultdict(list)
    for each in glances:
        for address in people_of(each).all:
            letters[address].append(each.pk)
    known = _among(_ADDRESSES, account_id, letters, twice=True)
    ours = ours_of(account_id) if known else frozenset[str]()
    return {pk for address in known if address not in ours for pk in letters[address]}


def _known_themselves(saving: MailboxSaving, glances: Collection[Glance]) -> set[int]:
    """Letters that came through another mailbox, too, or were written in CRM."""
    identities = {each.pk: identity_of(each) for each in glances}
    there = _among(_ACTIVITIES, saving.account_id, set(identities.values()))
    written = _among(_WRITTEN, saving.mailbox_id, {each.message_id for each in glances if each.message_id})
    return {each.pk for each in glances if identities[each.pk] in there or each.message_id in written}


def _among(sql: str, of: int, values: Collection[str], *, twice: bool = False) -> set[str]:
    """Which of these values the question finds; `twice`: it asks for them in two tables."""
    wanted, found = sorted(values), set[str]()
    for start in range(0, len(wanted), VALUES_AT_ONCE):
        asked = [of, wanted[start : start + VALUES_AT_ONCE]]
        found.update(value for (value,) in rows.run_returning(sql, asked * 2 if twice else asked))
    return found
