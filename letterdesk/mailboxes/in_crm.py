"""Letters of which CRM keeps a copy say so (`in_crm`): the higher room writes it, the store asks for no more."""

from collections.abc import Collection

from . import rows
from .models import Mailbox

AT_ONCE = 500


def lock_mailboxes(mailbox_ids: Collection[int]) -> None:
    """Hold mailboxes as the sync and the sweep do, so that none of their letters goes until the commit."""
    list(
        Mailbox.objects.select_for_update(no_key=True).filter(pk__in=set(mailbox_ids)).order_by("pk").values_list("pk")
    )


def mark(account_id: int, message_ids: Collection[int]) -> None:
    """CRM has a copy of these letters. Their mailboxes are locked."""
    wanted = sorted(set(message_ids))
    for start in range(0, len(wanted), AT_ONCE):
        rows.run(
            "UPDATE mailboxes_message SET in_crm = TRUE WHERE account_id = %s AND id IN %s AND NOT in_crm",
            [account_id, wanted[start : start + AT_ONCE]],
        )


def clear(account_id: int, copies: Collection[tuple[int, str]]) -> None:
    """CRM has no copy any more of the letters with these mailboxes and hashes; R9 speaks of them alone again."""
    lock_mailboxes([mailbox_id for mailbox_id, _ in copies])
    by_mailbox: dict[int, list[str]] = {}
    for mailbox_id, blob in copies:
        by_mailbox.setdefault(mailbox_id, []).append(blob)
    for mailbox_id, blobs in sorted(by_mailbox.items()):
        rows.run(
            "UPDATE mailboxes_message SET in_crm = FALSE WHERE account_id = %s AND mailbox_id = %s AND blob IN %s",
            [account_id, mailbox_id, sorted(blobs)],
        )
