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
from letterdesk.mail.vcard import LARGEST, TYPES, Card, NoCard, is_card, read_cards
from letterdesk.mailboxes.models import Attachment, Mailbox
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.plans import limits

from ..activities.reading import content_of, files_of
from ..models import (
    Activity,
    CardsToRead,
    Direction,
    EmailAddress,
    Kind,
    Making,
    PolledMailbox,
    Reason,
    Record,
    SendSaveAddress,
    Source,
)
from ..records.create import create
from ..records.fields import BadRecord, Fields
from ..saving import saving_of
from . import exclusions
from .ground import ours_of
from .guess import company_of
from .keep import ToKeep
from .turns import Queue, queue_beside, queue_of

MOST_CARDS = 20  # of a letter
SOURCE = "Send & Save"  # the name of the feature, the same in all languages
Through = Mailbox | PolledMailbox | SendSaveAddress
logger = logging.getLogger(__name__)


def note_cards(
    mailbox: Mailbox, kept: Sequence[ToKeep], activities: Sequence[Activity], *, since: datetime | None
) -> None:
    """Remember which of these letters have cards to be read. Inside the caller's transaction.

    `since`: since when the account has had Webmail, None: always; of older letters nothing is made (R28), nor of those
    that only went along with another, which were here before, nor of those that a program wrote.
    """
    wanted = {
        each.letter.pk: activity
        for each, activity in zip(kept, activities, strict=True)
        if each.direction == Direction.INCOMING
        and any(bind.reason != Reason.HISTORY for bind in each.bindings)
        and not (each.letter.is_history or each.letter.is_automatic or each.letter.list_id)
        and (since is None or each.letter.received_at >= since)
    }
    if not wanted or not saving_of(mailbox).reads_cards:
        return
    files = Attachment.objects.filter(message__in=list(wanted), content_type__in=TYPES, size__lte=LARGEST)
    for letter in files.values_list("message", flat=True).distinct():
        note(wanted[letter], mailbox)


def note(activity: Activity, through: Through) -> None:
    """Its letter has cards to be read, as is set where it came through. Inside the caller's transaction."""
    whose = {"account_id": activity.account_id, **_column(through)}
    CardsToRead.objects.get_or_create(activity=activity, defaults=whose)


def noted_beside(account_id: int) -> list[Through]:
    """Polled mailboxes and secret addresses of the account with letters whose cards are to be read (R30)."""
    noted = CardsToRead.objects.filter(account=account_id, mailbox=None)
    polled = PolledMailbox.objects.filter(pk__in=noted.values("polled"))
    addresses = SendSaveAddress.objects.filter(pk__in=noted.values("secret_address"))
    with_people = addresses.select_related("account", "responsible", "employee", "made_by")
    return [*polled.select_related("account", "made_by"), *with_people]


def source_of(through: Through) -> str:
    """What records say that are made of its letters."""
    return making_of(through).came_from or (SOURCE if isinstance(through, SendSaveAddress) else through.address)


def making_of(through: Through) -> Making:
    """The settings of what is made of its letters."""
    return saving_of(through) if isinstance(through, Mailbox) else through


def read_noted(through: Through, *, now: datetime) -> list[Record]:
    """Make contacts of the cards of letters that came through it; returns them. Twice is once."""
    made: list[Record] = []
    noted = CardsToRead.objects.filter(**_column(through)).select_related("activity__forwarded_by")
    for each in noted.order_by("pk"):
        try:
            made += _make(through, each, _cards(each.activity), now)
        except (DataError, ValueError):  # nothing can be made of them, however often they are read
            logger.exception("The visiting cards of activity %s are set aside", each.activity_id)
            each.delete()
    return made


def _cards(activity: Activity) -> list[Card]:
    """The cards of a letter; none where its bytes cannot be read."""
    found: list[Card] = []
    try:
        for part in files_of(activity):
            if is_card(part):
                found += read_cards(content_of(activity, part.index), most=MOST_CARDS)
    except (NoCard, NoSuchPart, blobs.BlobMissing, blobs.BlobDamaged):
        return found
    return found[:MOST_CARDS]


@transaction.atomic
def _make(through: Through, noted: CardsToRead, cards: Sequence[Card], now: datetime) -> list[Record]:
    limits.hold_still(through.account)
    lock(through.account_id)
    if not CardsToRead.objects.filter(pk=noted.pk).delete()[0]:
        return []  # another worker was quicker
    if isinstance(through, Mailbox) and not limits.terms(through.account, now=now).has_integration:  # R28
        return []
    queue = _queue(through, noted.activity, now)
    if queue is None:
        return []
    made = []
    for card in _new(through.account, cards):
        fields = Fields(
            name=card.name or card.addresses[0],
            responsible=queue.next(),
            came_from=source_of(through),
            position=card.position,
            company=company_of(through.account_id, card.addresses[0]),
            addresses=card.addresses,
            phones=card.phones,
        )
        try:
            made.append(create(Kind.CONTACT, fields, by=None, now=now, source=Source.LETTER))
        except BadRecord:
            continue  # what stands on it is no address
    queue.remember()
    if made:
        topic = through.topic if isinstance(through, Mailbox) else ""
        tell("cards.read", account=through.account, topic=topic, contacts=len(made))
    return made


def _queue(through: Through, activity: Activity, now: datetime) -> Queue | None:
    if isinstance(through, Mailbox):
        return queue_of(through, now)
    return queue_beside(through, now, forwarder=activity.forwarded_by)


def _column(through: Through) -> dict[str, Through]:
    """The column of CardsToRead that names it, with it."""
    names = {Mailbox: "mailbox", PolledMailbox: "polled", SendSaveAddress: "secret_address"}
    return {names[type(through)]: through}


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
