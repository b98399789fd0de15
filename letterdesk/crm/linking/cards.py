"""Visiting cards (vCard) among the files of letters become contacts, where the mailbox is set so (features.md, CRM).

Noted with the letter, read by a job: bytes are fetched outside of every transaction. R28 is asked again where the
contacts are made. Whoever has an address already, is one of us or excluded gets no second record.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DataError, transaction

from letterdesk.accounts.models import Account
from letterdesk.events.record import record as tell
from letterdesk.lib import blobs
from letterdesk.mail.addresses import address_key
from letterdesk.mail.parse import NoSuchPart
from letterdesk.mail.vcard import Card, NoCard, read_cards
from letterdesk.mailboxes.models import Attachment, Mailbox
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.plans import limits

from ..activities.reading import content_of, files_of
from ..models import Activity, CardsToRead, Direction, EmailAddress, Kind, Record, Source
from ..records.create import create
from ..records.fields import BadRecord, Fields
from ..saving import saving_of
from . import exclusions
from .ground import ours_of
from .guess import company_of
from .keep import ToKeep
from .turns import queue_of

TYPES = ("text/vcard", "text/x-vcard", "text/directory")
MOST_CARDS = 20  # of a letter
LARGEST = 1_000_000  # bytes of a file that is read
logger = logging.getLogger(__name__)


def note_cards(
    mailbox: Mailbox, kept: Sequence[ToKeep], activities: Sequence[Activity], *, since: datetime | None
) -> None:
    """Remember which of these letters have cards to be read. Inside the caller's transaction.

    `since`: since when the account has had Webmail, None: always; of older letters nothing is made (R28).
    """
    wanted = {
        each.letter.pk: activity
        for each, activity in zip(kept, activities, strict=True)
        if each.direction == Direction.INCOMING
        and each.bindings
        and not each.letter.is_history
        and (since is None or each.letter.received_at >= since)
    }
    if not wanted or not saving_of(mailbox).reads_cards:
        return
    files = Attachment.objects.filter(message__in=list(wanted), content_type__in=TYPES, size__lte=LARGEST)
    for letter in files.values_list("message", flat=True).distinct():
        CardsToRead.objects.get_or_create(
            activity=wanted[letter], defaults={"account_id": mailbox.account_id, "mailbox": mailbox}
        )


def read_noted(mailbox: Mailbox, *, now: datetime) -> list[Record]:
    """Make contacts of the cards that were noted in this mailbox; returns them. Twice is once."""
    made: list[Record] = []
    noted = CardsToRead.objects.filter(mailbox=mailbox).select_related("activity")
    for each in noted.order_by("pk"):
        try:
            made += _make(mailbox, each, _cards(each.activity), now)
        except (DataError, ValueError):  # nothing can be made of them, however often they are read
            logger.exception("The visiting cards of activity %s are set aside", each.activity_id)
            each.delete()
    return made


def _cards(activity: Activity) -> list[Card]:
    """The cards of a letter; none where its bytes cannot be read."""
    found: list[Card] = []
    try:
        for part in files_of(activity):
            if part.content_type in TYPES and part.size <= LARGEST:
                found += read_cards(content_of(activity, part.index), most=MOST_CARDS)
    except (NoCard, NoSuchPart, blobs.BlobMissing, blobs.BlobDamaged):
        return found
    return found[:MOST_CARDS]


@transaction.atomic
def _make(mailbox: Mailbox, noted: CardsToRead, cards: Sequence[Card], now: datetime) -> list[Record]:
    limits.hold_still(mailbox.account)
    lock(mailbox.account_id)
    if not CardsToRead.objects.filter(pk=noted.pk).delete()[0]:
        return []  # another worker was quicker
    if not limits.terms(mailbox.account, now=now).has_integration:  # R28
        return []
    queue = queue_of(mailbox, now)
    came_from = saving_of(mailbox).came_from or mailbox.address
    made = []
    for card in _new(mailbox.account, cards):
        fields = Fields(
            name=card.name or card.addresses[0],
            responsible=queue.next(),
            came_from=came_from,
            position=card.position,
            company=company_of(mailbox.account_id, card.addresses[0]),
            addresses=card.addresses,
            phones=card.phones,
        )
        try:
            made.append(create(Kind.CONTACT, fields, by=None, now=now, source=Source.LETTER))
        except BadRecord:
            continue  # what stands on it is no address
    queue.remember()
    if made:
        tell("cards.read", account=mailbox.account, topic=mailbox.topic, contacts=len(made))
    return made


def _new(account: Account, cards: Sequence[Card]) -> list[Card]:
    """Cards of people whom nobody knows, each once; those without an address say nothing that letters could find."""
    excluded, ours = exclusions.of_account(account.pk), ours_of(account.pk)
    found: list[Card] = []
    taken: set[str] = set()
    for card in cards:
        keys = {address_key(address) for address in card.addresses}
        known = EmailAddress.objects.filter(account=account, key__in=keys).exists()
        if keys and not known and not keys & (taken | ours) and not any(map(excluded.has, keys)):
            taken |= keys
            found.append(card)
    return found
