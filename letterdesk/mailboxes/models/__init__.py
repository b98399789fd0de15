"""The tables of the store, a file each subject."""

from .blobs import BlobReference, LooseBlob
from .changes import Hold, PendingChange, Tombstone
from .conversations import Conversation, Listing, ThreadKey
from .folders import Folder, FolderRole
from .mailboxes import AccessRequest, Grant, Mailbox, MailboxState
from .marks import Action, Colour, HiddenLetter, Label, Labelled, Mark
from .messages import Attachment, Message, Placement, Quarantined
from .readers import ImageConsent, Look
from .retention import LegalHold, Receipt, RetentionRule, SweepClock
from .search import RemovedWords, SearchText
from .searches import SavedSearch

__all__ = [
    "AccessRequest",
    "Action",
    "Attachment",
    "BlobReference",
    "Colour",
    "Conversation",
    "Folder",
    "FolderRole",
    "Grant",
    "HiddenLetter",
    "Hold",
    "ImageConsent",
    "Label",
    "Labelled",
    "LegalHold",
    "Listing",
    "Look",
    "LooseBlob",
    "Mailbox",
    "MailboxState",
    "Mark",
    "Message",
    "PendingChange",
    "Placement",
    "Quarantined",
    "Receipt",
    "RemovedWords",
    "RetentionRule",
    "SavedSearch",
    "SearchText",
    "SweepClock",
    "ThreadKey",
    "Tombstone",
]
