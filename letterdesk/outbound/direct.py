"""Letters that no draft was written for, such as what a task says to its guests: composed outside, queued inside.

Quota, suppression, signing, the daily limit, Sent and every retry are those of all letters; only there is nothing to
undo, and no draft to come back.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from letterdesk.accounts.models import Employee
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.compose import NotComposable, Outgoing, compose, new_message_id, wire_address
from letterdesk.mail.letters import Address
from letterdesk.mailboxes import collect
from letterdesk.plans import usage
from letterdesk.plans.models import Channel

from . import signing
from .composing import CannotSend, Problem, named, undeliverable
from .identities import Identity
from .jobs import deliver_due
from .models import Delivery, DeliveryRecipient
from .suppression import suppressed_among
from .telling import tell


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter whose bytes are stored, and that nobody has queued yet."""

    identity: Identity
    to: Address
    subject: str
    message_id: str
    blob: str
    size: int


def compose_to(to: Address, letter: Outgoing, *, identity: Identity, by: Employee, now: datetime) -> Composed:
    """Write a letter to one person and store it; `letter` says its words, the rest of its head is written here.

    Outside any transaction. Raises CannotSend (also for an address to which nothing is sent), OSError.
    """
    if refused := suppressed_among(by.account_id, [to.address]):
        raise CannotSend([Problem("undeliverable", undeliverable(refused[0]), "to")])
    message_id = new_message_id(identity.email)
    try:
        raw = compose(replace(letter, sender=identity.address, to=(to,), message_id=message_id, date=now))
    except NotComposable as error:
        raise CannotSend([named(error)]) from error
    raw = signing.signed(raw, by.account, sender=wire_address(identity.email))
    blob = blobs.hash_of(raw)
    collect.announce(by.account_id, [blob], now=now)
    blobs.put(by.account_id, {blob: raw})
    reach("direct.written")
    return Composed(identity, to, letter.subject, message_id, blob, len(raw))


def queue(letter: Composed, *, by: Employee, channel: Channel, about: str, now: datetime) -> Delivery:
    """Send it: a unit of the month's quota, and a worker takes it. Inside the caller's transaction.

    `about` tells whoever reacts to its events what it was for; CRM keeps no copy because of it. Raises NotInPlan (R24),
    LimitReached (R22).
    """
    identity = letter.identity
    made = Delivery(
        account_id=by.account_id, mailbox=identity.mailbox, verified_sender=identity.verified_sender, by=by,
        channel=channel, about=about, is_kept=True, blob=letter.blob, size=letter.size, message_id=letter.message_id,
        subject=letter.subject, sender=wire_address(identity.email), created_at=now, due_at=now, next_at=now,
    )  # fmt: skip
    made.reservation = usage.reserve(by.account, channel, due_at=now, now=now)  # R22, R23
    made.save(force_insert=True)
    collect.hold(made.account_id, [made.blob], holder=made.holder, now=now)
    DeliveryRecipient.objects.create(
        account_id=made.account_id, delivery=made, field="to", name=letter.to.name,
        address=wire_address(letter.to.address),
    )  # fmt: skip
    tell("letter.queued", made, by=by)
    reach("direct.before_commit")
    deliver_due.later()
    return made
