"""Which letters of a mailbox it wrote itself. Its address in From proves nothing: strangers and web forms use it."""

from django.db.models import Exists, F, OuterRef, Q

from .models import FolderRole, Message, Placement


def is_ours() -> Q:
    """For letters (Message): those that lie in Sent, or come from the mailbox's address and not from outside.

    From outside is what lies in the inbox, unless its twin with the same Message-ID lies in Sent: what a list or an
    alias hands back to us.
    """
    in_sent = Placement.objects.filter(folder__role=FolderRole.SENT)
    in_inbox = Placement.objects.filter(message=OuterRef("pk"), folder__role=FolderRole.INBOX)
    twins = Message.objects.filter(
        Exists(in_sent.filter(message=OuterRef("pk"))),
        conversation=OuterRef("conversation"), message_id=OuterRef("message_id"),
    ).exclude(message_id="")  # fmt: skip
    claims = Q(from_address__iexact=F("mailbox__address"))
    return Q(Exists(in_sent.filter(message=OuterRef("pk")))) | (claims & (~Exists(in_inbox) | Exists(twins)))
