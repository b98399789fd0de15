"""A record has new addresses: letters from and to them that are here already are saved at it (R5).

Only of mailboxes that the person who named the address may read, or whoever names one would get its past out of all
mailboxes (P9); and only of those that save letters of known addresses. Decided as for any letter that lay there before:
they make no lead, and go to no deal by themselves.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.models import Mailbox, Message

from ..models import MailboxSaving, Record
from ..writing.whom import named, with_whom
from .link import link_letters


def look_back(record: Record, *, by: Employee | None, now: datetime) -> int:
    """Save what is here of the record's addresses; returns how many letters were saved or joined.

    `by` named them; where no person did, who is responsible for the record is asked for their right to read.
    """
    by_mailbox: defaultdict[int, list[int]] = defaultdict(list)
    for pk, mailbox_id in _letters(record, by or record.responsible):
        by_mailbox[mailbox_id].append(pk)
    mailboxes = Mailbox.objects.filter(pk__in=list(by_mailbox)).select_related("account", "owner__account")
    return sum(link_letters(mailbox, by_mailbox[mailbox.pk], now=now) for mailbox in mailboxes.order_by("pk"))


def look_back_for_all(keys: Collection[str], *, by: Employee, now: datetime) -> int:
    """The same for many folded addresses at once, which `by` named: one look at each letter; returns how many."""
    by_mailbox: defaultdict[int, list[int]] = defaultdict(list)
    columns = ("pk", "mailbox_id", "from_address", "recipients")
    for pk, mailbox_id, sender, recipients in _readable(by).values_list(*columns).iterator(chunk_size=5_000):
        people = [sender or "", *(address for pairs in recipients.values() for _name, address in pairs)]
        if any(address_key(address) in keys for address in people):
            by_mailbox[mailbox_id].append(pk)
    mailboxes = Mailbox.objects.filter(pk__in=list(by_mailbox)).select_related("account", "owner__account")
    return sum(link_letters(mailbox, by_mailbox[mailbox.pk], now=now) for mailbox in mailboxes.order_by("pk"))


def _readable(reader: Employee) -> QuerySet[Message]:
    """Letters of mailboxes that the reader may read and that save known addresses."""
    shut = MailboxSaving.objects.filter(mailbox=OuterRef("mailbox"), known=False)
    read = Mailbox.objects.visible_to(reader).filter(account=reader.account_id, forgotten_at=None)
    letters: QuerySet[Message] = Message.objects.filter(account=reader.account_id, binned_at=None)
    return letters.filter(~Exists(shut), mailbox__in=read.values("pk"))


def _letters(record: Record, reader: Employee) -> list[tuple[int, int]]:
    """Keys of letters and their mailboxes in which one of the addresses stands; a few too many, to be decided upon."""
    wanted = {text for pair in record.addresses.values_list("email", "key") for text in pair}
    if not wanted:
        return []
    asked = Q()
    for address in sorted(wanted):
        asked |= Q(from_address__iexact=address) | named(address)
    found = with_whom(_readable(reader)).filter(asked)
    return list(found.order_by("pk").values_list("pk", "mailbox_id"))
