"""Puts letters into the store directly, for tests of reading: rows as receiving would write them."""

import hashlib
from datetime import timedelta
from itertools import count

from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import Attachment, Conversation, Folder, Message, Placement
from letterdesk.mailboxes.search import letters as search
from letterdesk.mailboxes.search.text import prepare

_uids = count(1)


def folder_of(mailbox, name="INBOX", role="inbox", **fields):
    return Folder.objects.create(
        account=mailbox.account,
        mailbox=mailbox,
        name=name,
        wire_name=name,
        delimiter="/",
        role=role,
        uidvalidity=1,
        **fields,
    )


def letter(
    folder,
    *,
    received_at,
    subject="Offer",
    body="",
    sender=("Amara Okafor", "amara@okafor.example"),
    to=(("Ines", "ines@acme.example"),),
    cc=(),
    conversation=None,
    files=(),
    size=1000,
    held=False,
    **flags,
):
    """A letter placed in a folder, listed and searchable; flags are columns of the placement."""
    mailbox = folder.mailbox
    uid = next(_uids)
    if conversation is None:
        conversation = Conversation.objects.create(account=mailbox.account, mailbox=mailbox, subject=subject)
    message = Message.objects.create(
        account=mailbox.account,
        mailbox=mailbox,
        conversation=conversation,
        size=size,
        subject=subject,
        blob=hashlib.sha256(f"{mailbox.pk} {uid}".encode()).hexdigest(),
        from_name=sender[0],
        from_address=sender[1],
        recipients={"to": [list(person) for person in to], "cc": [list(person) for person in cc]},
        received_at=received_at,
        snippet=body[:200].replace("\0", ""),
        has_attachments=bool(files),
        is_held=held,
    )
    for number, name in enumerate(files):
        Attachment.objects.create(
            account=mailbox.account,
            message=message,
            index=number,
            filename=name,
            content_type="application/pdf",
            size=10,
        )
    place(message, folder, **flags)
    search.index([search.Indexed.of(message, body=prepare(body), files=files)])
    return message


def place(message, folder, **flags):
    """One more place of a letter; the conversation and its line in the folder are counted again."""
    placement = Placement.objects.create(
        account=folder.account,
        folder=folder,
        message=message,
        conversation=message.conversation,
        uidvalidity=1,
        uid=next(_uids),
        received_at=message.received_at,
        **flags,
    )
    listing.refresh([message.conversation_id])
    return placement


def ago(now, **span):
    return now - timedelta(**span)
