"""Finds records and letters in CRM as the search field finds letters in Webmail: the same language on both databases.

By right alone (P9): a record is found by its own words, its notes and labels, and by the names of its company and
contact, as far as the reader may see these. Letters are those that stand at a record within sight (R8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.hide import without_hidden
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.own_times import periods_of
from letterdesk.mailboxes.periods import Kept
from letterdesk.mailboxes.retention import shown
from letterdesk.mailboxes.search_filters import IN_CRM, in_webmail, names_folder
from letterdesk.mailboxes.search_find import is_text
from letterdesk.mailboxes.search_index import full_text
from letterdesk.mailboxes.search_marks import Highlighter, Marked
from letterdesk.mailboxes.search_query import And, Condition, Node, Not, Or, Text, positive_texts
from letterdesk.mailboxes.search_text import prepare, words
from letterdesk.mailboxes.search_text import shown as as_shown

from .models import Activity, Binding, FoundText, Kind, Label, Labelled, LetterCopy, Record
from .search_index import scope_of_letters, scope_of_records
from .timeline import with_bindings

TABLE = "crm_foundtext"
RECORD_KEY, LETTER_KEY = "(-{position}) >> 31", "{position} & 2147483647"
READ_FOR_EXCERPT = 20_000  # characters of a text
MOST_TEXTS = 500  # texts of one page that are looked through for their words
FIRST_CHUNK, LONGEST_CHUNK = 200, 6_400  # letters taken from the index at once
MOST_LOOKED_AT = 50_000  # of them in one search


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record that was found, with its words marked in its name and in a text of it or of its notes."""

    record: Record
    name: Marked
    excerpt: Marked


@dataclass(frozen=True, slots=True)
class FoundLetter:
    """A letter in CRM that was found, with its words marked; `activity.shown_bindings` says where it stands."""

    activity: Any
    subject: Marked
    sender: Marked
    excerpt: Marked


class NotOfCrm(Exception):
    """The query asks for something that records, or letters in CRM, do not have."""


def find_records(employee: Employee, tree: Node | None, *, most: int) -> list[FoundRecord]:
    """Records that fit, what was active last first. `tree`: as `parse_query` made it. At most five queries."""
    found = list(records_that_fit(employee, tree)[:most]) if tree is not None else []
    texts = _texts_of(found, tree) if found and tree is not None else {}
    marker = Highlighter(tree)
    return [
        FoundRecord(each, marker.mark(each.name, "sender"), marker.excerpt(as_shown(texts.get(each.pk, "")), "body"))
        for each in found
    ]


def names_by_words(employee: Employee, typed: str, *, most: int) -> list[Record]:
    """Records that have words beginning so, without what belongs to them: for a list that is typed into."""
    texts = tuple(Text(word, is_prefix=True) for word in words(prepare(typed))[:10])
    return list(records_that_fit(employee, And(texts))[:most]) if texts else []


def records_that_fit(employee: Employee, tree: Node) -> QuerySet[Any]:
    """Records that fit, in the same order, with stage; none where the query asks for what they do not have."""
    found: QuerySet[Any] = Record.objects.visible_to(employee).present()
    try:
        found = found.filter(_Records(employee).fits(tree))
    except NotOfCrm:
        return Record.objects.none()
    return found.select_related("stage").prefetch_related("addresses").order_by("-active_at", "-pk")


def find_letters(
    employee: Employee, tree: Node | None, *, now: datetime, most: int, without_mail: bool, period: Kept | None = None
) -> list[FoundLetter]:
    """Letters in CRM that fit, newest first. `without_mail`: not those that the reader finds in Webmail anyway (R7)."""
    if tree is None:
        return []
    try:
        found = _letters(employee, tree)
    except NotOfCrm:
        return []
    mail = _mail_of(employee, tree, now, period or periods_of(employee.account, now))
    kept: list[Any] = []
    for chunk in found:
        there = _that_lie_in(mail, chunk) if without_mail else set()
        kept += [each for each in chunk if each.pk not in there]
        if len(kept) >= most:
            break
    return _marked(with_bindings(kept[:most], employee), tree)


