"""What lists of conversations show, at a moment, to one employee: folders, a label, what sleeps or awaits an answer.

Everything is judged by the clock when it is read (R20, snoozes), and asked in few queries whatever the number of rows.
Conversations with a mark (`models/marks.py`) are few: a list leaves them out and lays them in by hand. What a reminder
has brought back is laid into the inbox, also where no letter of it lies there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from letterdesk.accounts.models import Employee
from letterdesk.lib.keyset import cursor_of, read_cursor

from . import rows
from .hide import hidden_from, is_shown_to, wholly_hidden
from .list_rows import Row, letters_of, mark_of, row_of
from .models import Folder, FolderRole, Label, Labelled, Listing, Mark, Message
from .retention.letters import is_over, is_young, shown
from .retention.own_times import periods_of
from .retention.periods import Cutoff, Kept, latest

ASIDE = (FolderRole.SPAM, FolderRole.TRASH, FolderRole.DRAFTS)
PAGE = 50
MOST_SLEEPING = 500
FILTERS = {
    "": Q(),
    "unread": Q(unread_count__gt=0),
    "flagged": Q(is_flagged=True),
    "attachments": Q(has_attachments=True),
}
RANK = Case(
    When(folder__role=FolderRole.INBOX, then=Value(0)),
    When(folder__role__in=(FolderRole.SENT, FolderRole.ALL), then=Value(2)),
    When(folder__role__in=ASIDE, then=Value(3)),
    default=Value(1),
)


_THIS = "mailboxes_listing.conversation_id"
_WITHOUT_MARK = f"NOT EXISTS (SELECT 1 FROM mailboxes_mark AS k WHERE k.conversation_id = {_THIS})"  # noqa: S608
_HAS_LEFT = f"""
    EXISTS (SELECT 1 FROM mailboxes_message AS m
    WHERE m.conversation_id = {_THIS} AND m.received_at <= %s AND NOT m.is_held)"""  # noqa: S608
_LIST = f"""
    SELECT m.list_id FROM mailboxes_message AS m WHERE m.conversation_id = {_THIS}
    ORDER BY m.received_at DESC, m.id DESC LIMIT 1"""  # noqa: S608
_MUTED = f"EXISTS (SELECT 1 FROM mailboxes_muted AS q WHERE q.conversation_id = {_THIS} AND q.employee_id = %s)"  # noqa: S608
_LABELLED = f"FROM mailboxes_labelled AS l WHERE l.conversation_id = {_THIS}"
_LABELS = {
    "sqlite": f"SELECT GROUP_CONCAT(l.label_id) {_LABELLED}",
    "postgresql": f"SELECT STRING_AGG(CAST(l.label_id AS TEXT), ',') {_LABELLED}",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `next` is the cursor of what follows, "" at the end; `total` counts all pages."""

    rows: list[Row]
    next: str
    total: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who reads, when, and what of a list: `only` is a key of FILTERS, `before` the `next` of the page above."""

    employee: Employee
    now: datetime
    period: Kept
    only: str = ""
    oldest_first: bool = False
    before: str = ""
    limit: int = PAGE

    owns_all: bool = False  # of the mailboxes that are listed: an owner has nothing hidden (R27)

    @property
    def cutoff(self) -> Cutoff:
        return self.period.cutoff(self.now)


def list_folder(
    folder: Folder,
    *,
    employee: Employee,
    now: datetime,
    period: Kept | None = None,
    before: str = "",
    limit: int = PAGE,
    only: str = "",
) -> Page:
    """The conversations of a folder that are shown at `now`, newest first: two or three queries, two for the periods.

    A page may hold fewer rows than `limit` although more follow. Raises BadCursor.
    """
    period = (period or periods_of(folder.account, now)).in_folder(folder.pk, folder.mailbox_id)
    owns = folder.mailbox.owner_id == employee.pk
    return list_folders([folder], Wanted(employee, now, period, only=only, before=before, limit=limit, owns_all=owns))


def list_folders(folders: Sequence[Folder], wanted: Wanted) -> Page:
    """The conversations of these folders, pinned ones first, then by date; what came back has that date.

    Raises BadCursor.
    """
    ids = [folder.pk for folder in folders]
    lines = _of_folders(ids).filter(FILTERS[wanted.only])
    with_marks = [folder for folder in folders if getattr(folder.mailbox, "has_marks", True)]  # the sidebar knows
    marked = list(_marked(lines, with_marks, wanted)) if with_marks else []
    inboxes = [each for each in with_marks if _is_inbox(each) and getattr(each.mailbox, "has_reminded", True)]
    laid_in = list(_returned(inboxes, wanted)) if inboxes else []
    unmarked = _unmarked(lines, ids, wanted).annotate(total=_total(lines, wanted))
    found = list(unmarked[: wanted.limit + 1])
    more = len(found) > wanted.limit
    plain = found[: wanted.limit]
    awake = [line for line in [*marked, *laid_in] if not _sleeps(line, wanted.now)]
    laid = _laid_in(plain, awake, wanted, more=more)
    total = found[0].total if found else len(marked)
    asleep = sum(_sleeps(line, wanted.now) for line in marked)
    rows = _in_the_inbox(rows_of(laid, wanted), inboxes, laid_in)
    return Page(rows, _cursor(plain[-1]) if more else "", max(total - asleep, 0) + len(laid_in))


def list_label(label: Label, wanted: Wanted) -> Page:
    """The conversations with a label, each once, whatever folder it lies in. Raises BadCursor."""
    labelled = Labelled.objects.filter(label=label).values("conversation")
    lines = Listing.objects.filter(FILTERS[wanted.only], conversation__in=labelled)
    best = _ordered(_annotated(_best(lines, wanted), wanted, with_mark=True), wanted)
    found = list(best.annotate(total=_total(_best(lines, wanted), wanted))[: wanted.limit + 1])
    more, plain = len(found) > wanted.limit, found[: wanted.limit]
    return Page(
        rows_of(plain, wanted),
        _cursor(plain[-1]) if more else "",
        found[0].total if found else 0,
    )


def list_sleeping(wanted: Wanted) -> Page:
    """What is snoozed in all mailboxes of the employee, what comes back soonest first, on one page."""
    asleep = Mark.objects.visible_to(wanted.employee).asleep(wanted.now)
    lines = Listing.objects.filter(FILTERS[wanted.only], conversation__in=asleep.values("conversation"))
    found = _annotated(_best(lines, wanted), wanted, with_mark=True)[:MOST_SLEEPING]
    sleeping = sorted(found, key=lambda line: (line.conversation.mark.snoozed_until, line.pk))
    return Page(rows_of(sleeping, wanted), "", len(sleeping))


def list_awaiting(wanted: Wanted) -> Page:
    """Where the employee wants to be reminded if nobody answers, what comes back soonest first, on one page."""
    mine = Mark.objects.visible_to(wanted.employee).awaiting().filter(remind_by=wanted.employee)
    lines = Listing.objects.filter(FILTERS[wanted.only], conversation__in=mine.values("conversation"))
    found = _annotated(_best(lines, wanted), wanted, with_mark=True)[:MOST_SLEEPING]
    awaiting = sorted(found, key=lambda line: (line.conversation.mark.remind_at, line.pk))
    return Page(rows_of(awaiting, wanted), "", len(awaiting))


def list_conversations(ids: Sequence[int], wanted: Wanted) -> list[Row]:
    """The rows of these conversations in their order, each once, as far as they are shown."""
    lines = _annotated(_best(Listing.objects.filter(conversation__in=ids), wanted), wanted, with_mark=True)
    found = {row.conversation.pk: row for row in rows_of(list(lines), wanted)}
    return [found[pk] for pk in ids if pk in found]


def rows_of(lines: Sequence[Any], wanted: Wanted) -> list[Row]:
    """The rows of lines; of a conversation with letters that left, or are hidden, only the others are told."""
    past = [line.conversation_id for line in lines if line.is_partly_told]
    letters = letters_of(past, wanted.cutoff, wanted.employee) if past else {}
    made = [row_of(line, letters.get(line.conversation_id), wanted.period, wanted.now) for line in lines]
    return [row for row in made if row is not None and _still_fits(row, wanted.only)]


def matching(lines_of: Sequence[Folder] | Label, wanted: Wanted, *, most: int) -> list[tuple[int, int]]:
    """All that such a list holds, its other pages too: (conversation, folder), at most so many. Sleeping ones not."""
    if isinstance(lines_of, Label):
        labelled = Labelled.objects.filter(label=lines_of).values("conversation")
        lines = _best(Listing.objects.filter(FILTERS[wanted.only], conversation__in=labelled), wanted)
    else:
        lines = Listing.objects.filter(FILTERS[wanted.only], folder__in=[each.pk for each in lines_of])
        lines = _readable(lines, wanted)
    sleeping = Mark.objects.filter(conversation=OuterRef("conversation")).asleep(wanted.now)
    chosen = lines.filter(~Exists(sleeping)) if not isinstance(lines_of, Label) else lines
    return list(chosen.order_by("-newest_at", "-id").values_list("conversation_id", "folder_id")[:most])


# Queries


def _of_folders(ids: Sequence[int]) -> QuerySet[Any]:
    """Of one folder without `IN`: only so the order comes from its index."""
    return Listing.objects.filter(folder=ids[0]) if len(ids) == 1 else Listing.objects.filter(folder__in=ids)


def _readable(lines: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    visible: QuerySet[Any] = shown(lines.visible_to(wanted.employee), wanted.cutoff)  # type: ignore[attr-defined]
    return visible if wanted.owns_all else is_shown_to(visible, wanted.employee)


def _unmarked(lines: QuerySet[Any], folders: Sequence[int], wanted: Wanted) -> QuerySet[Any]:
    """Of one folder by its index; of several, the first of each by its own."""
    without = RawSQL(_WITHOUT_MARK, [], BooleanField())  # noqa: S611  constant SQL
    if len(folders) == 1:
        return _annotated(_ordered(_readable(lines.filter(without), wanted), wanted), wanted)
    each = [_ordered(_readable(lines.filter(without, folder=pk), wanted), wanted) for pk in folders]
    first = Listing.objects.filter(pk__in=_first_of(each, wanted)) if each else Listing.objects.none()
    return _in_order(_annotated(first, wanted), wanted)


def _first_of(lists: Sequence[QuerySet[Any]], wanted: Wanted) -> list[int]:
    parts, parameters = [], []
    for each in lists:
        sql, values = (
            each.values_list("pk", "newest_at")[: wanted.limit + 1].query.get_compiler(connection=connection).as_sql()
        )
        parts.append(f"SELECT * FROM ({sql}) AS one")  # noqa: S608  made by Django
        parameters += values
    way = "ASC" if wanted.oldest_first else "DESC"
    union = f"{' UNION ALL '.join(parts)} ORDER BY 2 {way}, 1 {way} LIMIT {wanted.limit + 1}"
    with connection.cursor() as cursor:
        cursor.execute(union, parameters)
        return [pk for pk, _ in cursor.fetchall()]


def _marked(lines: QuerySet[Any], folders: Sequence[Folder], wanted: Wanted) -> QuerySet[Any]:
    marks = Mark.objects.filter(mailbox__in={folder.mailbox_id for folder in folders})
    found = _readable(lines.filter(conversation__in=marks.values("conversation")), wanted)
    return _annotated(found, wanted, with_mark=True)


def _is_inbox(folder: Folder) -> bool:
    return folder.role == FolderRole.INBOX


def _returned(inboxes: Sequence[Folder], wanted: Wanted) -> QuerySet[Any]:
    """Lines of what a reminder has brought back, and that lies in none of these inboxes, nor in Trash or Spam."""
    back = Mark.objects.reminded().filter(mailbox__in={each.mailbox_id for each in inboxes})
    lying = Listing.objects.filter(conversation=OuterRef("conversation"), folder__in=[each.pk for each in inboxes])
    lines = Listing.objects.filter(~Exists(lying), FILTERS[wanted.only], conversation__in=back.values("conversation"))
    return _annotated(_best(lines.exclude(folder__role__in=ASIDE), wanted), wanted, with_mark=True)


def _in_the_inbox(rows: list[Row], inboxes: Sequence[Folder], laid_in: Sequence[Any]) -> list[Row]:
    """The rows, with those that were laid in said to lie in their mailbox's inbox: there they are acted upon."""
    inbox_of = {each.mailbox_id: each.pk for each in inboxes}
    strange = {line.conversation_id: inbox_of[line.conversation.mailbox_id] for line in laid_in}
    return (
        [replace(row, folder_id=strange.get(row.conversation.pk, row.folder_id)) for row in rows] if strange else rows
    )


