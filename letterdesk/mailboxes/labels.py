"""Labels of a mailbox: a name and a colour, ours alone. Whoever may act in the mailbox makes and gives them."""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record

from . import rows
from .models import Colour, Conversation, Label, Labelled, Mailbox

LONGEST_NAME = 60
MOST_LABELS = 200  # of a mailbox
MOST_CONVERSATIONS_TOLD = 50


class BadLabel(ValueError):
    """This cannot be a label; the text says why, in words for people."""


def make_label(mailbox: Mailbox, name: str, *, colour: str = "") -> Label:
    """A label of this name, the one that there is or a new one. Raises BadLabel."""
    clean, key = clean_name(name)
    there: Label | None = Label.objects.filter(mailbox=mailbox, key=key).first()
    if there is not None:
        return there
    if Label.objects.filter(mailbox=mailbox).count() >= MOST_LABELS:
        raise BadLabel(_("A mailbox has at most %(most)s labels. Delete one first.") % {"most": MOST_LABELS})
    made, _new = Label.objects.get_or_create(
        mailbox=mailbox,
        key=key,
        defaults={"account_id": mailbox.account_id, "name": clean, "colour": known_colour(colour)},
    )
    return made


def change_label(label: Label, *, name: str, colour: str) -> None:
    """Give a label another name or colour. Raises BadLabel."""
    label.name, label.key = clean_name(name)
    label.colour = known_colour(colour)
    try:
        with transaction.atomic():
            label.save(update_fields=["name", "key", "colour"])
    except IntegrityError:
        raise BadLabel(_("There is a label “%(name)s” already.") % {"name": label.name}) from None


def change(
    ids: Collection[int], label: Label, *, on: bool, by: Employee, before: list[dict[str, Any]] | None = None
) -> int:
    """Give a label to conversations of its mailbox, or take it; returns how many. Inside the caller's transaction.

    Which of them changed is added to `before`.
    """
    ours = Conversation.objects.filter(pk__in=ids, mailbox=label.mailbox_id, merged_into=None)
    wanted = dict(ours.values_list("pk", "public_id"))
    labelled = Labelled.objects.filter(label=label, conversation__in=list(wanted))
    there = set(labelled.values_list("conversation_id", flat=True))
    changed = sorted(set(wanted) - there if on else there)
    if on:
        new = [Labelled(account_id=label.account_id, label=label, conversation_id=pk) for pk in changed]
        rows.insert(new, conflict="ON CONFLICT (label_id, conversation_id) DO NOTHING")
    else:
        labelled.delete()
    if before is not None:
        before.append({"label": label.pk, "on": on, "conversations": changed})
    if changed:
        _tell(label, [wanted[pk] for pk in changed], by=by)
    return len(wanted)


def _tell(label: Label, conversations: list[str], *, by: Employee) -> None:
    record(
        "conversation.labelled",
        account=label.account,
        by=by,
        topic=label.mailbox.topic,
        subject=f"label:{label.public_id}",
        conversations=conversations[:MOST_CONVERSATIONS_TOLD],
        count=len(conversations),
    )


def clean_name(name: str) -> tuple[str, str]:
    """A name as it is kept, and as names are compared. Raises BadLabel."""
    clean = " ".join(name.replace("\0", " ").split())
    if not clean or len(clean) > LONGEST_NAME or '"' in clean:
        raise BadLabel(
            _("A label has a name of 1 to %(most)s characters, without quotation marks.") % {"most": LONGEST_NAME}
        )
    return clean, clean.casefold()[:LONGEST_NAME]


def known_colour(colour: str) -> str:
    """The colour, or grey where there is no such one."""
    return colour if colour in Colour.values else ""
