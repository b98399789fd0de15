"""Takes back what a person did: before the mail server was told, without a trace (R27); after that, by the reverse."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee

from . import labels, marks, muting
from .act import FLAGS
from .flags import change_flags
from .hide import show_again
from .models import Action, Conversation, Folder, Label, Mailbox, Placement
from .move import move, undo

KEPT = timedelta(days=30)
Reverse = Callable[[dict[str, Any], Employee, datetime], int]  # a step, by whom, when → how many conversations changed


class CannotUndo(ValueError):
    """This cannot be taken back any more; the text says why, in words for people."""


@transaction.atomic
def take_back(action: Action, *, by: Employee, now: datetime, others: Mapping[str, Reverse] | None = None) -> int:
    """Undo an action of one's own, once; returns how many letters or conversations changed.

    `others`: how a higher room takes back its steps, by the key that such a step has.

    Rights are asked anew: what lies in a mailbox in which `by` may no longer act stays as it is. Raises CannotUndo.
    """
    mine = Action.objects.filter(pk=action.pk, employee=by, undone_at=None).update(undone_at=now) == 1
    if not mine:
        raise CannotUndo(_("This was taken back already."))
    reversing = others or {}
    count = 0
    for step in reversed(action.before):
        other = next((reversing[key] for key in step if key in reversing), None)
        count += other(step, by, now) if other else _reverse(step, action, by=by, now=now)
    if not count:
        raise CannotUndo(_("Nothing of it is left to take back: the mail server was told, or letters moved on."))
    return count


def _reverse(step: dict[str, Any], action: Action, *, by: Employee, now: datetime) -> int:
    if "hidden" in step:
        return show_again(step["hidden"], to=by)
    if "marks" in step:
        return marks.put_back(_mine(step["marks"], by), by=by)
    if "muted" in step:
        return muting.put_back(step, by=by)
    if "label" in step:
        return _unlabel(step, by=by)
    if "for_good" in step:
        return _undo_waiting(step["for_good"], action, by=by, now=now)
    return _move_back(step, action, by=by, now=now) if "to" in step else _unflag(step, action, by=by, now=now)


def _mine(kept: dict[str, Any], by: Employee) -> dict[str, Any]:
    """Of these conversations, those of mailboxes in which they may still act."""
    editable = Conversation.objects.editable_by(by).filter(pk__in=[int(pk) for pk in kept])
    may = {str(pk) for pk in editable.values_list("pk", flat=True)}
    return {pk: value for pk, value in kept.items() if pk in may}


def _unlabel(step: dict[str, Any], *, by: Employee) -> int:
    label = Label.objects.editable_by(by).filter(pk=step["label"]).select_related("mailbox__account").first()
    return labels.change(step["conversations"], label, on=not step["on"], by=by) if label else 0


def _undo_waiting(mailbox_id: int, action: Action, *, by: Employee, now: datetime) -> int:
    mailbox = Mailbox.objects.editable_by(by).filter(pk=mailbox_id).first()
    return undo(mailbox, action.public_id, now=now, by=by) if mailbox else 0


def _move_back(step: dict[str, Any], action: Action, *, by: Employee, now: datetime) -> int:
    """What the server was not told is forgotten; what it was told is moved back."""
    editable = Folder.objects.editable_by(by).select_related("mailbox")
    there, source = editable.filter(pk=step["to"]).first(), editable.filter(pk=step["from"], gone_at=None).first()
    if there is None or source is None:
        return 0
    dropped = _undo_waiting(there.mailbox_id, action, by=by, now=now)
    back = Placement.objects.filter(folder=source, message__in=step["messages"]).shown().values("message")
    gone = Placement.objects.filter(folder=there, message__in=step["messages"]).shown().exclude(message__in=back)
    latest = {place.message_id: place for place in gone.order_by("pk")}  # one each: others lay there before
    if latest:
        move(latest.values(), source, by=by, now=now, undo_seconds=0)
    return dropped + len(latest)


def _unflag(step: dict[str, Any], action: Action, *, by: Employee, now: datetime) -> int:
    flag, on = FLAGS[action.kind]
    places = Placement.objects.editable_by(by).filter(message__in=step["messages"]).shown()
    add, remove = ((), (flag,)) if on else ((flag,), ())
    return change_flags(places, add=add, remove=remove, by=by, now=now)


def forget_actions(*, now: datetime) -> int:
    """Remove what was done longer ago than "Recent actions" shows."""
    return Action.objects.filter(at__lt=now - KEPT).delete()[0]
