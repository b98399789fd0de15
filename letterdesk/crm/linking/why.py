"""What people are told at a letter: where it stands at CRM and why, or why it is not saved. Computed when asked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox, Message

from ..models import Activity, Binding, LetterCopy, SetAside
from ..saving import saving_of
from .decide import decide
from .ground import grounds_of
from .words import WHY_NOT


@dataclass(frozen=True, slots=True)
class CrmLine:
    """A letter at CRM, for one reader: the bindings within their sight, how many others there are, or why none.

    `activity`: also where it lies in CRM's bin; None: it was not saved. `why_not` is empty where it stands somewhere.
    """

    activity: Activity | None = None
    bindings: tuple[Any, ...] = ()
    hidden: int = 0
    why_not: str = ""


def crm_lines(letters: Sequence[Message], *, employee: Employee, now: datetime) -> dict[int, CrmLine]:
    """The lines of letters of one mailbox that the employee may read, by key; a fixed number of queries."""
    if not letters:
        return {}
    mailbox = letters[0].mailbox
    there = _activities(mailbox, letters)
    ids = {activity.pk for activity in there.values() if activity.deleted_at is None}
    shown, counts = _bindings(ids, employee)
    without = [letter for letter in letters if letter.pk not in there]
    told = _why_not(mailbox, without, now=now) if without else {}
    lines = {pk: CrmLine(why_not=text) for pk, text in told.items()}
    for pk, activity in there.items():
        seen = tuple(shown.get(activity.pk, ()))
        binned = _("Not saved any more: its activity lies in CRM's bin.") if activity.deleted_at else ""
        lines[pk] = CrmLine(activity, seen, counts.get(activity.pk, 0) - len(seen), binned)
    return lines


def why_not(letter: Message, *, now: datetime) -> str:
    """Why this letter is not saved, in words; empty where it is."""
    if _activities(letter.mailbox, [letter]):
        return ""
    return _why_not(letter.mailbox, [letter], now=now)[letter.pk]


def _why_not(mailbox: Mailbox, letters: Sequence[Message], *, now: datetime) -> dict[int, str]:
    waiting = set(SetAside.objects.filter(letter__in=[each.pk for each in letters]).values_list("letter", flat=True))
    told = {pk: _("Could not be looked at yet. It is tried again by itself.") for pk in waiting}
    letters = [letter for letter in letters if letter.pk not in waiting]
    grounds = grounds_of(mailbox, letters, now=now)
    considered = saving_of(mailbox).considered
    for letter in letters:
        verdict = decide(grounds.seen(letter), grounds.around(letter))
        if verdict.why_not is not None:
            told[letter.pk] = str(WHY_NOT[verdict.why_not])
        elif letter.pk > considered:
            told[letter.pk] = _("About to be saved.")
        else:
            told[letter.pk] = _("Not saved when it came. Now it would be: link it by hand.")
    return told


def _activities(mailbox: Mailbox, letters: Sequence[Message]) -> dict[int, Activity]:
    copies = LetterCopy.objects.filter(mailbox=mailbox, blob__in=[letter.blob for letter in letters])
    by_blob = {copy.blob: copy.activity for copy in copies.select_related("activity")}
    return {letter.pk: by_blob[letter.blob] for letter in letters if letter.blob in by_blob}


def _bindings(ids: set[int], employee: Employee) -> tuple[dict[int, list[Any]], dict[int, int]]:
    """Those within sight, and how many there are in all; records in the bin are not told of."""
    of_these = Binding.objects.present().filter(activity__in=ids)
    shown: defaultdict[int, list[Any]] = defaultdict(list)
    mine = of_these.visible_to(employee).select_related("record").order_by("record__kind", "record_id")
    for binding in mine:
        shown[binding.activity_id].append(binding)
    counts: defaultdict[int, int] = defaultdict(int)
    for activity in of_these.values_list("activity_id", flat=True):
        counts[activity] += 1
    return shown, counts
