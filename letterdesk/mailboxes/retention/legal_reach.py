"""Which letters a legal hold names: all of an account or a mailbox, a conversation's, an address's (F05)."""

import re

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce

from letterdesk.mail.addresses import address_key

from ..models import Hold, LegalHold, Message

REASON = "legal"
_PLAIN = re.compile(r"(?!xn--)(?!.*ss)[a-z0-9-]+")  # "ss" may be written "ß"
Scope = LegalHold.Scope


def letters_of(hold: LegalHold) -> QuerySet[Message]:
    """The letters of a hold; one that names nothing it should holds nothing (F22)."""
    letters = Message.objects.filter(account=hold.account_id)
    match hold.scope:
        case Scope.ACCOUNT:
            return letters
        case Scope.MAILBOX if hold.mailbox_id:
            return letters.filter(mailbox=hold.mailbox_id)
        case Scope.CONVERSATION if hold.conversation_id:
            theirs = Hold.objects.filter(account=hold.account_id, reason=REASON, reference=hold.reference)
            part = Exists(theirs.filter(message__conversation=OuterRef("conversation")))  # a side of a split
            return letters.filter(Q(conversation=hold.conversation_id) | part)
        case Scope.ADDRESS if hold.address:
            people: QuerySet[Message] = letters.annotate(people=Cast("recipients", TextField()))
            word = _word_of(hold.address)
            return people.filter(Q(from_address__icontains=word) | Q(people__icontains=word)) if word else people
    return letters.none()


def among(hold: LegalHold, ids: list[int]) -> QuerySet[Message]:
    """Those of these letters that a hold names."""
    if hold.scope == Scope.MAILBOX and hold.mailbox_id:
        # Found by their keys: asked for the mailbox, too, SQLite would rather walk all of it.
        whose = Message.objects.annotate(whose=Coalesce("mailbox_id", 0))
        return whose.filter(account=hold.account_id, whose=hold.mailbox_id, pk__in=ids)
    return letters_of(hold).filter(pk__in=ids)


def _word_of(address: str) -> str:
    """The longest part of an address that is stored in one way only, whatever wrote it; empty: there is none.

    Databases write and fold what is not ASCII each in their own way; so `_names` compares what this word finds.
    """
    parts = re.split(r"[@.]", address_key(address))
    return max((part for part in parts if _PLAIN.fullmatch(part)), key=len, default="")


def _names(letter: tuple[str, dict[str, list[list[str]]]], key: str) -> bool:
    """Whether a letter is from or to an address. Pure."""
    sender, recipients = letter
    people = [sender, *(person[1] for line in recipients.values() for person in line)]
    return any(address_key(address) == key for address in people)


def named(hold: LegalHold, letters: QuerySet[Message]) -> list[tuple[int, int]]:
    """Letters of `letters_of` with their conversations; of an address those that name it."""
    if hold.scope != Scope.ADDRESS:
        return list(letters.order_by("pk").values_list("pk", "conversation_id"))
    rows = letters.order_by("pk").values_list("pk", "conversation_id", "from_address", "recipients")
    key = address_key(hold.address)
    return [(pk, conversation) for pk, conversation, *people in rows.iterator() if _names((people[0], people[1]), key)]
