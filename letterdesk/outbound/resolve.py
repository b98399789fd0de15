"""What only a person, or the Sent folder, can decide: letters that were perhaps sent, and letters that failed.

`look_for` finds an unknown letter by its Message-ID among what the sync has brought; else its people say whether it
counts as sent or goes out again, knowing that somebody may get it twice (P6). What went through a verified sender has
no Sent folder in which it could be found: it stays unknown until a person decides, or a report proves it (R24).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Mailbox, Message

from . import drafts, filing
from .models import Bounce, Delivery, RecipientState, State
from .telling import locked, tell

LOOKED_BACK = timedelta(days=1)


class NotSo(Exception):
    """The letter is not in the state in which this can be decided; somebody may have done it already."""

    def __init__(self) -> None:
        super().__init__(_("This cannot be decided any more: the letter has another state now."))


def look_for(*, now: datetime) -> int:
    """Find unknown letters in their mailboxes; returns how many are known to have left now."""
    unknown = Delivery.objects.filter(state=State.UNKNOWN, mailbox__isnull=False, is_filed=False)
    by_mailbox: dict[Mailbox, list[Delivery]] = defaultdict(list)
    for row in unknown.select_related("mailbox__account")[:500]:
        if row.mailbox is not None:
            by_mailbox[row.mailbox].append(row)
    found = [row for mailbox, mine in by_mailbox.items() for row in _found(mailbox, mine)]
    return sum(_is_sent(row, by=None, now=now) for row in found)


def as_sent(delivery: Delivery, *, by: Employee, now: datetime) -> None:
    """A person knows that the letter has left. Raises NotSo."""
    if not _is_sent(delivery, by=by, now=now):
        raise NotSo


def proved(delivery: Delivery, *, now: datetime) -> bool:
    """Something came that only a letter that has left can cause; returns whether this call settled it."""
    return _is_sent(delivery, by=None, now=now)


def _found(mailbox: Mailbox, rows: Sequence[Delivery]) -> list[Delivery]:
    """A copy in Sent tells of the lost answer only if it can be of no earlier attempt, and is not ours. The mailbox's
    recent letters are read once for all: they have no index by Message-ID."""
    since = min(row.created_at for row in rows) - LOOKED_BACK
    came = Message.objects.filter(
        mailbox=mailbox, received_at__gte=since, message_id__in=[row.message_id for row in rows]
    )
    there = dict(came.order_by("received_at").values_list("message_id", "received_at"))  # the newest of each
    found = [row for row in rows if row.message_id in there and there[row.message_id] >= row.created_at - LOOKED_BACK]
    return [row for row in found if not row.recipients.filter(state=RecipientState.ACCEPTED).exists()]


def _is_sent(delivery: Delivery, *, by: Employee | None, now: datetime) -> bool:
    with transaction.atomic():
        row = locked(delivery)
        if row.state != State.UNKNOWN:
            return False
        row.recipients.filter(state=RecipientState.UNKNOWN).update(state=RecipientState.ACCEPTED)
        waits = row.recipients.filter(state=RecipientState.DEFERRED).exists()
        hurt = row.recipients.filter(Q(state=RecipientState.REFUSED) | Q(bounce__in=[Bounce.HARD, Bounce.SOFT]))
        Delivery.objects.filter(pk=row.pk).update(
            state=State.DEFERRED if waits else State.SENT, sent_at=row.sent_at or now, next_at=now,
            error_code="recipients_refused" if waits else "", error="", fence=F("fence") + 1,
            trouble_at=now if hurt.exists() else None,
        )  # fmt: skip
        if (theirs := filing.in_sent(row)) is not None and not row.is_filed:
            filing.close(row, theirs, now=now)
        _tell(row, by=by, waits=waits, now=now)
        reach("resolve.before_commit")
    filing.file(row.pk, now=now)
    return True


def _tell(row: Delivery, *, by: Employee | None, waits: bool, now: datetime) -> None:
    """It has left for all, or for all but those whom the server put off; they are asked again alone (E06)."""
    if waits:
        tell("letter.deferred", row, by=by, code="recipients_refused", attempts=row.attempts)
        return
    if row.draft is not None:
        drafts.remove(row.draft, by=row.by, now=now)
    refused = row.recipients.filter(state=RecipientState.REFUSED).count()
    tell("letter.sent", row, by=by, refused=refused)
