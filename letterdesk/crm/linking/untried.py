"""Letters that are left for later without a try: they are due at once, and come first the next time."""

from collections.abc import Iterable
from datetime import datetime

from letterdesk.mailboxes.models import Mailbox

from ..models import SetAside


def leave_untried(
    mailbox: Mailbox, keys: Iterable[int], *, now: datetime, is_history: bool, error: Exception | None = None
) -> None:
    """Leave the letters with these keys; what waits already stays as it was. Inside the caller's transaction.

    `is_history`: they are looked at as if they lay there before (R28). `error`: at which all before them failed.
    """
    facts = {"is_history": is_history, "error": type(error).__name__[:100] if error else "", "at": now, "due_at": now}
    rows = [SetAside(account_id=mailbox.account_id, mailbox=mailbox, letter=key, tries=0, **facts) for key in keys]
    SetAside.objects.bulk_create(rows, ignore_conflicts=True)
