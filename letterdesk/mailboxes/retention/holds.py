"""Why letters must stay (R4): a Hold row for each reason; what letter and list say of it is exact at any moment."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from .. import listing
from ..models import Hold, LegalHold, Message

MARKS = {"task": "held_by_task", "legal": "held_by_law"}  # of the letter, for each reason


class MessageGone(LookupError):
    """The letter was removed before it could be held."""


@transaction.atomic
def add(message: Message, *, reason: str, reference: str, now: datetime) -> Hold:
    """Hold a letter: `reason` "task" or "legal", `reference` such as "task:214". Twice is once. Raises MessageGone.

    The letter's row is written first: a removal at the same time either waits and then finds it held, or was quicker.
    """
    if not Message.objects.filter(pk=message.pk).update(is_held=True, **{MARKS[reason]: True}):
        raise MessageGone(f"message {message.pk} no longer exists")
    hold, _ = Hold.objects.get_or_create(
        message=message,
        reason=reason,
        reference=reference,
        defaults={"account_id": message.account_id, "created_at": now},
    )
    _list_again(message)
    return hold


@transaction.atomic
def release(message: Message, *, reason: str, reference: str) -> bool:
    """Take a hold away; the letter is free with the last of them. Returns whether it is free now."""
    Message.objects.select_for_update().filter(pk=message.pk).first()
    Hold.objects.filter(message=message, reason=reason, reference=reference).delete()
    settle(Message.objects.filter(pk=message.pk))
    _list_again(message)
    return not message.is_held


def settle(letters: QuerySet[Message]) -> None:
    """Write on these letters what their Hold rows say, after rows were taken away; the letters are locked."""
    letters.update(is_held=_any_hold(), **{mark: _any_hold(reason=reason) for reason, mark in MARKS.items()})


def release_all(*, account_id: int, reason: str, reference: str) -> None:
    """Take away all holds of one reference of an account."""
    held = Message.objects.filter(account=account_id, holds__reason=reason, holds__reference=reference)
    for message in held.order_by("pk"):
        release(message, reason=reason, reference=reference)


def _list_again(message: Message) -> None:
    conversation = Message.objects.filter(pk=message.pk).values_list("conversation_id", flat=True)
    listing.refresh(list(conversation))
    message.is_held = Hold.objects.filter(message=message).exists()


def tell_legal(holds: Iterable[Hold]) -> list[Hold]:
    """The same holds, legal ones told who placed them and when: one query for all of them, none where there is none."""
    holds = list(holds)
    untold = [hold for hold in holds if hold.reason == "legal" and hold.told is None]
    if untold:
        ids = {hold.reference.removeprefix("legal:") for hold in untold}
        found = LegalHold.objects.filter(public_id__in=ids, account__in={hold.account_id for hold in untold})
        told = {legal.reference: (str(legal.by or ""), legal.placed_at) for legal in found.select_related("by")}
        for hold in untold:
            hold.told = told.get(hold.reference)
    return holds


def check() -> list[str]:
    """Letters that say of themselves what their Hold rows do not; empty: all is exact."""
    said = {"is_held": _any_hold(), **{mark: _any_hold(reason=reason) for reason, mark in MARKS.items()}}
    found = []
    for mark, held in said.items():
        wrong = Message.objects.filter(Q(held, **{mark: False}) | Q(~held, **{mark: True}))
        found += [f"message {pk}: {mark} is wrong" for pk in wrong.values_list("pk", flat=True)]
    return found


def _any_hold(**which: str) -> Exists:
    return Exists(Hold.objects.filter(message=OuterRef("pk"), **which))