def _best(lines: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    """Each conversation once: in the inbox, else in a folder, else in Sent, else aside: in Drafts, Trash."""
    places = shown(Listing.objects.filter(conversation=OuterRef("conversation")), wanted.cutoff)
    first = places.annotate(rank=RANK).order_by("rank", "-newest_at", "-pk").values("pk")[:1]
    return _readable(lines.filter(pk=Subquery(first)), wanted)


def _annotated(page: QuerySet[Any], wanted: Wanted, *, with_mark: bool = False) -> QuerySet[Any]:
    """With labels, mailing list and mute, and whether letters left but are not swept away yet, or are hidden.

    Written out, as the rights are: composing it anew took longer than running it.
    """
    partly: Any = Value(value=False)
    if (last := latest(wanted.cutoff)) is not None:  # what is partly told is judged letter by letter afterwards
        partly = RawSQL(_HAS_LEFT, [rows.db_value(Message, "received_at", last)], BooleanField())  # noqa: S611  constant SQL
    if not wanted.owns_all:
        hidden = Exists(hidden_from(wanted.employee, "conversation"))
        partly = Case(When(hidden, then=Value(value=True)), default=partly, output_field=BooleanField())
    annotated: QuerySet[Any] = page.select_related("conversation__mark" if with_mark else "conversation").annotate(
        is_partly_told=partly,
        list_id=RawSQL(_LIST, [], TextField()),  # noqa: S611  constant SQL
        label_ids=RawSQL(_LABELS[connection.vendor], [], TextField()),  # noqa: S611  constant SQL
        is_muted=RawSQL(_MUTED, [wanted.employee.pk], BooleanField()),  # noqa: S611  constant SQL
        with_mark=Value(value=with_mark),
    )
    return annotated


def _total(lines: QuerySet[Any], wanted: Wanted) -> Any:
    """Two counts, each of one range of an index: an OR would read every row. Without what is hidden (R27)."""
    hidden = Value(0) if wanted.owns_all else count_of(wholly_hidden(shown(lines, wanted.cutoff), wanted.employee))
    if wanted.cutoff is None:
        return count_of(lines) - hidden
    held = lines.filter(is_over(Listing, wanted.cutoff), is_held=True)
    return count_of(lines.filter(is_young(Listing, wanted.cutoff))) + count_of(held) - hidden


def count_of(lines: QuerySet[Any]) -> Any:
    """The number of rows, as a sub-select."""
    counted = lines.order_by().annotate(count=Func("pk", function="COUNT", output_field=IntegerField()))
    return Coalesce(Subquery(counted.values("count"), output_field=IntegerField()), 0)


# Order


def _ordered(page: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    return _in_order(_from_cursor(page, wanted), wanted)


def _in_order(page: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    return page.order_by("newest_at", "id") if wanted.oldest_first else page.order_by("-newest_at", "-id")


def _from_cursor(page: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    if not wanted.before:
        return page
    moment, pk = read_cursor(wanted.before)
    if wanted.oldest_first:
        return page.filter(Q(newest_at__gt=moment) | Q(newest_at=moment, pk__gt=pk), newest_at__gte=moment)
    return page.filter(Q(newest_at__lt=moment) | Q(newest_at=moment, pk__lt=pk), newest_at__lte=moment)


def _cursor(line: Listing) -> str:
    return cursor_of(line.newest_at, line.pk)


def _sleeps(line: Any, now: datetime) -> bool:
    mark = mark_of(line)
    return mark is not None and mark.sleeps(line.conversation.newest_at, now)


def _laid_in(plain: Sequence[Any], awake: Iterable[Any], wanted: Wanted, *, more: bool) -> list[Any]:
    """The plain lines with those of the marked ones that belong on this page."""
    pinned = [line for line in awake if line.conversation.mark.pinned_at is not None]
    others = [line for line in awake if line.conversation.mark.pinned_at is None]
    begin = read_cursor(wanted.before)[0] if wanted.before else None
    end = plain[-1].newest_at if more and plain else None
    if wanted.oldest_first:
        begin, end = end, begin
    fitting = [
        line for line in others if (begin is None or _date(line) < begin) and (end is None or _date(line) >= end)
    ]
    by_date = sorted([*plain, *fitting], key=lambda line: (_date(line), line.pk), reverse=not wanted.oldest_first)
    first = sorted(pinned, key=lambda line: line.conversation.mark.pinned_at, reverse=True)
    return [*([] if wanted.before else first), *by_date]


def _date(line: Any) -> datetime:
    """By what a line is sorted: its newest letter, or when its snooze ended or its reminder came."""
    mark = mark_of(line)
    if mark is None:
        return line.newest_at  # type: ignore[no-any-return]
    is_woken = mark.snoozed_until is not None and not mark.was_answered(line.conversation.newest_at)
    moments: list[datetime | None] = [line.newest_at, mark.snoozed_until if is_woken else None, mark.reminded_at]
    return max(each for each in moments if each is not None)


def _still_fits(row: Row, only: str) -> bool:
    fits = {"unread": row.unread_count > 0, "flagged": row.is_flagged, "attachments": row.has_attachments}
    return fits.get(only, True)
