"""Which letters are too old to be fetched, to the second, without fetching them (R10, R21).

IMAP's SINCE knows days only, in a time zone of the server's own. So it sorts out what is certain, and INTERNALDATE
of the letters around the border decides the rest. Letters that a task holds are matched again whatever their age.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef

from letterdesk.mail.imap import Connection, Summary
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, Message, Placement

FEW = 200  # so many letters are asked for one by one


def too_old(
    connection: Connection, uids: UidSet, cutoff: datetime, *, told: Mapping[int, Summary], folder: Folder
) -> UidSet:
    """Those of `uids` that were received at or before `cutoff`, in the selected folder. `told`: known already."""
    unsure, surely = uids, UidSet()
    if len(uids) > FEW and len(told) < len(uids):
        day = cutoff.date()
        recent = connection.uids(since=day - timedelta(days=1))
        certain = connection.uids(since=day + timedelta(days=2))
        surely, unsure = uids - recent, (uids & recent) - certain
    dates = {uid: told[uid].internal_date for uid in unsure if uid in told}
    if missing := unsure - UidSet(dates):
        dates |= {summary.uid: summary.internal_date for summary in connection.envelopes(missing)}
    old = surely | UidSet(uid for uid, date in dates.items() if uid in unsure and date <= cutoff)  # R19, R21
    return old - _held(connection, folder) if old else old


def _held(connection: Connection, folder: Folder) -> UidSet:
    """UIDs that may be letters which a task holds and which lie nowhere on the server as far as we know (R4, R10)."""
    placed = Placement.objects.filter(message=OuterRef("pk"), uid__gt=0, hidden_at=None)
    placed = placed.filter(uidvalidity=F("folder__uidvalidity"))
    lost = Message.objects.filter(~Exists(placed), mailbox=folder.mailbox_id, is_held=True).exclude(message_id="")
    found = UidSet()
    for message_id in lost.values_list("message_id", flat=True)[:500]:
        found |= connection.find(message_id)
    return found
