"""After a mailbox was resumed its folders are looked at anew: what was left out, and what acts on nothing (R10, R13).

Whether that is due is read from the mailbox, where the resuming transaction wrote it: no pass comes too early for it,
and a pass of before is refused (`fence.py`). The reaction to the event only hurries the next pass.
"""

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Mailbox

from .claims import ask_for_pass
from .models import FolderCursor
from .state import keep_left_out


def after_resume(event: Event) -> None:
    """A reaction to `mailbox.resumed`: the next pass need not be waited for."""
    public_id = event.topic.removeprefix("mailbox:")
    for mailbox in Mailbox.objects.filter(account=event.account_id, public_id=public_id):
        ask_for_pass(mailbox)


def judge_anew(cursor: FolderCursor, mailbox: Mailbox) -> bool:
    """Forget why letters were left out where the mailbox was resumed since; the depth counts from now on (R21).

    After a suspension the look is a first look, too: what came meanwhile acts on nothing, and flags are compared
    whole, as nobody followed their changes (R13). Returns whether anything changed; nothing is saved.
    """
    if cursor.times_resumed == mailbox.times_resumed:
        return False
    cursor.depth, cursor.settled = -1, {}
    keep_left_out(cursor, {})
    if cursor.times_resumed < mailbox.history_from:
        cursor.history_end, cursor.flags_checked_at = 0, None
    cursor.times_resumed = mailbox.times_resumed
    return True