def letters_at(employee: Employee, kind: str, text: Text) -> Q:
    """Letters in Webmail that stand at records of this kind that have these words: `contact:`, `deal:` and so on."""
    records = records_that_fit(employee, Condition(kind, text)).order_by().values("pk")
    there = LetterCopy.objects.filter(activity__deleted_at=None, activity__bindings__record__in=records)
    return Q(blob__in=there.values("blob"), in_crm=True)  # the same bytes are the same letter, in whatever mailbox


class _Records:
    """What a query means for records, for one reader."""

    def __init__(self, employee: Employee) -> None:
        self.employee = employee
        self.scope = [scope_of_records(employee.account_id)]
        self.labels: list[tuple[int, str]] | None = None

    def fits(self, node: Node) -> Q:
        match node:
            case Text(_, "") | Text(_, "sender"):
                return Q(pk__in=self._with(node)) if node.field else self._anywhere(node)
            case Condition("label", str(name)):
                key = " ".join(name.split()).casefold()
                return Q(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__key=key)))
            case Condition("in", str(place)) if place.lower() == IN_CRM:
                return Q(account=self.employee.account_id)
            case Condition(kind, Text() as text) if kind in Kind.values:
                return Q(kind=kind) & self.fits(text)
            case Not(part):
                return ~self.fits(part)
            case And(parts) | Or(parts):
                return reduce(and_ if isinstance(node, And) else or_, map(self.fits, parts))
        raise NotOfCrm

    def _anywhere(self, text: Text) -> Q:
        """In the record and its notes, or as a label, or in the name of its company or contact."""
        seen = Record.objects.visible_to(self.employee).present()
        named = seen.filter(pk__in=self._with(Text(text.text, "subject", is_prefix=text.is_prefix)))
        mine = Record.objects.filter(account=self.employee.account_id)
        ways = [mine.filter(company__in=named.values("pk")), mine.filter(contact__in=named.values("pk"))]
        if labels := self._labels(text):
            ways.append(mine.filter(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__in=labels))))
        found = Q(pk__in=self._with(text))
        return reduce(or_, (Q(pk__in=way.values("pk")) for way in ways), found)

    def _with(self, text: Text) -> Any:
        return full_text.keys(full_text.within(text, self.scope), table=TABLE, key=RECORD_KEY)

    def _labels(self, text: Text) -> list[int]:
        """Labels of the account that have these words; they are read once."""
        if self.labels is None:
            known = Label.objects.visible_to(self.employee).values_list("pk", "name")
            self.labels = [(key, f" {' '.join(words(prepare(name)))} ") for key, name in known]
        wanted = f" {' '.join(words(prepare(text.text)))} "
        return [key for key, name in self.labels if (wanted.rstrip() if text.is_prefix else wanted) in name]


