"""A conversation that stays what it is until our transaction ends: nothing is said or shown in what has just merged."""

from letterdesk.mailboxes.models import Conversation, Mailbox


def lock(conversation: Conversation) -> Conversation | None:
    """The conversation as it is now, or the one that it was joined with; None: its last letter has gone.

    Inside a transaction. Merges, splits and letters of its mailbox wait until that ends, as they take the same lock.
    """
    Mailbox.objects.select_for_update(no_key=True).get(pk=conversation.mailbox_id)
    rows = Conversation.objects.select_related("mailbox__account")
    found: Conversation | None = rows.filter(pk=conversation.pk).first()
    seen: set[int] = set()
    while found is not None and found.merged_into_id is not None and found.pk not in seen:
        seen.add(found.pk)
        found = rows.filter(pk=found.merged_into_id).first()
    return found
