"""A person sends: one transaction reserves the quota, queues the letter and takes the draft out of the list.

Nothing leaves before `due_at`; until a worker has taken the letter, `stop` brings the draft back and gives the quota
back. Undo, send later and pacing are all nothing but `due_at`.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import undo_seconds
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.compose import new_message_id, wire_address
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans import limits, usage
from letterdesk.plans.models import Channel

from .composing import CannotSend, envelope, letter_of, problems
from .drafts import DraftChanged, lock
from .identities import Identity, identity_in
from .jobs import deliver_due
from .models import Delivery, DeliveryRecipient, Draft, Kind, RecipientState, State
from .telling import give_back, reopen, tell

GRACE = timedelta(seconds=2)  # the window of undo outlasts what the page shows
LATEST = timedelta(days=366)


class TooLate(Exception):
    """The letter has left already, or is leaving this moment: it cannot be stopped any more."""

    def __init__(self) -> None:
        super().__init__(_("This letter has left, or is leaving this moment: it cannot be stopped any more."))


def send(
    draft: Draft,
    *,
    by: Employee,
    seen: int,
    now: datetime,
    at: datetime | None = None,
    channel: Channel = Channel.WEBMAIL,
) -> Delivery:
    """Queue the draft's letter: after the writer's undo window, or `at`. Outside any transaction.

    `seen`: the version that the sender saw. `channel` is the door's own (R23). Whatever is raised, the draft is kept:
    CannotSend (with all problems), DraftChanged, OnItsWay, NotInPlan and LimitReached (two different ones, R24),
    OSError for a full disk.
    """
    draft.refresh_from_db()
    if draft.version != seen:
        raise DraftChanged(draft)
    identity = identity_in(draft.mailbox, by)
    found = problems(draft, identity)
    if found or identity is None:
        raise CannotSend(found)
    _check_plan(draft.mailbox, channel, now)
    due_at = _due_at(by, now, at)
    message_id = new_message_id(identity.mailbox.address)
    raw = letter_of(draft, identity, message_id=message_id, date=due_at)
    blob = blobs.hash_of(raw)
    collect.announce(draft.account_id, [blob], now=now)
    blobs.put(draft.account_id, {blob: raw})
    reach("send.written")
    made = Delivery(
        account_id=draft.account_id, mailbox=draft.mailbox, draft=draft, by=by, channel=channel, answers=draft.answers,
        is_forward=draft.kind == Kind.FORWARD, blob=blob, size=len(raw), message_id=message_id, subject=draft.subject,
        sender=wire_address(identity.mailbox.address), created_at=now, due_at=due_at,
        next_at=due_at if due_at == now or at else due_at + GRACE,
    )  # fmt: skip
    return _queue(made, draft, identity, seen=seen, now=now)


@transaction.atomic
def _queue(made: Delivery, draft: Draft, identity: Identity, *, seen: int, now: datetime) -> Delivery:
    row = lock(draft)
    if row.version != seen:
        raise DraftChanged(row)
    account = draft.mailbox.account
    made.reservation = usage.reserve(account, Channel(made.channel), due_at=made.due_at, now=now)  # R22, R23
    made.save(force_insert=True)
    collect.hold(made.account_id, [made.blob], holder=made.holder, now=now)
    DeliveryRecipient.objects.bulk_create(
        DeliveryRecipient(account_id=made.account_id, delivery=made, field=field, name=name, address=address)
        for field, name, address in envelope(row)
    )
    Draft.objects.filter(pk=row.pk).update(sent_at=now, version=F("version") + 1, writer=None, writing_until=None)
    tell("letter.queued", made, by=made.by)
    reach("send.before_commit")
    deliver_due.after((made.next_at - now).total_seconds())
    return made


@transaction.atomic
def stop(delivery: Delivery, *, by: Employee | None, now: datetime) -> Draft | None:
    """Undo, or cancel: the letter does not leave, its quota comes back, its draft is open again and returned.

    Wins over a worker exactly if the letter is not being sent (E10), and nobody has got it yet. Raises TooLate. One
    that may have left at an earlier attempt is perhaps sent again, and keeps its quota (P6); None is returned.
    """
    waiting = Delivery.objects.filter(pk=delivery.pk, state__in=[State.QUEUED, State.DEFERRED], sent_at=None)
    perhaps = Case(When(may_have_left=True, then=Value(State.UNKNOWN)), default=Value(State.CANCELLED))
    if waiting.update(state=perhaps, fence=F("fence") + 1) != 1:
        raise TooLate
    row = Delivery.objects.select_related("mailbox", "account", "reservation", "draft").get(pk=delivery.pk)
    if row.may_have_left:
        waits = row.recipients.filter(state__in=[RecipientState.WAITING, RecipientState.DEFERRED])
        waits.update(state=RecipientState.UNKNOWN)
        tell("letter.unknown", row, by=by)
        return None
    give_back(row, now=now)
    draft = reopen(row, now=now)
    tell("letter.stopped", row, by=by)
    reach("stop.before_commit")
    return draft


def _check_plan(mailbox: Mailbox, channel: Channel, now: datetime) -> None:
    usage.require_channel(mailbox.account, channel, now=now)  # R24, before R2: it is the more exact word
    if channel == Channel.WEBMAIL:
        limits.require(mailbox.account, integration=True, now=now)  # R2


def _due_at(by: Employee, now: datetime, at: datetime | None) -> datetime:
    if at is None:
        return now + timedelta(seconds=undo_seconds(by))
    return min(max(at, now), now + LATEST)
