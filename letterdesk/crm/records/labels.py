"""Labels of records: given, and so made, by whoever may change the record; renamed and deleted by administrators.

As the labels of a mailbox (`mailboxes/labels.py`), whose names and colours they share, but of the whole account.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.mailboxes.labels import BadLabel, clean_name, known_colour

from ..models import Label, Labelled, Record
from .change import lock

MOST_LABELS = 500  # of an account
MOST_OF_RECORD = 50


def labels_of(account: Account) -> list[Label]:
    """All labels of an account, by name."""
    return list(Label.objects.filter(account=account).order_by("key"))


def with_labels(records: Any) -> Any:
    """The same records with their labels, as `labelled`, in one query."""
    rows = Labelled.objects.select_related("label").order_by("label__key")
    return records.prefetch_related(Prefetch("labelled", rows))


def make_label(account: Account, name: str, *, colour: str = "") -> Label:
    """A label of this name, the one that there is or a new one. Raises BadLabel."""
    clean, key = clean_name(name)
    there: Label | None = Label.objects.filter(account=account, key=key).first()
    if there is not None:
        return there
    if Label.objects.filter(account=account).count() >= MOST_LABELS:
        raise BadLabel(_("There are %(most)s labels at most. Delete one first.") % {"most": MOST_LABELS})
    made, _new = Label.objects.get_or_create(
        account=account, key=key, defaults={"name": clean, "colour": known_colour(colour)}
    )
    return made


def change_label(label: Label, *, name: str, colour: str, by: Employee) -> None:
    """Give a label another name or colour. Raises NotAllowed, BadLabel."""
    must_administrate(by, label.account_id)
    label.name, label.key = clean_name(name)
    label.colour = known_colour(colour)
    try:
        with transaction.atomic():
            label.save(update_fields=["name", "key", "colour"])
    except IntegrityError:
        raise BadLabel(_("There is a label “%(name)s” already.") % {"name": label.name}) from None


@transaction.atomic
def delete_label(label: Label, *, by: Employee) -> None:
    """Take a label off all records and delete it. Raises NotAllowed."""
    must_administrate(by, label.account_id)
    count = Labelled.objects.filter(label=label).count()
    tell("record_label.deleted", account=by.account, by=by, subject=f"label:{label.public_id}", count=count)
    label.delete()


@transaction.atomic
def give(record: Record, names: Iterable[str], *, by: Employee) -> list[Label]:
    """Give a record the labels of these names, made where there are none; returns those that are new to it.

    Raises BadLabel, InBin.
    """
    lock(record)
    wanted = {label.pk: label for label in (make_label(by.account, name) for name in names)}
    there = set(Labelled.objects.filter(record=record).values_list("label_id", flat=True))
    new = [label for pk, label in wanted.items() if pk not in there]
    if len(there) + len(new) > MOST_OF_RECORD:
        raise BadLabel(_("A record has at most %(most)d labels.") % {"most": MOST_OF_RECORD})
    Labelled.objects.bulk_create(
        [Labelled(account_id=record.account_id, label=label, record=record) for label in new], ignore_conflicts=True
    )
    _tell(record, new, by=by, is_on=True)
    return new


@transaction.atomic
def take(record: Record, label: Label, *, by: Employee) -> bool:
    """Take a label off a record; returns whether it had it. Raises InBin."""
    lock(record)
    count, _of_kinds = Labelled.objects.filter(record=record, label=label).delete()
    _tell(record, [label] if count else [], by=by, is_on=False)
    return bool(count)


def move_labels(into: Record, other: Record) -> None:
    """The labels of both at the one that stays; the other keeps its own in the bin. In the caller's transaction."""
    there = Labelled.objects.filter(record=into).values("label")
    rows = Labelled.objects.filter(record=other).exclude(label__in=there)
    new = [Labelled(account_id=into.account_id, label_id=row.label_id, record=into) for row in rows]
    Labelled.objects.bulk_create(new, ignore_conflicts=True)


def _tell(record: Record, labels: Collection[Label], *, by: Employee, is_on: bool) -> None:
    if labels:
        names = [label.public_id for label in labels]
        tell("record.labelled", account=by.account, by=by, subject=record.reference, labels=names, on=is_on)
