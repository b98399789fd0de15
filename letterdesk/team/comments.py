"""Colleagues talk at a conversation: comments that call people by “@name”. In no letter, print or export unless asked.

Who may read the conversation may comment; each changes and deletes their own. Whoever comments or is called follows.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Conversation

from .following import follow
from .lock import lock
from .models import Comment
from .search import words_of

LONGEST = 20_000  # characters
MOST = 500  # shown, the latest
MOST_CALLED = 50  # people by one comment
_AT = re.compile(r"(?<!\w)@")
_WORD = re.compile(r"\w")


class BadComment(ValueError):
    """This cannot be kept as a comment; the text says why."""


def called(text: str, people: Iterable[Employee]) -> list[Employee]:
    """Whom the text calls: “@Jonas Weber”, or “@Jonas” where one person alone is called so. Pure. Raises BadComment."""
    folded = _short(text).casefold()
    by_name = _by_name(people)
    lengths = sorted({len(name) for name in by_name}, reverse=True)
    found: dict[int, Employee] = {}
    for at in _AT.finditer(folded):
        ends = (at.end() + length for length in lengths)
        names = (folded[at.end() : end] for end in ends if not _WORD.match(folded, end))
        meant = next((by_name[name] for name in names if name in by_name), [])
        if len(meant) == 1:
            found[meant[0].pk] = meant[0]
    if len(found) > MOST_CALLED:
        raise BadComment(_("A comment can call at most %(most)d people. Call fewer.") % {"most": MOST_CALLED})
    return list(found.values())


def _by_name(people: Iterable[Employee]) -> dict[str, list[Employee]]:
    """Who is called so, in small letters: by whole names, and by first names that are nobody's whole name."""
    whole: defaultdict[str, list[Employee]] = defaultdict(list)
    first: defaultdict[str, list[Employee]] = defaultdict(list)
    for each in people:
        if name := each.name.strip().casefold():
            whole[name].append(each)
            first[name.split()[0]].append(each)
    return {**first, **whole}


@transaction.atomic
def add(
    conversation: Conversation, text: str, *, by: Employee, now: datetime, mentions: Sequence[Employee] = ()
) -> Comment:
    """Keep a comment; `mentions` can read the conversation, as the caller has checked. Raises BadComment.

    Where the conversation was joined with another one meanwhile, it stands there.
    """
    text, there = _clean(text), lock(conversation)
    if there is None:
        raise BadComment(_("This conversation is no longer here."))
    row = Comment(
        account_id=there.account_id, conversation=there, employee=by, at=now, text=text, words=words_of(text),
        mentions=[each.public_id for each in mentions],
    )  # fmt: skip
    row.save(force_insert=True)
    for each in dict.fromkeys([by, *mentions]):
        follow(there, employee=each)
    _tell("comment.added", row, by, mentions=row.mentions)
    return row


@transaction.atomic
def change(comment: Comment, text: str, *, by: Employee, now: datetime) -> None:
    """Another text; it calls nobody anew. Raises BadComment."""
    comment.text, comment.edited_at = _clean(text), now
    comment.words = words_of(comment.text)
    comment.save(update_fields=["text", "words", "edited_at"])
    _tell("comment.changed", comment, by)


@transaction.atomic
def remove(comment: Comment, *, by: Employee) -> None:
    """Delete it for good."""
    _tell("comment.deleted", comment, by)
    comment.delete()


def comments_at(conversation: Conversation, employee: Employee) -> list[Comment]:
    """The comments of a conversation that the employee may read, oldest first."""
    found = Comment.objects.visible_to(employee).filter(conversation=conversation)
    return list(reversed(found.select_related("employee").order_by("-at", "-pk")[:MOST]))


def _clean(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise BadComment(_("Write something first."))
    return _short(text)


def _short(text: str) -> str:
    if len(text) > LONGEST:
        raise BadComment(_("This comment is too long."))
    return text


def _tell(kind: str, comment: Comment, by: Employee, **facts: object) -> None:
    conversation = comment.conversation
    record(kind, account=by.account, by=by, topic=conversation.mailbox.topic, subject=f"comment:{comment.public_id}",
           conversations=[conversation.public_id], **facts)  # fmt: skip
