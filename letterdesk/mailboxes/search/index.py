"""Puts letters into the search index and takes them out. `letters.py` is the entrance for all other rooms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import connection, transaction

from .. import rows
from ..models import Mailbox, Message, SearchText
from . import postgres as search_postgres
from . import sqlite as search_sqlite
from .text import prepare

AT_ONCE = 200
REMOVE = "DELETE FROM mailboxes_searchtext WHERE message_id IN %s RETURNING account_id"

full_text: Any = search_postgres if connection.vendor == "postgresql" else search_sqlite  # the one place that asks


@dataclass(frozen=True, slots=True)
class Indexed:
    """What can be found of one letter. Texts are as people read them, and cut and cleaned here; the body is already."""

    message_id: int
    mailbox_id: int
    account_id: int
    received_at: datetime
    sender: str
    recipients: str
    copies: str
    subject: str
    body: str
    files: str

    @classmethod
    def of(cls, message: Message, *, body: str, files: Iterable[str]) -> Self:
        """From a stored row, the letter's text as `search_text.prepare` makes it, and the names of its files."""
        people = message.recipients
        return cls(
            message_id=message.pk,
            mailbox_id=message.mailbox_id,
            account_id=message.account_id,
            received_at=message.received_at,
            sender=f"{message.from_name} {message.from_address}",
            recipients=_names(people, "to"),
            copies=f"{_names(people, 'cc')} {_names(people, 'bcc')}",
            subject=message.subject,
            body=body,
            files="\n".join(files),
        )


def count_shown(expression: str, *, cutoff: datetime | None, most: int) -> int:
    """How many letters match that the clock shows and that lie in no bin (R20, R29), counted up to `most` + 1."""
    shown, arguments = "m.binned_at IS NULL", [expression]
    if cutoff is not None:
        shown += " AND (m.received_at > %s OR m.is_held)"
        arguments.append(rows.db_value(Message, "received_at", cutoff))
    # CROSS JOIN: SQLite begins with the words, and stops when enough are found
    joined = f"({full_text.MATCHING}) AS f CROSS JOIN mailboxes_message AS m WHERE m.id = f.message_id AND {shown}"
    [(found,)] = rows.run_returning(
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {joined} LIMIT %s) AS counted",  # noqa: S608  constants
        [*arguments, most + 1],
    )
    return int(found)


def index(letters: Iterable[Indexed]) -> None:
    """Make letters findable, or replace what was indexed of them. Call it inside the transaction that stores them."""
    texts = [_row(letter) for letter in letters]
    for start in range(0, len(texts), AT_ONCE):
        batch = texts[start : start + AT_ONCE]
        with transaction.atomic(savepoint=False):
            remove([text.message_id for text in batch])
            rows.insert(batch)


def remove(message_ids: Iterable[int]) -> None:
    """Take letters out of the index, in the caller's transaction: they are found no more."""
    ids = list(message_ids)
    for start in range(0, len(ids), AT_ONCE):
        going = rows.run_returning(REMOVE, [ids[start : start + AT_ONCE]])
        if going:
            full_text.words_were_removed({account for (account,) in going})


def rebuild(mailbox: Mailbox) -> int:
    """Index a mailbox anew from its rows and the texts kept with the index; returns the number of letters."""
    done, ids = 0, list(mailbox.messages.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        texts = SearchText.objects.filter(message__in=ids[start : start + AT_ONCE]).select_related("message")
        letters = [Indexed.of(text.message, body=text.body, files=text.files.split("\n")) for text in texts]
        index(letters)
        done += len(letters)
    return done


def forget_removed(*, everything: bool = False) -> bool:
    """Let the words of removed letters leave the database file (F13); a step of it, or everything.

    Returns whether another step has work to do. Idempotent; for the hourly sweep.
    """
    return bool(full_text.forget_removed(everything=everything))


def position(received_at: datetime, message_id: int) -> int:
    """The key of a letter in the index: later letters have greater ones."""
    return max(int(received_at.timestamp()), 0) << 31 | message_id


def _row(letter: Indexed) -> SearchText:
    columns = {
        "sender": prepare(letter.sender),
        "recipients": prepare(letter.recipients),
        "copies": prepare(letter.copies),
        "subject": prepare(letter.subject),
        "body": letter.body,
        "files": prepare(letter.files),
    }
    scope = f"mb{letter.mailbox_id}"
    return rows.make(
        SearchText,
        position=position(letter.received_at, letter.message_id),
        account_id=letter.account_id,
        message_id=letter.message_id,
        scope=scope,
        vector=full_text.vector(columns, scope),
        **columns,
    )


def _names(people: dict[str, Sequence[Sequence[str]]], kind: str) -> str:
    return " ".join(f"{name} {address}" for name, address in people.get(kind, ()))
