"""Letters leave, exactly once: claimed under a fence, handed over phase by phase, every outcome written down (P6).

No transaction is open while a server is talked to. Before the final dot the phase is journalled, under the fence: who
was overtaken by another worker sends no dot. A worker that dies before that dot leaves a letter that is simply tried
again; after it nobody can know whether the server has the letter, and it stays `unknown` until it is found in Sent or a
person decides (`resolve.py`).
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login
from letterdesk.mail.submit import AFTER_DOT, Answer, Attempt, submit
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans.limits import NotInPlan, require
from letterdesk.plans.models import Channel
from letterdesk.plans.usage import refund

from . import drafts, filing
from .decide import GIVEN_UP_AFTER, Conclusion, conclude
from .identities import SENDING as USABLE
from .models import Delivery, DeliveryRecipient, Phase, RecipientState, State
from .telling import tell

LEASE = timedelta(minutes=15)  # longer than the wait after the final dot
AT_ONCE = 50
WITH = ("mailbox__account", "by", "reservation", "draft")
TO_ASK = (RecipientState.WAITING, RecipientState.DEFERRED)
Clock = Callable[[], datetime]


class Withheld(MailError):
    """The plan or the mailbox's state lets nothing out now (R11, R13)."""

    code = "withheld"
    words = "{detail}"
    is_temporary = True


class Lost(MailError):
    """The bytes of the letter are not where they were stored: the disk, or a backup that lacks them."""

    code = "letter_lost"
    words = "This letter can no longer be read from our storage. Its text is kept: edit it again."
    needs_person = True


def deliver(*, now: datetime, clock: Clock | None = None, patience: float = AFTER_DOT) -> int:
    """Send what is due, one letter after the other; returns how many were tried here.

    A letter may take minutes: `clock` tells the time at each; without it stands still at `now`.
    """
    time_of = clock or (lambda: now)
    recover(now)
    done = 0
    for pk in list(_due(now).order_by("next_at").values_list("pk", flat=True)[:AT_ONCE]):
        done += deliver_one(pk, now=time_of(), clock=clock, patience=patience)
    filing.file_rest(now=time_of())
    return done


def deliver_one(pk: int, *, now: datetime, clock: Clock | None = None, patience: float = AFTER_DOT) -> bool:
    """Try one letter, if it is due and nobody else has it. `clock` as above."""
    time_of = clock or (lambda: now)
    row = _claim(pk, now)
    if row is None:
        return False
    reach("deliver.claimed")
    asked = list(row.recipients.filter(state__in=TO_ASK).order_by("pk").values_list("address", flat=True))
    attempt = _attempt(row, asked, time_of, patience)
    reach("deliver.attempted")
    now = time_of()
    found = conclude(
        attempt,
        asked=asked,
        taken_before=row.recipients.filter(state=RecipientState.ACCEPTED).exists(),
        attempts=row.attempts,
        due_at=row.due_at,
        now=now,
        jitter=random.random(),  # noqa: S311  no secret
    )
    if _finish(row, found, now):
        reach("deliver.finished")
        filing.file(row.pk, now=now)
    return True


def recover(now: datetime) -> int:
    """Letters whose worker died: before the dot they are tried again, after it they are unknown (E02, E03)."""
    lost = Delivery.objects.filter(state=State.SENDING, leased_until__lte=now)
    before_dot = lost.exclude(phase=Phase.DOT)
    hopeful = before_dot.filter(due_at__gt=now - GIVEN_UP_AFTER)
    again = hopeful.update(state=State.DEFERRED, next_at=now, fence=F("fence") + 1)
    again += sum(_give_up(row, before_dot, now) for row in before_dot.select_related(*WITH))
    for row in lost.filter(phase=Phase.DOT).select_related("mailbox__account"):
        with transaction.atomic():
            mine = lost.filter(pk=row.pk, phase=Phase.DOT, fence=row.fence)
            if mine.update(state=State.UNKNOWN, error_code="no_answer") == 1:
                DeliveryRecipient.objects.filter(delivery=row, state__in=TO_ASK).update(state=RecipientState.UNKNOWN)
                tell("letter.unknown", row)
                again += 1
    return again


def _give_up(row: Delivery, before_dot: QuerySet[Delivery], now: datetime) -> bool:
    """R23: five days of lost workers or lines that dragged on. The fence first, so that nobody sends the dot now."""
    if before_dot.filter(pk=row.pk, fence=row.fence).update(fence=F("fence") + 1) != 1:
        return False
    row.fence += 1
    asked = list(row.recipients.filter(state__in=TO_ASK).values_list("address", flat=True))
    taken = row.recipients.filter(state=RecipientState.ACCEPTED).exists()
    lost = Attempt("connect", Answer(0, _("The letter could not be handed over for five days.")))
    found = conclude(lost, asked=asked, taken_before=taken, attempts=row.attempts, due_at=row.due_at, now=now)
    return _finish(row, found, now)


def _due(now: datetime) -> QuerySet[Delivery]:
    """Those of a closed account wait: they go when its deletion is taken back, and are purged otherwise.

    Asked with EXISTS, not with a join: `_claim` updates what this finds, and its state must be in that statement.
    """
    closed = Account.objects.filter(pk=OuterRef("account"), closed_at__isnull=False)
    due: QuerySet[Delivery] = Delivery.objects.filter(
        ~Exists(closed), state__in=[State.QUEUED, State.DEFERRED], next_at__lte=now
    )
    return due


