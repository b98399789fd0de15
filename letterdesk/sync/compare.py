"""Does the server still mean the same letters by the UIDs that we know? (A05, RFC 9051 2.3.1.1 says it must.)"""

import random
from typing import TYPE_CHECKING

from letterdesk.lib import blobs
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Placement

if TYPE_CHECKING:
    from .visit import Visit

SIZES = 20  # letters whose size is compared
BYTES = 2  # letters whose bytes are compared, and at most so many more whose size is another


def means_the_same(visit: "Visit", uids: UidSet) -> bool:
    """Compare a few letters of the selected folder, chosen by chance. A wrong size alone proves nothing."""
    placed = Placement.objects.filter(
        folder=visit.folder, uidvalidity=visit.cursor.uidvalidity or 0, uid__in=some(uids, SIZES), hidden_at=None
    )
    ours = {uid: (size, blob) for uid, size, blob in placed.values_list("uid", "message__size", "message__blob")}
    if not ours:
        return True
    connection = visit.work.connection
    odd = [each.uid for each in connection.envelopes(UidSet(ours)) if ours[each.uid][0] != each.size]
    checked = UidSet([*odd[:BYTES], *list(ours)[:BYTES]])
    for batch in connection.letters(checked):
        for item in batch:
            if isinstance(item, Fetched) and blobs.hash_of(item.raw) != ours[item.uid][1]:
                return False
    return True


def some(uids: UidSet, most: int) -> list[int]:
    """At most so many of these, chosen by chance."""
    numbers = list(uids)
    return random.sample(numbers, min(most, len(numbers)))
