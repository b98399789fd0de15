"""Finds letters in CRM as the search field finds letters in Webmail: those at a record within sight (P9, R8).

Where few letters are within sight, all of these are asked for the words. Otherwise the index hands out keys, newest
first, which are looked at until the page is full, and no further than `looked_at`: who reads is told so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.hide import without_hidden
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention.letters import shown
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Kept
from letterdesk.mailboxes.search.filters import in_webmail, names_folder
from letterdesk.mailboxes.search.find import is_text
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.marks import Highlighter, Marked
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text
from letterdesk.mailboxes.search.text import shown as as_shown

from ..access import in_sight
from ..activities.timeline import with_bindings
from ..models import Activity, Binding, FoundText, LetterCopy
from .at import AtRecords
from .index import scope_of_letters
from .meaning import TABLE
from .parts import OF_LETTERS, Asked, asked_of_letters
from .records import READ_FOR_EXCERPT

LETTER_KEY = "{position} & 2147483647"
FIRST_CHUNK, LONGEST_CHUNK = 200, 6_400  # letters taken from the index at once
ASKED_CHUNK = 1_600  # of these, whose records are asked at once
MOST_LOOKED_AT = 50_000  # of them in one search
FEW = 2_000  # letters within sight


@dataclass(frozen=True, slots=True)
class FoundLetter:
    """A letter in CRM that was found, with its words marked; `activity.shown_bindings` says where it stands."""

    activity: Any
    subject: Marked
    sender: Marked
    excerpt: Marked


@dataclass(frozen=True, slots=True)
class FoundLetters:
    """One page of them, newest first; `more`: another page follows; `asked`: as of `search_parts`.

    `is_cut`: only so many of the newest were looked at, and older ones may fit.
    """

    letters: list[FoundLetter]
    more: bool
    is_cut: bool
    asked: Asked


def find_letters(
    employee: Employee,
    tree: Node | None,
    *,
    now: datetime,
    most: int,
    without_mail: bool,
    period: Kept | None = None,
    offset: int = 0,
    look_at: int = MOST_LOOKED_AT,
) -> FoundLetters:
    """Letters in CRM that fit. `without_mail`: not those that the reader finds in Webmail anyway (R7)."""
    asked = asked_of_letters(tree)
    if tree is None or asked.tree is None:
        return FoundLetters([], more=False, is_cut=False, asked=asked)
    letters: Any = Activity.objects.filter(account=employee.account_id).present()
    if without_mail:
        letters = letters.filter(~_in_mail(_mail_of(employee, tree, now, period or periods_of(employee.account, now))))
    walk = _Walk(employee, asked.tree, letters, look_at)
    found = list(islice(walk.keys(), offset, offset + most + 1))
    rows = Activity.objects.visible_to(employee).in_bulk(found[:most])
    page = with_bindings([rows[key] for key in found[:most] if key in rows], employee)
    return FoundLetters(_marked(page, tree), len(found) > most, walk.is_cut, asked)


class _Walk:
    """Through the letters that fit, newest first. `letters`: all of the account that are looked among."""

    def __init__(self, employee: Employee, tree: Node, letters: Any, look_at: int) -> None:
        parts = tree.parts if isinstance(tree, And) else (tree,)
        self.scope = [scope_of_letters(employee.account_id)]
        self.texts = tuple(part for part in parts if is_text(part))
        self.employee, self.look_at, self.is_cut = employee, look_at, False
        self.at = AtRecords(employee)
        self.others = [part for part in parts if part not in self.texts]
        self.later = [part for part in self.others if not self.at.is_known(part)]  # asked of those that are looked at
        self.here = letters.filter(*(self._letter(part) for part in self.others if part not in self.later))
        self.letters = self.here.visible_to(employee)

    def keys(self) -> Iterator[int]:
        """Their keys. Sets `is_cut` where it ends before the letters do."""
        text = And(self.texts) if len(self.texts) > 1 else next(iter(self.texts), None)
        few = self._few_at_records()
        if few is not None:
            return self._of_few(self.letters.filter(pk__in=few if text is None else self._with(text, few)))
        few = _few_within_sight(self.employee)
        if few is not None:
            narrowed = self.here.filter(pk__in=few)
            return self._of_few(narrowed if text is None else narrowed.filter(self._letter(text)))
        return self._by_date(self.letters) if text is None else self._by_index(full_text.within(text, self.scope))

    def _few_at_records(self) -> list[int] | None:
        """Letters at the records that are asked for, where these are few."""
        named = [part for part in self.others if isinstance(part, Condition) and isinstance(part.value, Text)]
        at_records = [few for part in named if (few := self.at.few(part)) is not None]
        return min(at_records, key=len) if at_records else None

    def _with(self, text: Node, few: Sequence[int]) -> list[int]:
        asked = {"table": TABLE, "key": LETTER_KEY, "column": "activity_id", "most": len(few), "of": few}
        keys: list[int] = full_text.some_keys(full_text.within(text, self.scope), **asked)
        return keys

    def _by_index(self, expression: str) -> Iterator[int]:
        below, chunk, looked_at = None, FIRST_CHUNK, 0
        while looked_at < self.look_at:
            chunk = min(chunk, self.look_at - looked_at)
            candidates = full_text.newest(expression, below=below, limit=chunk, table=TABLE)
            yield from self._fitting([key for _position, key in candidates], self.letters)
            if len(candidates) < chunk:
                return
            below, looked_at, chunk = candidates[-1][0], looked_at + chunk, min(chunk * 4, LONGEST_CHUNK)
        self.is_cut = True

    def _of_few(self, found: QuerySet[Any]) -> Iterator[int]:
        """Put in order here: in the statement it made SQLite walk through all letters of the account by date."""
        newest = sorted(found.order_by().values_list("received_at", "pk"), reverse=True)
        keys = [key for _at, key in newest]
        return iter(self._fitting(keys, Activity.objects.all()) if self.later else keys)

    def _by_date(self, found: QuerySet[Any]) -> Iterator[int]:
        start, chunk = 0, FIRST_CHUNK
        keys = found.order_by("-received_at", "-pk").values_list("pk", flat=True)
        while start < self.look_at:
            chunk = min(chunk, self.look_at - start)
            taken = list(keys[start : start + chunk])
            for at in range(0, len(taken), ASKED_CHUNK):
                piece = taken[at : at + ASKED_CHUNK]
                yield from self._fitting(piece, Activity.objects.all()) if self.later else piece
            if len(taken) < chunk:
                return
            start, chunk = start + chunk, LONGEST_CHUNK if self.later else min(chunk * 4, LONGEST_CHUNK)
        self.is_cut = True

    def _fitting(self, keys: Sequence[int], letters: QuerySet[Any]) -> list[int]:
        """Of these letters, which are looked at now, those among `letters` that fit, in the same order."""
        if self.later:
            self.at.look_at(keys)
            letters = letters.filter(*map(self._letter, self.later))
        fitting = set(letters.filter(pk__in=keys).values_list("pk", flat=True))
        return [key for key in keys if key in fitting]

    def _letter(self, node: Node) -> Q:
        """The condition on activities that a part of a query stands for."""
        if is_text(node):
            return Q(pk__in=full_text.keys(full_text.within(node, self.scope), table=TABLE, key=LETTER_KEY))
        match node:
            case Condition(_, Text()):
                return self.at.fits(node)
            case Condition(name, value):
                return _measured(name, value)
            case Not(part):
                return ~self._letter(part)
            case And(parts) | Or(parts):
                return reduce(and_ if isinstance(node, And) else or_, map(self._letter, parts))
        raise TypeError(f"{node} is no part of a search for letters in CRM")


def _few_within_sight(employee: Employee) -> list[int] | None:
    """Keys of the letters at records that the employee sees, where they are few."""
    seen = Binding.objects.filter(in_sight(employee, "record__"), account=employee.account_id)
    found = list(seen.values_list("activity", flat=True)[: FEW + 1])
    return found if len(found) <= FEW else None


def _measured(name: str, value: Any) -> Q:
    """An operator that is not text."""
    if name == "has":
        return Q(has_attachments=True)
    if name not in OF_LETTERS:
        return Q(deleted_at=None)  # in:crm
    since, until = "received_at__gte", "received_at__lt"
    columns = {"larger": "size__gt", "smaller": "size__lt", "after": since, "newer_than": since, "before": until,
               "older_than": until}  # fmt: skip
    return Q(**{columns[name]: value})


def _mail_of(employee: Employee, tree: Node, now: datetime, period: Kept) -> QuerySet[Any]:
    """The letters among which this query looks in the reader's Webmail at `now` (R20, R27)."""
    placed = Message.objects.visible_to(employee).filter(in_webmail(also_aside=names_folder(tree)))
    return without_hidden(shown(placed, period.cutoff(now)), employee, message="pk")


def _in_mail(mail: QuerySet[Any]) -> Exists:
    """Whether an activity's letter is one of these: the same bytes in the same mailbox."""
    there = mail.filter(mailbox=OuterRef("mailbox"), blob=OuterRef("blob"))
    return Exists(LetterCopy.objects.filter(Exists(there), activity=OuterRef("pk")))


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
