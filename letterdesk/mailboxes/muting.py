"""Somebody wants to hear nothing of a conversation. It concerns them alone: others, and lists, are as before."""

from collections.abc import Collection
from typing import Any

from letterdesk.accounts.models import Employee

from .models import Conversation, Muted

KINDS = ("mute", "unmute")


def mute(ids: Collection[int], *, on: bool, by: Employee, before: list[dict[str, Any]] | None = None) -> int:
    """Mute these conversations for `by`, or no longer; those that changed are added to `before`. Returns how many
    there are. Inside the caller's transaction.
    """
    found = dict(Conversation.objects.filter(pk__in=ids, merged_into=None).values_list("pk", "account"))
    mine = Muted.objects.filter(employee=by, conversation__in=found)
    muted = set(mine.values_list("conversation", flat=True))
    if on:
        new = [Muted(account_id=found[pk], employee=by, conversation_id=pk) for pk in sorted({*found} - muted)]
        Muted.objects.bulk_create(new, ignore_conflicts=True)
    else:
        mine.delete()
    if before is not None:
        before.append({"muted": sorted({*found} - muted if on else muted), "on": on})
    return len(found)


def put_back(step: dict[str, Any], *, by: Employee) -> int:
    """Undo of a step of `mute`; returns how many conversations it was."""
    visible = Conversation.objects.visible_to(by).filter(pk__in=step["muted"])
    return mute(list(visible.values_list("pk", flat=True)), on=not step["on"], by=by)


def muted_among(conversations: Collection[int]) -> set[tuple[int, int]]:
    """Which of these conversations are muted by whom: keys of both."""
    rows = Muted.objects.filter(conversation__in=conversations)
    return set(rows.values_list("conversation_id", "employee_id"))
