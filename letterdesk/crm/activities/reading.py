"""A letter at CRM is read from its own bytes, whatever became of the one in Webmail (R6, R8)."""

from collections.abc import Sequence
from datetime import datetime

from letterdesk.accounts.models import Account
from letterdesk.lib import blobs
from letterdesk.mail.letters import Part
from letterdesk.mail.limited import Unparsable
from letterdesk.mail.parse import parse_letter, read_part
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention.letters import shown
from letterdesk.mailboxes.retention.periods import Period, Periods, longest

from ..models import Activity, LetterCopy


def raw(activity: Activity) -> bytes:
    """The exact bytes of the activity's letter. Raises BlobMissing, BlobDamaged."""
    return blobs.get(activity.account_id, activity.blob)


def files_of(activity: Activity) -> list[Part]:
    """The files that its letter brings along, without the pictures of its text. Raises BlobMissing, BlobDamaged."""
    return [part for part in _parts(activity) if not part.inline]


def part_of(activity: Activity, index: int) -> Part | None:
    """One file or picture of its letter; None: there is none of this number. Raises BlobMissing, BlobDamaged."""
    return next((part for part in _parts(activity) if part.index == index), None)


def content_of(activity: Activity, index: int) -> bytes:
    """The decoded bytes of a file. Raises NoSuchPart, BlobMissing, BlobDamaged."""
    return read_part(raw(activity), index)


def in_webmail(activities: Sequence[Activity], account: Account, periods: Periods, *, now: datetime) -> dict[int, bool]:
    """Keys of those whose letter is still shown in a mailbox of the account, whoever may read it (R7); with whether
    it is held there beyond its period (R4).

    `periods`: those of the account at `now`.
    """
    copies = LetterCopy.objects.filter(account=account, activity__in=[each.pk for each in activities])
    places = list(copies.values_list("activity", "mailbox", "blob"))
    if not places:
        return {}
    letters = shown(Message.objects.filter(account=account, unplaced_at=None), periods.cutoff(now))
    there = letters.filter(blob__in={blob for *_, blob in places}, mailbox__in={mailbox for _, mailbox, _ in places})
    held = {(mailbox, blob): is_held for mailbox, blob, is_held in there.values_list("mailbox", "blob", "is_held")}
    found: dict[int, bool] = {}
    for activity, mailbox, blob in places:
        if (mailbox, blob) in held:
            found[activity] = found.get(activity, False) or held[mailbox, blob]
    return found


def longest_periods(activities: Sequence[Activity], periods: Periods) -> dict[int, Period]:
    """By key, the longest period of the mailboxes that have the letter of each of these; absent: the account's."""
    if not periods.own:
        return {}
    found: dict[int, Period] = {}
    copies = LetterCopy.objects.filter(activity__in=[each.pk for each in activities])
    for activity, mailbox in copies.values_list("activity", "mailbox"):
        here = longest(part.period for part in periods.parts(mailbox))
        found[activity] = longest([here, found.get(activity, here)])
    return found


def _parts(activity: Activity) -> tuple[Part, ...]:
    try:
        return parse_letter(raw(activity)).parts
    except Unparsable:  # it was read when it came; what a later parser cannot read is still kept, and downloaded whole
        return ()