def _letters(employee: Employee, tree: Node) -> Any:
    """Chunks of letters that fit, newest first. Raises NotOfCrm."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    texts = tuple(part for part in parts if is_text(part))
    scope = [scope_of_letters(employee.account_id)]
    found: QuerySet[Any] = Activity.objects.visible_to(employee).present()
    for part in parts:
        if part not in texts:
            found = found.filter(_letter(part, employee, scope))
    if not texts:
        return _by_date(found)
    return _by_index(full_text.within(And(texts) if len(texts) > 1 else texts[0], scope), found)


def _by_index(expression: str, found: QuerySet[Any]) -> Any:
    below, chunk, looked_at = None, FIRST_CHUNK, 0
    while looked_at < MOST_LOOKED_AT:
        candidates = full_text.newest(expression, below=below, limit=chunk, table=TABLE)
        rows = found.in_bulk([key for _position, key in candidates])
        yield [rows[key] for _position, key in candidates if key in rows]
        if len(candidates) < chunk:
            return
        below, looked_at, chunk = candidates[-1][0], looked_at + chunk, min(chunk * 4, LONGEST_CHUNK)


def _by_date(found: QuerySet[Any]) -> Any:
    start, chunk = 0, FIRST_CHUNK
    while start < MOST_LOOKED_AT:
        taken = list(found.order_by("-received_at", "-pk")[start : start + chunk])
        yield taken
        if len(taken) < chunk:
            return
        start, chunk = start + chunk, min(chunk * 4, LONGEST_CHUNK)


def _letter(node: Node, employee: Employee, scope: Sequence[str]) -> Q:
    """The condition on activities that a part of a query stands for. Raises NotOfCrm."""
    if is_text(node):
        return Q(pk__in=full_text.keys(full_text.within(node, scope), table=TABLE, key=LETTER_KEY))
    match node:
        case Condition(kind, Text()) if kind in Kind.values:
            records = records_that_fit(employee, node).order_by().values("pk")
            return Q(pk__in=Binding.objects.filter(record__in=records).values("activity"))
        case Condition(name, value):
            return _measured(name, value)
        case Not(part):
            return ~_letter(part, employee, scope)
        case And(parts) | Or(parts):
            return reduce(and_ if isinstance(node, And) else or_, (_letter(part, employee, scope) for part in parts))
    raise NotOfCrm


def _measured(name: str, value: Any) -> Q:
    """An operator that is not text. Raises NotOfCrm."""
    if name == "in" and value.lower() == IN_CRM:
        return Q(deleted_at=None)
    if (name, value) == ("has", "attachment"):
        return Q(has_attachments=True)
    since, until = "received_at__gte", "received_at__lt"
    columns = {"larger": "size__gt", "smaller": "size__lt", "after": since, "newer_than": since, "before": until,
               "older_than": until}  # fmt: skip
    if name not in columns:
        raise NotOfCrm
    return Q(**{columns[name]: value})


def _mail_of(employee: Employee, tree: Node, now: datetime, period: Kept) -> QuerySet[Any]:
    """The letters among which this query looks in the reader's Webmail at `now` (R20, R27)."""
    placed = Message.objects.visible_to(employee).filter(in_webmail(also_aside=names_folder(tree)))
    return without_hidden(shown(placed, period.cutoff(now)), employee, message="pk")


def _that_lie_in(mail: QuerySet[Any], activities: Sequence[Any]) -> set[int]:
    """Keys of those whose letter is one of these."""
    copies = LetterCopy.objects.filter(activity__in=[each.pk for each in activities])
    pairs = list(copies.values_list("activity", "mailbox", "blob"))
    if not pairs:
        return set()
    found = mail.filter(blob__in={blob for *_rest, blob in pairs})
    there = set(found.values_list("mailbox", "blob"))
    return {activity for activity, mailbox, blob in pairs if (mailbox, blob) in there}


def _marked(activities: Sequence[Any], tree: Node) -> list[FoundLetter]:
    rows = FoundText.objects.filter(activity__in=[each.pk for each in activities])
    texts = dict(rows.values_list("activity", Substr("body", 1, READ_FOR_EXCERPT))) if activities else {}
    marker = Highlighter(tree)
    return [
        FoundLetter(
            each,
            marker.mark(each.subject, "subject"),
            marker.mark(each.from_name or each.from_address, "sender"),
            marker.excerpt(as_shown(texts.get(each.pk, "")), "body"),
        )
        for each in activities
    ]


def _texts_of(records: Sequence[Record], tree: Node) -> dict[int, str]:
    """By record a text that has some of the words: its own, or else that of its newest note that has."""
    texts = tuple(positive_texts(tree))
    if not texts:
        return {}
    scope = [scope_of_records(records[0].account_id)]
    fitting = full_text.keys(full_text.within(Or(texts), scope), table=TABLE, key="{position}")
    rows = FoundText.objects.filter(record__in=[each.pk for each in records], position__in=fitting)
    found: dict[int, str] = {}
    columns = rows.order_by("position").values_list("record", "note", Substr("body", 1, READ_FOR_EXCERPT))
    for record, note, body in columns[:MOST_TEXTS]:
        found[record] = found.get(record, body) if note else body
    return found
