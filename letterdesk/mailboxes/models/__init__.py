"""The tables of the store, a file each subject."""

from .blobs import BlobReference, LooseBlob
from .changes import Hold, PendingChange, Tombstone
from .conversations import Conversation, Listing, Status, ThreadKey
from .folders import Folder, FolderRole
from .mailboxes import AccessRequest, Grant, Mailbox, MailboxState
from .marks import Action, Colour, HiddenLetter, Label, Labelled, Mark, Muted
from .messages import Attachment, Message, Placement, Quarantined
from .readers import ImageConsent, Look
from .retention import LegalHold, Receipt, ReceiptCheck, RetentionRule, SweepClock
from .search import RemovedWords, SearchText, WordVector
from .searches import SavedSearch
from .signing_in import SignsIn
from .tallies import Tally

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
    "Muted",
    "PendingChange",
    "Placement",
    "Quarantined",
    "Receipt",
    "ReceiptCheck",
    "RemovedWords",
    "RetentionRule",
    "SavedSearch",
    "SearchText",
    "SignsIn",
    "Status",
    "SweepClock",
    "Tally",
    "ThreadKey",
    "Tombstone",
    "WordVector",
]
