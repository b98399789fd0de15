"""Records that look like one and the same: an address, a telephone number, or a name within a company in common.

Contacts, companies, and leads without an outcome, of one kind each; what somebody may change of them. A pair of which a
person said that they are not the same is not shown again.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import pairwise

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Lower

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell

from ..models import EmailAddress, Kind, NotTheSame, Phone, Record, Stage

MOST_GROUPS = 200  # that are looked at for each reason


class Alike(StrEnum):
    """Why two records look like one."""

    ADDRESS = "address"
    PHONE = "phone"
    NAME = "name"


Reason = tuple[Alike, Callable[[Record], str], QuerySet[Record]]  # what such a record has in common, and which have it


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that look like one, the older first, and what they have in common."""

    first: Record
    second: Record
    alike: Alike
    what: str


def pairs_of(employee: Employee, *, most: int) -> list[Pair]:
    """At most so many pairs among what the employee may change, those with a common address first."""
    seen = _seen(employee)
    found: dict[tuple[int, int], tuple[Alike, str]] = {}
    for alike, what, keys in _groups(employee.account_id, seen):
        for pair in pairwise(sorted(keys)):
            found.setdefault(pair, (alike, what))
    apart = NotTheSame.objects.filter(account=employee.account_id).values_list("first", "second")
    left = [pair for pair in found if pair not in set(apart)][:most]
    records = {each.pk: each for each in seen.filter(pk__in={key for pair in left for key in pair})}
    return [Pair(records[a], records[b], *found[a, b]) for a, b in left if a in records and b in records]


def doubles_of(record: Record, employee: Employee, *, most: int) -> list[Pair]:
    """At most so many records that look like this one, each as the second of a pair, as `pairs_of` would find them."""
    seen = _seen(employee)
    if not seen.filter(pk=record.pk).exists():
        return []
    apart = NotTheSame.objects.filter(Q(first=record) | Q(second=record)).values_list("first", "second")
    told = {key for pair in apart for key in pair}
    others = seen.filter(kind=record.kind).exclude(pk__in={record.pk, *told})
    found: dict[int, Pair] = {}
    for alike, common, rows in _like(record, others):
        for other in rows.order_by("pk")[:most]:
            found.setdefault(other.pk, Pair(record, other, alike, common(other)))
    return list(found.values())[:most]


def _like(
    record: Record, others: QuerySet[Record]
) -> Iterable[tuple[Alike, Callable[[Record], str], QuerySet[Record]]]:
    for alike, name in ((Alike.ADDRESS, "addresses"), (Alike.PHONE, "phones")):
        keys = {each.key for each in getattr(record, name).all() if each.key}
        if keys:
            same = others.filter(**{f"{name}__key__in": keys}).distinct()
            yield alike, partial(_common, name, keys), same
    if record.kind != Kind.CONTACT or record.company_id:
        named = others.filter(name_key=record.name_key, company=record.company_id)  # by its index
        yield Alike.NAME, str, named.annotate(folded=Lower("name")).filter(folded=Lower(Value(record.name)))


def _common(name: str, keys: Collection[str], other: Record) -> str:
    return next(str(each.key) for each in getattr(other, name).all() if each.key in keys)


def has_the_same_address(record: Record, employee: Employee) -> Record | None:
    """Another record of its kind that has one of its addresses, of what the employee may change."""
    keys = record.addresses.values("key")
    return _seen(employee).filter(kind=record.kind, addresses__key__in=keys).exclude(pk=record.pk).first()


def _seen(employee: Employee) -> QuerySet[Record]:
    records: QuerySet[Record] = Record.objects.editable_by(employee).present()
    open_leads = Q(kind=Kind.LEAD, stage__outcome=Stage.Outcome.OPEN)
    alike = records.filter(Q(kind__in=(Kind.CONTACT, Kind.COMPANY)) | open_leads)
    return alike.select_related("responsible", "stage").prefetch_related("addresses", "phones")


def _groups(account_id: int, seen: QuerySet[Record]) -> Iterable[tuple[Alike, str, list[int]]]:
    """What several records of one kind have in common, and their keys."""
    keys = seen.order_by().values("pk")
    for alike, model in ((Alike.ADDRESS, EmailAddress), (Alike.PHONE, Phone)):
        rows = model.objects.filter(account=account_id, record__in=keys).exclude(key="")
        groups = rows.values("key", "record__kind").annotate(number=Count("record", distinct=True)).filter(number__gt=1)
        for key, kind in groups.order_by("key").values_list("key", "record__kind")[:MOST_GROUPS]:
            same = rows.filter(key=key, record__kind=kind).values_list("record", flat=True).distinct()
            yield alike, key, list(same[:MOST_GROUPS])
    named = Record.objects.filter(pk__in=keys).annotate(folded=Lower("name"))
    of_one = named.exclude(kind=Kind.CONTACT, company=None)  # two people may have one name
    names = of_one.values("folded", "kind", "company").annotate(number=Count("pk")).filter(number__gt=1)
    for folded, kind, company in names.order_by("folded").values_list("folded", "kind", "company")[:MOST_GROUPS]:
        same = named.filter(folded=folded, kind=kind, company=company)
        yield Alike.NAME, same.values_list("name", flat=True)[0], list(same.values_list("pk", flat=True)[:MOST_GROUPS])


@transaction.atomic
def tell_apart(one: Record, other: Record, *, by: Employee, now: datetime) -> None:
    """These two are not the same: they are shown as a pair no more. Raises ValueError for another account's (F10)."""
    if one.account_id != by.account_id or other.account_id != by.account_id or one.pk == other.pk:
        raise ValueError(f"records {one.pk} and {other.pk} are no two of account {by.account_id}")
    first, second = sorted((one, other), key=lambda record: record.pk)
    _row, is_new = NotTheSame.objects.get_or_create(
        first=first, second=second, defaults={"account_id": by.account_id, "by": by, "at": now}
    )
    if is_new:
        tell("record.told_apart", account=by.account, by=by, subject=first.reference, other=second.public_id)
