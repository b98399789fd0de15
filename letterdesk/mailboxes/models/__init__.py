"""The tables of the store, a file each subject."""

from .blobs import BlobReference, LooseBlob
from .changes import Hold, PendingChange, Tombstone
from .conversations import Conversation, Listing, ThreadKey
from .folders import Folder, FolderRole
from .mailboxes import Grant, Mailbox, MailboxState
from .messages import Attachment, Message, Placement, Quarantined
from .search import RemovedWords, SearchText

__all__ = [
    "Attachment",
    "BlobReference",
    "Conversation",
    "Folder",
    "FolderRole",
    "Grant",
    "Hold",
    "Listing",
    "LooseBlob",
    "Mailbox",
    "MailboxState",
    "Message",
    "PendingChange",
    "Placement",
    "Quarantined",
    "RemovedWords",
    "SearchText",
    "ThreadKey",
    "Tombstone",
]
