"""Copies of a letter that was written in CRM are that letter, whatever a provider or its counted links made of them.

Its own bytes travel with other links (decision 0036), and Exchange writes a letter's plain text anew: the words by
which `identity.py` knows a letter may differ then. What stands where it was written, under its Message-ID, is it.
"""

from collections.abc import Mapping

from ..models import Activity, Binding, Reason


def written_there(account_id: int, records: Mapping[str, int | None]) -> dict[str, Activity]:
    """By Message-ID, the activity of the letter that was written under it at this record; in one query.

    Of copies in Sent alone, and of letters on their way: elsewhere a Message-ID may be forged.
    """
    wanted = {record for record in records.values() if record is not None}
    if not wanted:
        return {}
    standing = Binding.objects.filter(account=account_id, record__in=wanted, reason=Reason.WRITTEN)
    found = standing.filter(activity__message_id__in=list(records)).select_related("activity").order_by("-activity")
    return {
        each.activity.message_id: each.activity for each in found if records[each.activity.message_id] == each.record_id
    }
