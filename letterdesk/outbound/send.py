"""A person sends: one transaction reserves the quota, queues the letter and takes the draft out of the list.

Nothing leaves before `due_at`; until a worker has taken the letter, `stop` brings the draft back and gives the quota
back. Undo, send later and pacing are all nothing but `due_at`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.preferences import undo_seconds
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.compose import new_message_id, wire_address
from letterdesk.mailboxes import collect
from letterdesk.plans import limits, usage
from letterdesk.plans.models import Channel

from . import filing, moved_on, signing, tracking
from .composing import CannotSend, Problem, envelope, letter_of, problems
from .drafts import DraftChanged, lock, remove
from .identities import Identity, identity_for
from .jobs import deliver_due
from .models import Delivery, DeliveryRecipient, Draft, Kind, RecipientState, State
from .telling import give_back, locked, reopen, tell

GRACE = timedelta(seconds=2)  # the window of undo outlasts what the page shows
LATEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Remind:
    """When a sender wants to be reminded if nobody answers: so many days after the letter has left, or `at` (UTC)."""

    days: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Letter:
    """What travels; of a tracked one also the letter as it was written."""

    raw: bytes
    plain: bytes = b""
    tracked: tracking.Prepared | None = None


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
    known: Collection[int] = (),
    anyway: bool = False,
    remind: Remind | None = None,
) -> Delivery:
    """Queue the draft's letter: after the writer's undo window, or `at`. Outside any transaction.

    `seen`: the version that the sender saw; `known`: letters of the conversation of which they were told since. What
    is to leave later is looked at then, and held back, unless `anyway`. The channel is the draft's door's (R23). It is
    kept whatever is raised: CannotSend, DraftChanged, MovedOn, OnItsWay, NotInPlan, LimitReached (R24), OSError.
    """
    draft.refresh_from_db()
    if draft.version != seen:
        raise DraftChanged(draft)
    identity = identity_for(draft, by)
    due_at = _due_at(by, now, at)
    found = problems(draft, identity) + _no_reminder(draft, remind, due_at)
    if found or identity is None:
        raise CannotSend(found)
    _check_plan(by.account, Channel(draft.channel), now)
    message_id = new_message_id(identity.email)
    files = set(draft.files.values_list("pk", flat=True))
    letter = _compose(draft, identity, message_id, due_at)
    blob = _store(draft, letter.raw, now)
    made = Delivery(
        account_id=draft.account_id, mailbox=identity.mailbox, verified_sender=identity.verified_sender, draft=draft,
        by=by, channel=draft.channel, about=draft.about, answers_id=draft.answers_id,
        is_forward=draft.kind == Kind.FORWARD, blob=blob, size=len(letter.raw),
        plain_blob=_store(draft, letter.plain, now) if letter.plain else "",
        message_id=message_id, subject=draft.subject, sender=wire_address(identity.email), created_at=now,
        due_at=due_at, seen=None if at is None or anyway else sorted({*draft.seen, *known}),
        next_at=due_at if due_at == now or at else due_at + GRACE, **_wish(remind),
    )  # fmt: skip
    return _queue(made, draft, files, letter.tracked, seen=seen, known=known, now=now)


def _compose(draft: Draft, identity: Identity, message_id: str, date: datetime) -> _Letter:
    """Signed last, whatever is in it."""
    raw, tracked, plain = letter_of(draft, identity, message_id=message_id, date=date), tracking.prepare(draft), b""
    if tracked is not None:
        plain, raw = raw, letter_of(draft, identity, message_id=message_id, date=date, html=tracked.html)
    return _Letter(signing.signed(raw, draft.account, sender=wire_address(identity.email)), plain, tracked)


def _store(draft: Draft, raw: bytes, now: datetime) -> str:
    blob = blobs.hash_of(raw)
    collect.announce(draft.account_id, [blob], now=now)
    blobs.put(draft.account_id, {blob: raw})
    reach("send.written")
    return blob


@transaction.atomic
def _queue(
    made: Delivery,
    draft: Draft,
    files: set[int],
    tracked: tracking.Prepared | None,
    *,
    seen: int,
    known: Collection[int],
    now: datetime,
) -> Delivery:
    """`files`: those that are in the letter; one that was attached or taken out meanwhile is not lost in silence."""
    row = lock(draft)
    if row.version != seen or set(row.files.values_list("pk", flat=True)) != files:
        raise DraftChanged(row)
    moved_on.lock_conversation(row)
    if found := moved_on.changes(row, known=known):
        raise moved_on.MovedOn(found)
    made.reservation = usage.reserve(row.account, Channel(made.channel), due_at=made.due_at, now=now)  # R22, R23
    made.save(force_insert=True)
    collect.hold(made.account_id, [each for each in (made.blob, made.plain_blob) if each], holder=made.holder, now=now)
    if tracked is not None:
        tracking.keep(made, tracked)
    DeliveryRecipient.objects.bulk_create(
        DeliveryRecipient(account_id=made.account_id, delivery=made, field=field, name=name, address=address)
        for field, name, address in envelope(row)
    )
    Draft.objects.filter(pk=row.pk).update(
        sent_at=now, version=F("version") + 1, writer=None, writing_until=None, seen=sorted({*row.seen, *known}),
        held_back_at=None,
    )  # fmt: skip
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
    perhaps_trouble = Case(When(may_have_left=True, then=Value(now)), default=Value(None))
    if waiting.update(state=perhaps, fence=F("fence") + 1, trouble_at=perhaps_trouble) != 1:
        raise TooLate
    row = Delivery.objects.select_related("account", "mailbox", "by", "reservation", "draft").get(pk=delivery.pk)
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


@transaction.atomic
def give_up_rest(delivery: Delivery, *, by: Employee, now: datetime) -> None:
    """Ask nobody again: who has the letter has it, the others do not get it. Raises TooLate where none is asked."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=State.DEFERRED, sent_at__isnull=False)
    if waiting.update(state=State.SENT, error_code="", error="", fence=F("fence") + 1) != 1:
        raise TooLate
    row = locked(delivery)
    rest = row.recipients.filter(state__in=[RecipientState.WAITING, RecipientState.DEFERRED])
    count = rest.update(state=RecipientState.REFUSED, text=_("Given up by %(who)s.") % {"who": by.name})
    if row.draft is not None:
        remove(row.draft, now=now)
    if row.is_filed:
        filing.let_go_of_bytes(row, now=now)
    tell("letter.sent", row, by=by, refused=count)


def _wish(remind: Remind | None) -> dict[str, Any]:
    return {"remind_days": remind.days, "remind_at": remind.at} if remind else {}


def _no_reminder(draft: Draft, remind: Remind | None, due_at: datetime) -> list[Problem]:
    """Why nobody could be reminded: without a mailbox there is no conversation that comes back, or it is too early."""
    if remind is not None and draft.mailbox_id is None:
        text = _("A reminder needs a mailbox in which the answer arrives. Take it out, or write from a mailbox.")
        return [Problem("reminder_without_mailbox", text)]
    if remind is None or remind.at is None or remind.at > due_at:
        return []
    return [Problem("reminder_too_early", _("The reminder would come before the letter leaves. Choose a later day."))]


def _check_plan(account: Account, channel: Channel, now: datetime) -> None:
    usage.require_channel(account, channel, now=now)  # R24, before R2: it is the more exact word
    if channel == Channel.WEBMAIL:
        limits.require(account, integration=True, now=now)  # R2


def _due_at(by: Employee, now: datetime, at: datetime | None) -> datetime:
    if at is None:
        return now + timedelta(seconds=undo_seconds(by))
    return min(max(at, now), now + LATEST)
