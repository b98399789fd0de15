"""A letter's exact bytes, and the files in it: read from the raw bytes on demand, never stored twice."""

from letterdesk.lib import blobs
from letterdesk.mail.parse import read_part

from .models import Attachment, Message, Quarantined


class NotStored(LookupError):
    """The server never handed this letter out: there are no bytes of it here."""


def raw(letter: Message | Quarantined) -> bytes:
    """The bytes as the server sent them (B19). Raises BlobMissing or BlobDamaged, and NotStored in the quarantine."""
    if not letter.blob:
        raise NotStored(f"UID {getattr(letter, 'uid', '?')} was never handed out")
    return blobs.get(letter.account_id, letter.blob)


def open_attachment(attachment: Attachment) -> bytes:
    """The decoded content of a file. Raises NoSuchPart where the letter no longer reads as when it was stored."""
    return read_part(raw(attachment.message), attachment.index)
