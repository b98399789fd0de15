"""Letters leave, exactly once: claimed under a fence (`claim.py`), handed over phase by phase, every outcome written
down (P6).

No transaction is open while a server is talked to. Before the final dot the phase is journalled, under the fence: who
was overtaken by another worker sends no dot. A worker that dies before that dot leaves a letter that is simply tried
again; after it nobody can know whether the server has the letter, and it stays `unknown` until it is found in Sent or a
person decides (`resolve.py`). Through what it leaves – a mailbox or a verified sender – is `outlets.py`' alone.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import MailError, TokenRefused
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login
from letterdesk.mail.submit import AFTER_DOT, Answer, Attempt, submit
from letterdesk.plans.usage import refund

from . import drafts, filing, pacing, signing, tracking, trouble
from .claim import LEASE, WITH, claim_next
from .decide import GIVEN_UP_AFTER, Conclusion, conclude
from .hold_back import hold_back, let_go_unwanted
from .models import Delivery, DeliveryRecipient, Phase, RecipientState, State
from .outlets import check_allowed, login_of
from .return_path import is_refused, keep_away, return_path
from .telling import tell

AT_ONCE = 50
WRITES = 3  # tries to write an outcome down
TO_ASK = (RecipientState.WAITING, RecipientState.DEFERRED)
Clock = Callable[[], datetime]
logger = logging.getLogger(__name__)


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
    while done < AT_ONCE and (row := claim_next(time_of())) is not None:
        reach("deliver.claimed")
        _deliver(row, time_of, patience)
        done += 1
    filing.file_rest(now=time_of())
    return done


def _deliver(row: Delivery, clock: Clock, patience: float) -> None:
    """Try a letter that is ours now."""
    now = clock()
    if let_go_unwanted(row, now=now) or hold_back(row, now=now):
        return
    found = pacing.wait_for_place(row, now=now) or _hand_over(row, clock, patience)
    now = clock()
    if _finish(row, found, now):
        reach("deliver.finished")
        filing.file(row.pk, now=now)


def _hand_over(row: Delivery, clock: Clock, patience: float) -> Conclusion:
    """Try it at the server, and judge what happened."""
    asked = list(row.recipients.filter(state__in=TO_ASK).order_by("pk").values_list("address", flat=True))
    since = _tried_since(row, clock())
    attempt = _attempt(row, asked, clock, patience)
    reach("deliver.attempted")
    return conclude(
        attempt,
        asked=asked,
        taken_before=row.recipients.filter(state=RecipientState.ACCEPTED).exists(),
        attempts=row.attempts,
        tried_since=since,
        now=clock(),
        jitter=random.random(),  # noqa: S311  no secret
    )


def _tried_since(row: Delivery, now: datetime) -> datetime:
    """When a server was asked first; what made it wait before that – a daily limit, a closed account – is ours."""
    if row.tried_since is None:
        Delivery.objects.filter(pk=row.pk, fence=row.fence).update(tried_since=now)
        row.tried_since = now
    return row.tried_since


def recover(now: datetime) -> int:
    """Letters whose worker died: before the dot they are tried again, after it they are unknown (E02, E03)."""
    lost = Delivery.objects.filter(state=State.SENDING, leased_until__lte=now)
    before_dot = lost.exclude(phase=Phase.DOT)
    hopeful = before_dot.filter(Q(tried_since=None) | Q(tried_since__gt=now - GIVEN_UP_AFTER))
    again = hopeful.update(state=State.DEFERRED, next_at=now, fence=F("fence") + 1)
    again += sum(_give_up(row, before_dot, now) for row in before_dot.select_related(*WITH))
    for row in lost.filter(phase=Phase.DOT).select_related("account", "mailbox", "by"):
        with transaction.atomic():
            mine = lost.filter(pk=row.pk, phase=Phase.DOT, fence=row.fence)
            if mine.update(state=State.UNKNOWN, error_code="no_answer", trouble_at=now) == 1:
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
    since = row.tried_since or now
    found = conclude(lost, asked=asked, taken_before=taken, attempts=row.attempts, tried_since=since, now=now)
    return _finish(row, found, now)


def _attempt(row: Delivery, asked: list[str], clock: Clock, patience: float) -> Attempt:
    guard = Guard(allowed=tuple(settings.ALLOWED_NETWORKS))
    try:
        check_allowed(row, now=clock())
        raw, login = _bytes_of(row, now=clock()), login_of(row, guard)
    except MailError as error:
        return Attempt("connect", error=error)

    def hand_over(login: Login, sender: str = row.sender) -> Attempt:
        return submit(
            login, guard, raw, sender=sender, recipients=asked,
            before_dot=lambda: journal_dot(row, now=clock()), patience=patience,
        )  # fmt: skip

    if (returns := return_path(row)) != row.sender:
        return _or_as_itself(row, hand_over(login, returns), lambda: hand_over(login))
    attempt = hand_over(login)
    if not isinstance(attempt.error, TokenRefused):
        return attempt
    try:  # its time was not over, and yet the server did not take it: with another one, once
        login = login_of(row, guard, refused=login.oauth_token)
    except MailError as error:
        return Attempt("connect", error=error)
    return hand_over(login)


def _or_as_itself(row: Delivery, attempt: Attempt, as_itself: Callable[[], Attempt]) -> Attempt:
    """Where the server takes no letter for whose reports come to us, it gets it as before: it has said no, so nothing
    leaves twice (P6)."""
    if not is_refused(attempt):
        return attempt
    again = as_itself()
    if row.verified_sender is not None and attempt.last.code >= 500 and again.last.is_yes:
        keep_away(row.verified_sender)
    return again


def _bytes_of(row: Delivery, *, now: datetime) -> bytes:
    try:
        tracking.take_out(row, now=now)
        return signing.provable(blobs.get(row.account_id, row.blob), row.account)
    except (blobs.BlobMissing, blobs.BlobDamaged) as error:
        raise Lost from error


def journal_dot(row: Delivery, *, now: datetime) -> bool:
    """Whether the letter is still ours; if so, it is written down that the dot comes now."""
    reach("deliver.before_journal")
    ours = Delivery.objects.filter(pk=row.pk, fence=row.fence, state=State.SENDING)
    is_ours = ours.update(phase=Phase.DOT, leased_until=now + LEASE) == 1
    reach("deliver.journalled")
    return is_ours


def _finish(row: Delivery, found: Conclusion, now: datetime) -> bool:
    """Write the outcome down, unless somebody else decided meanwhile. Nobody can ask the server again what it said
    (P6): a deadlock, or a lock that was waited for too long, is survived."""
    for _try in range(WRITES - 1):
        try:
            return _write_down(row, found, now)
        except OperationalError:
            logger.warning("The outcome of delivery %s could not be written down; once more", row.pk)
    return _write_down(row, found, now)


@transaction.atomic
def _write_down(row: Delivery, found: Conclusion, now: datetime) -> bool:
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
    if trouble.is_trouble(found.state, [state for state, _answer in found.recipients.values()]):
        columns["trouble_at"] = now
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
            drafts.remove(row.draft, by=row.by, now=now)
        tell("letter.sent", row, by=row.by, refused=_refused(row))
    elif found.state == State.DEFERRED and not pacing.is_told(row, found):
        tell("letter.deferred", row, by=row.by, **facts)
    elif found.state == State.UNKNOWN:
        tell("letter.unknown", row, by=row.by)


def _refused(row: Delivery) -> int:
    return row.recipients.filter(state=RecipientState.REFUSED).count()
