"""Finds comments by their words, as the search field finds letters: the same language, on both databases alike.

Comments are few beside letters, and short: their words, folded as those of letters, stand in a column of their own,
in which they are looked for one after the other. A search that asks for anything else than words anywhere, or words
of comments (`comment:`), finds none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.hide import is_shown_to
from letterdesk.mailboxes.models import FolderRole, Listing, Mailbox
from letterdesk.mailboxes.retention.letters import shown
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Cutoff, Kept
from letterdesk.mailboxes.search.marks import Highlighter, Marked
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text
from letterdesk.mailboxes.search.text import is_unspaced, prepare, words

from .lists import ASIDE
from .models import Comment
from .sharing import shared_letters


@dataclass(frozen=True, slots=True)
class Said:
    """A comment that was found, with its words marked. `folder`: in which its conversation is opened.

    No folder: the conversation alone is shared with the reader.
    """

    comment: Comment
    text: Marked
    folder: str


def find_comments(
    employee: Employee,
    tree: Node | None,
    *,
    now: datetime,
    mailbox: Mailbox | None = None,
    period: Kept | None = None,
    most: int,
) -> list[Said]:
    """The newest comments that fit, of conversations of which the employee may read a letter at `now` (P9, R20, R27).

    `tree`: as `parse_query` made it; `mailbox`: of that one alone. One query, and one for where they lie.
    """
    if tree is None or not _is_anywhere(tree):
        return []
    found = Comment.objects.visible_to(employee).filter(_fits(tree))
    if mailbox is not None:
        found = found.filter(conversation__mailbox=mailbox)
    cutoff = (period or periods_of(employee.account, now)).cutoff(now)
    lines, theirs = _lines(employee, cutoff), OuterRef("conversation")
    guest = shown(shared_letters(employee), cutoff).filter(conversation=theirs)
    found = found.filter(Exists(lines.filter(conversation=theirs)) | Exists(guest))
    rows = list(found.select_related("conversation", "employee").order_by("-at", "-pk")[:most])
    folders = _folders(lines, [each.conversation_id for each in rows])
    highlighter = Highlighter(tree)
    return [Said(each, highlighter.excerpt(each.text, "body"), folders.get(each.conversation_id, "")) for each in rows]


def said_in(employee: Employee, text: Text) -> Q:
    """Letters of conversations in which colleagues said this, of what the employee may read: `comment:`."""
    said = Comment.objects.visible_to(employee).filter(_has(text))
    return Q(conversation__in=said.values("conversation"))


def words_of(text: str) -> str:
    """The words of a comment as they are kept and looked for, each between spaces."""
    return f" {' '.join(words(prepare(text)))} "


def _lines(employee: Employee, cutoff: Cutoff) -> QuerySet[Any]:
    lines = shown(Listing.objects.visible_to(employee), cutoff)
    return is_shown_to(lines.filter(folder__gone_at=None).exclude(folder__role__in=ASIDE), employee)


def _folders(lines: QuerySet[Any], conversations: Sequence[int]) -> dict[int, str]:
    """By conversation the folder in which it lies, the inbox before others."""
    rows = lines.filter(conversation__in=conversations).order_by("pk")
    found = rows.values_list("conversation", "folder__public_id", "folder__role") if conversations else []
    return {key: folder for key, folder, _role in sorted(found, key=lambda row: row[2] == FolderRole.INBOX)}


def _is_anywhere(node: Node) -> bool:
    """Whether it asks for words wherever they stand, not in a part that only letters have."""
    match node:
        case Text(_, field):
            return not field
        case Condition("comment"):
            return True
        case Not(part):
            return _is_anywhere(part)
        case And(parts) | Or(parts):
            return all(map(_is_anywhere, parts))
    return False


def _fits(node: Node) -> Q:
    match node:
        case Text():
            return _has(node)
        case Condition(_, Text() as said):  # comment:
            return _has(said)
        case Not(part):
            return ~_fits(part)
        case And(parts) | Or(parts):
            return reduce(and_ if isinstance(node, And) else or_, map(_fits, parts))
    raise TypeError(f"{node} is no text")


def _has(text: Text) -> Q:
    """These words one after the other; of a beginning the last may go on."""
    wanted = words_of(text.text)
    last = wanted.split()[-1:]
    open_ended = text.is_prefix and last and not is_unspaced(last[0])
    return Q(words__contains=wanted.rstrip() if open_ended else wanted)
