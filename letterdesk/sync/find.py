"""Finds a letter of ours on the server by its bytes: what happened to a command whose answer we never got?"""

from letterdesk.mail.imap import Connection
from letterdesk.mail.letters import Fetched, Letter
from letterdesk.mail.parse import parse_many
from letterdesk.mail.uidset import UidSet

LAST_UID = 2**32 - 1


def copy_of(connection: Connection, raw: bytes, *, since: int, without: UidSet | None = None) -> int | None:
    """The UID of a letter with these bytes at or after `since` in the selected folder; None: there is none.

    Some servers change a letter when they take it (a header line more): then the same Message-ID decides, but only
    among letters that came after `since`.
    """
    after = UidSet.of_ranges([(since, max(since, LAST_UID))])
    there = {summary.uid: summary.size for summary in connection.envelopes(after)}
    candidates = UidSet(there) - (without or UidSet())
    same_size = UidSet(uid for uid in candidates if there[uid] in {0, len(raw)})
    for batch in connection.letters(same_size):
        found = [item.uid for item in batch if isinstance(item, Fetched) and item.raw == raw]
        if found:
            return found[0]
    message_id = _message_id(raw)
    named = connection.find(message_id) & candidates if message_id and candidates else UidSet()
    return named.max() if named else None


def _message_id(raw: bytes) -> str:
    [letter] = parse_many([raw])
    return letter.message_id if isinstance(letter, Letter) else ""