def _claim(pk: int, now: datetime) -> Delivery | None:
    """E09, E10: of two workers, or a worker and an undo, one wins."""
    mine = _due(now).filter(pk=pk).update(
        state=State.SENDING, phase=Phase.CONNECTING, fence=F("fence") + 1, attempts=F("attempts") + 1,
        leased_until=now + LEASE,
    )  # fmt: skip
    if mine != 1:
        return None
    row: Delivery = Delivery.objects.select_related(*WITH).get(pk=pk)
    return row


def _attempt(row: Delivery, asked: list[str], clock: Clock, patience: float) -> Attempt:
    try:
        _check_allowed(row, clock())
        raw = _bytes_of(row)
    except MailError as error:
        return Attempt("connect", error=error)

    def journal() -> bool:
        return journal_dot(row, now=clock())

    return submit(
        smtp_login(row.mailbox), Guard(allowed=tuple(settings.ALLOWED_NETWORKS)), raw,
        sender=row.sender, recipients=asked, before_dot=journal, patience=patience,
    )  # fmt: skip


def _bytes_of(row: Delivery) -> bytes:
    try:
        return blobs.get(row.account_id, row.blob)
    except (blobs.BlobMissing, blobs.BlobDamaged) as error:
        raise Lost from error


def _check_allowed(row: Delivery, now: datetime) -> None:
    """R11, R13: from the second in which Webmail ends nothing leaves through it, nor from a suspended mailbox, nor for
    who has lost the right to write there since."""
    if row.mailbox.state not in USABLE:
        raise Withheld(f"The mailbox {row.mailbox.address} is {row.mailbox.get_state_display().lower()}.")
    if row.by is None or not Mailbox.objects.editable_by(row.by).filter(pk=row.mailbox_id).exists():
        raise Withheld(
            _("Who sent this letter may not write from %(address)s any more.") % {"address": row.mailbox.address}
        )
    if row.channel == Channel.WEBMAIL:
        try:
            require(row.mailbox.account, integration=True, now=now)
        except NotInPlan as error:
            raise Withheld(error.text) from error


def smtp_login(mailbox: Mailbox) -> Login:
    """How to sign in where this mailbox's letters leave."""
    secret = mailbox.secret or {}
    return Login(
        host=mailbox.smtp_host,
        port=mailbox.smtp_port,
        security=mailbox.smtp_security,
        user=mailbox.smtp_user or mailbox.imap_user or mailbox.address,
        password=secret.get("password", ""),
        oauth_token=secret.get("oauth_token", ""),
    )


def journal_dot(row: Delivery, *, now: datetime) -> bool:
    """Whether the letter is still ours; if so, it is written down that the dot comes now."""
    reach("deliver.before_journal")
    ours = Delivery.objects.filter(pk=row.pk, fence=row.fence, state=State.SENDING)
    is_ours = ours.update(phase=Phase.DOT, leased_until=now + LEASE) == 1
    reach("deliver.journalled")
    return is_ours


@transaction.atomic
def _finish(row: Delivery, found: Conclusion, now: datetime) -> bool:
    """Write the outcome down, unless somebody else decided meanwhile."""
    ours = Delivery.objects.filter(Q(state=State.SENDING) | Q(state=State.UNKNOWN), pk=row.pk, fence=row.fence)
    has_left = any(state == RecipientState.ACCEPTED for state, _answer in found.recipients.values())
    columns: dict[str, object] = {
        "state": found.state,
        "phase": Phase.NONE,
        "error_code": found.code,
        "error": found.text[:2000],
    }
    if found.next_at is not None:
        columns["next_at"] = found.next_at
    if has_left and row.sent_at is None:
        columns["sent_at"] = now
    if ours.update(**columns) != 1:
        return False
    for address, (state, answer) in found.recipients.items():
        _note(row, address, state, answer)
    _settle(row, found, now)
    reach("deliver.before_commit")
    return True


def _note(row: Delivery, address: str, state: RecipientState, answer: Answer) -> None:
    DeliveryRecipient.objects.filter(delivery=row, address=address).update(
        state=state, code=answer.code, text=answer.text
    )


def _settle(row: Delivery, found: Conclusion, now: datetime) -> None:
    """What follows from the outcome: quota, draft, and what is told."""
    facts = {"code": found.code, "attempts": row.attempts}
    if found.state == State.FAILED:
        if row.reservation is not None:
            refund(row.reservation, now=now)  # R23: for good
        tell("letter.failed", row, by=row.by, **facts)
    elif found.state == State.SENT:
        if row.draft is not None:
            drafts.remove(row.draft, now=now)
        tell("letter.sent", row, by=row.by, refused=_refused(row))
    elif found.state == State.DEFERRED:
        tell("letter.deferred", row, by=row.by, **facts)
    else:
        tell("letter.unknown", row, by=row.by)


def _refused(row: Delivery) -> int:
    return row.recipients.filter(state=RecipientState.REFUSED).count()
