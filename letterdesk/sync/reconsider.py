"""Letters that were left out are judged anew when their mailbox is resumed: tombstones may have ended (R10, R13)."""

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Mailbox, MailboxState

from .claims import ask_for_pass
from .models import FolderCursor
from .state import keep_left_out


def after_resume(event: Event) -> None:
    """A reaction to `mailbox.resumed`: the next pass looks again at everything that was left out, as R21 has it."""
    public_id = event.topic.removeprefix("mailbox:")
    for mailbox in Mailbox.objects.filter(account=event.account_id, public_id=public_id):
        ask_for_pass(mailbox)  # first: the sync, too, locks the lease before the cursors
        judge_again(mailbox)
        if event.facts.get("was") == MailboxState.SUSPENDED:
            take_as_history(mailbox)


def judge_again(mailbox: Mailbox) -> None:
    """Forget why letters were left out, and let the depth count from the next pass on."""
    for cursor in FolderCursor.objects.filter(folder__mailbox=mailbox).exclude(depth=-1):
        cursor.depth, cursor.settled = -1, {}
        keep_left_out(cursor, {})
        cursor.save(update_fields=["depth", "settled", "left_out"])


def take_as_history(mailbox: Mailbox) -> None:
    """The next look at each folder is a first look: what came while the plan had suspended it acts on nothing (R13).

    Flags are compared whole then, as nobody followed their changes.
    """
    cursors = FolderCursor.objects.filter(folder__mailbox=mailbox)
    cursors.update(history_end=0, flags_checked_at=None, settled={})
