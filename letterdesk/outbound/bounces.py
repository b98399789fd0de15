"""Letters of ours that came back: reports that arrive are read, and believed of our own letters alone.

A report counts if it names the Message-ID of a letter that left this mailbox (nobody can guess one; who knows it has
the letter), or comes to the address that stood in the letter's envelope (`return_path.py`), and of its recipients those
to whom that letter went. Everything else in a report is noise, or a forgery. A report about a letter of which nobody
knew whether it had left proves that it had (E02).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mail.automatic import MAIL_SYSTEMS
from letterdesk.mail.reports import STATUS_TYPES, Fate, Report, Told, read_report
from letterdesk.mailboxes.models import Attachment, Mailbox, Message

from . import resolve, trouble
from .models import Bounce, Delivery, DeliveryRecipient, Phase, RecipientState, ReportsRead, State, VerifiedSender
from .suppression import suppress
from .telling import locked, tell

AT_ONCE = 100  # letters
AWAITED = timedelta(days=30)  # reports come within days; letters older than this are forgotten
# What may still become what: reading a report twice changes nothing, and a warning never covers a failure.
FOLLOWS = {
    Bounce.DELAYED: (Bounce.NONE,),
    Bounce.SOFT: (Bounce.NONE, Bounce.DELAYED),
    Bounce.HARD: (Bounce.NONE, Bounce.DELAYED, Bounce.SOFT),
    Bounce.NONE: (Bounce.DELAYED,),
}
BOUNCES = {Fate.HARD: Bounce.HARD, Fate.SOFT: Bounce.SOFT, Fate.DELAYED: Bounce.DELAYED, Fate.DELIVERED: Bounce.NONE}


def read_reports(mailbox: Mailbox, *, now: datetime) -> bool:
    """Read the reports among the letters that came since the last time; returns whether there may be more.

    Outside any transaction: letters are read from disk. What cannot be read is no report.
    """
    read, _made = ReportsRead.objects.get_or_create(mailbox=mailbox, defaults={"account_id": mailbox.account_id})
    newest = Message.objects.filter(mailbox=mailbox).aggregate(newest=Max("pk"))["newest"] or 0
    if newest <= read.up_to:
        return False
    awaited = _left_from(mailbox).filter(created_at__gte=now - AWAITED)
    letters = list(_candidates(mailbox, read.up_to, newest)[:AT_ONCE]) if awaited.exists() else []
    for letter in letters:
        if report := _report_in(letter):
            believe(mailbox, report, now=now)
    is_all = len(letters) < AT_ONCE
    up_to = newest if is_all else letters[-1].pk
    ReportsRead.objects.filter(pk=read.pk, up_to__lt=up_to).update(up_to=up_to)
    return not is_all


def _candidates(mailbox: Mailbox, after: int, newest: int) -> QuerySet[Message]:
    """What might be a report, by its columns. Keys of a mailbox grow in the order of committing."""
    came = Message.objects.filter(mailbox=mailbox, pk__gt=after, pk__lte=newest, is_history=False)
    status = Attachment.objects.filter(message=OuterRef("pk"), content_type__in=STATUS_TYPES)
    by_sender = Q()
    for name in MAIL_SYSTEMS:
        by_sender |= Q(from_address__istartswith=name)
    found: QuerySet[Message] = came.filter(by_sender | Q(Exists(status))).order_by("pk")
    return found


def _report_in(letter: Message) -> Report | None:
    try:
        return read_report(blobs.get(letter.account_id, letter.blob))
    except (blobs.BlobMissing, blobs.BlobDamaged):
        return None


def believe(mailbox: Mailbox, report: Report, *, now: datetime) -> int:
    """Write down what a report says of letters that left this mailbox; returns of how many recipients it is news."""
    named = _left_from(mailbox).filter(message_id__in=report.message_ids[:20])
    return sum(believe_about(delivery, report, now=now) for delivery in named)


def letters_named(account_id: int, address: str, report: Report) -> list[Delivery]:
    """Of which letters a report speaks that came past Webmail, to this address: of those that left the mailbox of that
    address, or through a verified sender of the account, whose reports may be sent on to anywhere (R30).
    """
    mailboxes = Mailbox.objects.filter(account=account_id, address=address_key(address))
    senders = VerifiedSender.objects.filter(account=account_id)
    keys = {"mailbox__in": list(mailboxes.values_list("pk", flat=True))}
    keys["verified_sender__in"] = list(senders.values_list("pk", flat=True))
    ids = report.message_ids[:20]
    return [row for name, those in keys.items() for row in Delivery.objects.filter(message_id__in=ids, **{name: those})]


def believe_about(delivery: Delivery, report: Report, *, now: datetime) -> int:
    """Write down what a report says that is known to be about this letter; of how many recipients it is news."""
    if delivery.state == State.CANCELLED:
        return 0
    told = _believe(delivery, report.recipients, now)
    if told and delivery.state == State.UNKNOWN:
        resolve.proved(delivery, now=now)
    return told


def _left_from(mailbox: Mailbox) -> QuerySet[Delivery]:
    """Letters whose reports come here: the mailbox's own, and those of a verified sender with its address."""
    senders = VerifiedSender.objects.filter(account=mailbox.account_id, key=address_key(mailbox.address))
    same = list(senders.values_list("pk", flat=True))  # asked apart: each half of the condition has its index
    through = Q(mailbox=mailbox) | Q(verified_sender__in=same) if same else Q(mailbox=mailbox)
    left: QuerySet[Delivery] = Delivery.objects.filter(through, account=mailbox.account_id)
    return left


@transaction.atomic
def _believe(delivery: Delivery, told: Sequence[Told], now: datetime) -> int:
    row = locked(delivery)
    went_to = {address_key(each.address): each for each in row.recipients.all() if _has_gone(row, each)}
    about = [(went_to.get(address_key(one.original or one.address)), one) for one in told]
    news = [_note(row, recipient, one, now) for recipient, one in about if recipient is not None]
    came_back = [bounce for bounce in news if bounce in {Bounce.HARD, Bounce.SOFT}]
    if came_back:
        trouble.mark(row.pk, now=now)
        tell("letter.bounced", row, hard=came_back.count(Bounce.HARD), soft=came_back.count(Bounce.SOFT))
    reach("bounces.before_commit")
    return sum(bounce is not None for bounce in news)


def _has_gone(row: Delivery, recipient: DeliveryRecipient) -> bool:
    """Whether our server took the letter for this recipient, as far as anybody knows."""
    if row.state == State.SENDING and row.phase == Phase.DOT:
        return True
    return recipient.state in {RecipientState.ACCEPTED, RecipientState.UNKNOWN}


def _note(row: Delivery, recipient: DeliveryRecipient, one: Told, now: datetime) -> Bounce | None:
    """What is new of this recipient; None: nothing."""
    bounce = BOUNCES[one.fate]
    open_ = DeliveryRecipient.objects.filter(pk=recipient.pk, bounce__in=FOLLOWS[bounce])
    if open_.update(bounce=bounce, bounce_text=one.reason, bounced_at=now) != 1:
        return None
    if bounce == Bounce.HARD:
        suppress(row, recipient.address, reason=one.reason, now=now)
    return bounce
