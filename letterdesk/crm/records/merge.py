"""Two records that are one become one: everything that is bound to either stands at the one that stays.

The other goes into CRM's bin as it was, with its fields and addresses, for 30 days: nothing that somebody wrote is lost
by a mistake. What was bound to it stays where it went. Tasks follow by `record.merged` (`tasks/follow_merge.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.retention.receipts import lock as lock_account

from ..models import Binding, Label, Note, OwnField, Record
from ..own.said import Said, Shown, in_words, reference
from ..own.values import all_said_at, own_fields_of, write_own
from ..search.index import index_notes
from .change import lock
from .fields import MOST_ADDRESSES, BadRecord, Fields, checked, fields_of, put, write_reach
from .labels import MOST_OF_RECORD, move_labels
from .merge_corrected import move_corrected

CHOSEN = ("name", "position", "company", "contact", "stage", "amount", "responsible", "came_from")


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which two records differ, and what each says."""

    name: str  # of an own field its `reference`
    mine: object
    other: object
    label: str = ""  # of an own field


@dataclass(frozen=True, slots=True)
class Preview:
    """What merging does: fields to choose from, what both have together, and how much follows."""

    choices: list[Choice]
    together: Fields
    own: list[Shown]  # own fields that are empty in one
    labels: list[str]
    letters: int
    notes: int
    records: int


def preview(into: Record, other: Record) -> Preview:
    """What becomes of the two. Raises BadRecord where they cannot be one."""
    _must_fit(into, other)
    mine, theirs = fields_of(into), fields_of(other)
    choices = [
        Choice(name, here, there)
        for name in CHOSEN
        if (here := _says(mine, name)) and (there := _says(theirs, name)) and here != there
    ]
    both = _own_of_both(into, other)
    return Preview(
        choices=choices
        + [
            Choice(reference(field), in_words(field, mine), in_words(field, theirs), field.name)
            for field, mine, theirs in both
            if mine and not field.is_retired
        ],
        together=_together(mine, theirs, ()),
        own=[Shown(field, theirs) for field, mine, theirs in both if not mine and not field.is_retired],
        labels=list(_labels_of_both(into, other)),
        letters=Binding.objects.present().filter(record=other.pk).count(),
        notes=Note.objects.present().filter(record=other.pk).count(),
        records=other.of_company.filter(deleted_at=None).count() + other.of_contact.filter(deleted_at=None).count(),
    )


def _labels_of_both(into: Record, other: Record) -> QuerySet[Label, str]:
    found = Label.objects.filter(labelled__record__in=(into.pk, other.pk)).distinct().order_by("key")
    return found.values_list("name", flat=True)


def _own_of_both(into: Record, other: Record) -> list[tuple[OwnField, Said, Said]]:
    """The own fields in which the other says something, and something else."""
    mine, theirs = all_said_at(into), all_said_at(other)
    fields = own_fields_of(into.account, into.kind, with_retired=True) if theirs else []
    both = [(field, mine.get(field.pk, Said()), theirs.get(field.pk, Said())) for field in fields]
    return [(field, here, there) for field, here, there in both if there and there != here]


@transaction.atomic
def merge(into: Record, other: Record, *, by: Employee, now: datetime, take: Collection[str] = ()) -> Record:
    """Make one of two; `take` names fields in which `other` is right. Returns the one that stays.

    The caller has found both among what `by` may change. Raises BadRecord, InBin.
    """
    lock_account(into.account_id)
    for record in sorted((into, other), key=lambda each: each.pk):
        lock(record)
    into.refresh_from_db()
    other.refresh_from_db()
    _must_fit(into, other)
    move_corrected(into, other)
    changed = _write(into, _together(fields_of(into), fields_of(other), take), by)
    both = _own_of_both(into, other)
    won = {field: there for field, here, there in both if not here or reference(field) in take}
    changed += write_own(into, won)
    letters = _move_letters(into, other)
    _move_relations(into, other)
    Record.objects.filter(pk=other.pk).update(deleted_at=now, deleted_by=by, merged_into=into)
    tell(
        "record.merged",
        account=into.account,
        by=by,
        subject=into.reference,
        other=other.public_id,
        letters=letters,
        changed=changed,
    )
    reach("record_merge.before_commit")
    return into


def _must_fit(into: Record, other: Record) -> None:
    if into.account_id != other.account_id:  # F10
        raise ValueError(f"record {other.pk} is of another account than {into.pk}")
    if into.pk == other.pk or into.kind != other.kind:
        raise BadRecord(_("Only two records of the same kind can be one."))
    both = {address_key(email) for record in (into, other) for email in fields_of(record).addresses}
    if len(both) > MOST_ADDRESSES:
        raise BadRecord(_("Together they have more than %(most)d addresses.") % {"most": MOST_ADDRESSES})
    if _labels_of_both(into, other).count() > MOST_OF_RECORD:
        raise BadRecord(
            _("Together they have more than %(most)d labels. Take some off first.") % {"most": MOST_OF_RECORD}
        )


def _together(mine: Fields, other: Fields, take: Collection[str]) -> Fields:
    """What is empty in one is the other's; addresses, telephones and notes are those of both."""
    won = {
        name: getattr(other, name) for name in CHOSEN if _says(other, name) and (name in take or not _says(mine, name))
    }
    if "amount" in won:
        won["currency"] = other.currency
    notes = list(dict.fromkeys(note for note in (mine.note, other.note) if note))
    emails = {address_key(email): email for email in reversed((*mine.addresses, *other.addresses))}
    order = dict.fromkeys(address_key(email) for email in (*mine.addresses, *other.addresses))
    return replace(
        mine,
        **won,
        note="\n\n".join(notes),
        addresses=tuple(emails[key] for key in order),
        phones=tuple(dict.fromkeys((*mine.phones, *other.phones))),
    )


def _says(fields: Fields, name: str) -> object:
    """What a field says, empty where it says nothing: an amount with its currency, also one of 0."""
    if name == "amount":
        return "" if fields.amount is None else f"{fields.amount} {fields.currency}".rstrip()
    return getattr(fields, name)


def _write(into: Record, fields: Fields, by: Employee) -> list[str]:
    wanted = checked(into.kind, fields, by=by)
    own = [name for name in (*CHOSEN, "currency", "note") if getattr(into, name) != getattr(wanted, name)]
    put(into, wanted, own)
    return own + write_reach(into, wanted)


def _move_letters(into: Record, other: Record) -> int:
    """Where a letter stands at both, the reason at the one that stays is kept. Returns how many are new there."""
    there = Binding.objects.filter(record=into).values("activity")
    moved: int = Binding.objects.filter(record=other).exclude(activity__in=there).update(record=into)
    Binding.objects.filter(record=other).delete()
    newest = max(into.active_at, other.active_at)
    Record.objects.filter(pk=into.pk).update(active_at=newest)
    return moved


def _move_relations(into: Record, other: Record) -> None:
    """Notes and calls, labels, whose company or contact it is."""
    notes = list(Note.objects.select_for_update().filter(record=other))
    Note.objects.filter(record=other).update(record=into)
    index_notes(list(Note.objects.filter(pk__in=[each.pk for each in notes])))
    move_labels(into, other)
    Record.objects.filter(company=other).exclude(pk=into.pk).update(company=into)
    Record.objects.filter(contact=other).update(contact=into)
