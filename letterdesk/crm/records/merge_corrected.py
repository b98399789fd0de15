"""What people corrected of two records that become one: "not at the double" says nothing of the one that stays.

What somebody said of one holds of both, but where the other stood for the contrary: a letter was taken away from one of
them because it stands at the other, an address belongs not to one because it is the other's (docs/decisions/0011).
"""

from django.db.models import Q, QuerySet

from ..models import Binding, Correction, EmailAddress, Record, Unlinked


def move_corrected(into: Record, other: Record) -> None:
    """From `other` to `into`, before addresses and letters move. What is contradicted stays at `other`, in the bin."""
    _move_taken(into, other)
    _move_said(into, other)


def _move_taken(into: Record, other: Record) -> None:
    moving = list(_taken(other).exclude(_standing_at(into)))
    _taken(into).filter(_standing_at(other)).delete()
    for each in moving:
        if not _taken(into).filter(identity=each.identity, thread=each.thread_id).exists():
            Unlinked.objects.filter(pk=each.pk).update(record=into)


def _taken(record: Record) -> QuerySet[Unlinked]:
    found: QuerySet[Unlinked] = Unlinked.objects.filter(record=record)
    return found


def _standing_at(record: Record) -> Q:
    """Letters that stand at the record, and conversations of these; the last record keeps what was taken from it."""
    taken = _taken(record).filter(thread=None).values("identity")
    standing = Binding.objects.filter(record=record).exclude(activity__identity__in=taken)
    is_letter = Q(thread=None, identity__in=standing.values("activity__identity"))
    return is_letter | Q(thread__in=standing.values("activity__thread"))


def _move_said(into: Record, other: Record) -> None:
    here, there = _belonging(into), _belonging(other)
    away = {each.pk for each in _said(other) if not each.belongs and each.key in here}
    _said(into).filter(belongs=False, key__in=there).delete()
    known = set(_said(into).values_list("key", flat=True))
    _said(other).exclude(pk__in=away).exclude(key__in=known).update(record=into)


def _said(record: Record) -> QuerySet[Correction]:
    found: QuerySet[Correction] = Correction.objects.filter(record=record)
    return found


def _belonging(record: Record) -> set[str]:
    """Addresses whose letters stand at the record: its own, and those of which somebody said so."""
    said = dict(_said(record).values_list("key", "belongs"))
    own = EmailAddress.objects.filter(record=record).values_list("key", flat=True)
    return {key for key in (*own, *said) if said.get(key, True)}
