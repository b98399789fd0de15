"""Where reports about a letter of a verified sender come: an address of the letter's own, at this installation (VERP).

It stands in the envelope alone, and names the letter, signed: so a report that reaches the inbound port is known to be
about it, whatever the report itself says. Whose server lets no letters out under a foreign address gets them with the
sender's own; once it has refused for good, always (decision 0022).
"""

import base64
import re

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from letterdesk.events.record import record
from letterdesk.mail.submit import Attempt

from .models import Delivery, VerifiedSender

PREFIX = "bounces+"
NAMED = 16  # characters of a letter's public id
SIGNED = 24  # characters of the signature: 120 bits
# RFC 3463 3.2 and 3.8, and what servers say in words: it is the sender's address that they do not take.
_OF_SENDER = re.compile(
    r"\b[45]\.1\.[78]\b|\b5\.7\.60\b|sender|send ?as|mail from|return.?path|reverse.?path|envelope.?from|not owned by",
    re.IGNORECASE,
)
_POLICY = re.compile(r"\b5\.7\.[0-9]{1,3}\b")
TOO_LARGE = 552  # RFC 1870 6.1


def return_path(row: Delivery) -> str:
    """The sender of the envelope: of a verified sender whose reports come here, the letter's own address."""
    sender = row.verified_sender
    if sender is None or not sender.returns_here or not settings.INBOUND.is_on:
        return row.sender
    return f"{PREFIX}{row.public_id}{_signature(row.public_id)}@{settings.INBOUND.domain}"


def delivery_at(local: str) -> Delivery | None:
    """The letter whose address this is, as long as it is known here; not of a closed account."""
    said = local.removeprefix(PREFIX)
    public_id, signature = said[:NAMED], said[NAMED:]
    if said == local or len(signature) != SIGNED or not said.isascii():
        return None
    if not constant_time_compare(signature, _signature(public_id)):
        return None
    here = Delivery.objects.filter(public_id=public_id, account__closed_at=None, verified_sender__isnull=False)
    return here.first()


def is_refused(attempt: Attempt) -> bool:
    """Whether a server did not take the letter, for anybody, because of the envelope's sender, as far as it says."""
    if attempt.error is not None or attempt.given_up or not 400 <= attempt.last.code < 600:
        return False
    text, is_envelope = attempt.last.text, attempt.phase == "envelope"
    if is_envelope and any(each.is_yes for each in attempt.recipients.values()):
        return False
    if is_envelope and not attempt.recipients and 500 <= attempt.last.code != TOO_LARGE:  # the answer to MAIL
        return True
    return bool(_OF_SENDER.search(text) or (attempt.phase != "answered" and _POLICY.search(text)))


@transaction.atomic
def keep_away(sender: VerifiedSender) -> None:
    """Its server has refused for good: from now on its letters leave under its own address alone."""
    if VerifiedSender.objects.filter(pk=sender.pk, returns_here=True).update(returns_here=False):
        record("sender.changed", account=sender.account, subject=sender.reference, what="reports refused")


def _signature(public_id: str) -> str:
    digest = salted_hmac("letterdesk.outbound.return_path", public_id, algorithm="sha256").digest()
    return base64.b32encode(digest).decode().lower()[:SIGNED]
