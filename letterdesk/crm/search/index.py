"""Keeps what can be found of records, notes and letters in CRM in step with them, in the transaction that writes them.

A letter has words of its own here, as it has bytes of its own: those of Webmail go with the letter there (R6, R8).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from letterdesk.lib import blobs
from letterdesk.mail.letters import Letter
from letterdesk.mailboxes import preparing, rows
from letterdesk.mailboxes.models import SearchText
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.index import position as position_of_letter
from letterdesk.mailboxes.search.text import prepare

from ..models import Activity, FoundText, Note, OwnValue, Record
from .typed import day_typed, number_typed

if TYPE_CHECKING:  # it calls us
    from ..records.fields import Fields

TEXTS = ("sender", "recipients", "copies", "subject", "body", "files")
PARSED_AT_ONCE = 50
_SAID = ("account_id", "scope", *TEXTS)
_SET = ", ".join(f"{name} = excluded.{name}" for name in (*_SAID, "is_whole", "vector"))
_REPLACE = f"ON CONFLICT (position) DO UPDATE SET {_SET}"
TAKEN_AT_ONCE = 500
_TAKE_OVER = """
    WITH v(message_id, position, activity_id, sender, recipients, copies, subject) AS (VALUES (ROWS))
    INSERT INTO crm_foundtext (position, account_id, activity_id, is_whole, scope, sender, recipients, copies, subject,
        body, files, vector)
    SELECT v.position, {account}, v.activity_id, TRUE, '{scope}', v.sender, v.recipients, v.copies, v.subject,
        s.body, s.files, {vector}
    FROM v JOIN mailboxes_searchtext AS s ON s.message_id = v.message_id RETURNING activity_id"""
_WHERE_CHANGED = f"WHERE {' OR '.join(f'crm_foundtext.{name} <> excluded.{name}' for name in _SAID)}"


def index_record(record: Record, fields: "Fields") -> None:
    """What stands in a record can be found, and nothing else of it; `fields` as they were kept."""
    index_records([(record, fields)])


def index_records(records: Sequence[tuple[Record, "Fields"]]) -> None:
    """The same for several; with what their own fields say, as it stands in the database."""
    write(rows_of_records(records))


def write(found: Sequence[FoundText], *, anew: bool = False) -> None:
    """Put these rows in their places, where they say something else; `anew`: also where they say the same.

    In the caller's transaction, which holds what they are of.
    """
    rows.insert(found, conflict=_REPLACE if anew else f"{_REPLACE} {_WHERE_CHANGED}")


def rows_of_records(records: Sequence[tuple[Record, "Fields"]]) -> list[FoundText]:
    """What can be found of these records, not written; one query."""
    own = _own_said([record.pk for record, _fields in records])
    return [row_of_record(record, fields, own.get(record.pk, ())) for record, fields in records]


def index_notes(notes: Collection[Note]) -> None:
    """These notes and calls can be found at their records; those in the bin cannot."""
    FoundText.objects.filter(note__in=[each.pk for each in notes]).delete()
    rows.insert([row_of_note(each) for each in notes if each.deleted_at is None])


def index_letters(activities: Sequence[Activity], texts: Mapping[int, tuple[str, str]]) -> None:
    """New activities can be found; `texts`: by key what was read of them, prepared: the body, the names of files.

    One that is not among these is found by its head until `read_missing` has read it.
    """
    rows.insert([row_of_letter(each, texts.get(each.pk)) for each in activities])


def index_copies(activities: Sequence[Activity], letters: Mapping[int, Any]) -> None:
    """The same where their letters are known, by activity: the words of those in Webmail are taken over from its index,
    inside the database."""
    same = [each for each in activities if _says_the_same(letters[each.pk], each)]
    taken = _take_over(same, letters) if same else set()
    others = [each for each in activities if each.pk not in taken]
    if others:
        index_letters(others, texts_of({each.pk: letters[each.pk] for each in others}))


def _says_the_same(letter: Any, activity: Activity) -> bool:
    """Whether it lies in Webmail with the same head: a secret address is found nowhere in CRM (R30)."""
    return bool(getattr(letter, "pk", None)) and letter.recipients == activity.recipients


def _take_over(activities: Sequence[Activity], letters: Mapping[int, Any]) -> set[int]:
    """Returns of which Webmail had words."""
    account_id = activities[0].account_id
    scope = scope_of_letters(account_id)
    sql, taken = _TAKE_OVER.format(account=account_id, scope=scope, vector=full_text.taken_over(scope)), set[int]()
    for start in range(0, len(activities), TAKEN_AT_ONCE):
        part = activities[start : start + TAKEN_AT_ONCE]
        values = [value for each in part for value in _place_and_head(each, letters[each.pk].pk)]
        row = f"({', '.join(['%s'] * (len(values) // len(part)))})"
        found = rows.run_returning(sql.replace("(ROWS)", ", ".join([row] * len(part))), values)
        taken.update(activity for (activity,) in found)
    return taken


def _place_and_head(activity: Activity, message_id: int) -> tuple[Any, ...]:
    at = position_of_letter(activity.received_at, activity.pk)
    return (message_id, at, activity.pk, *_head(activity).values())


def texts_of(letters: Mapping[int, Any]) -> dict[int, tuple[str, str]]:
    """What Webmail's index holds of these activities' letters, by activity; of those in no mailbox nothing (R30)."""
    keys = {letter.pk: activity for activity, letter in letters.items() if getattr(letter, "pk", None)}
    found = SearchText.objects.filter(message__in=list(keys)) if keys else SearchText.objects.none()
    return {keys[key]: (body, files) for key, body, files in found.values_list("message", "body", "files")}


def text_of(letter: Letter) -> tuple[str, str]:
    """The same of a letter that was just read."""
    return prepare(letter.text), prepare("\n".join(part.filename for part in letter.parts))


def moved(activity_id: int, received_at: datetime) -> None:
    """An earlier copy of a letter has come: it has another place among the letters."""
    FoundText.objects.filter(activity=activity_id).update(position=position_of_letter(received_at, activity_id))


def read_missing(*, most: int = PARSED_AT_ONCE) -> int:
    """Read letters of which only the head can be found yet; returns how many. Outside any transaction."""
    due = list(FoundText.objects.filter(is_whole=False, activity__isnull=False).select_related("activity")[:most])
    found = read([each.activity for each in due if each.activity is not None])
    texts = {each.pk: found.get(each.activity_id or 0, (each.body, "")) for each in due}
    with transaction.atomic():
        there = FoundText.objects.select_for_update().filter(pk__in=list(texts), is_whole=False)
        for row in there:
            row.body, row.files = texts[row.pk]
            row.is_whole, row.vector = True, _vector(row)
            row.save(update_fields=["body", "files", "is_whole", "vector"])
    return len(due)


def read(letters: Iterable[Activity]) -> dict[int, tuple[str, str]]:
    """The text of these letters and the names of their files, prepared, by activity; of those that can be read.

    One after the other, for they may be large. Outside any transaction.
    """
    texts = {}
    for each in letters:
        with suppress(blobs.BlobMissing, blobs.BlobDamaged):
            [parsed] = preparing.parse([blobs.get(each.account_id, each.blob)])
            if isinstance(parsed.letter, Letter):
                texts[each.pk] = text_of(parsed.letter)
    return texts


def row_of_record(record: Any, fields: Any, own: Sequence[Sequence[str]] = ()) -> FoundText:
    """What can be found of a record: all that people wrote into it. `own`: of each own field what it says, first as it
    is shown where it is found, then as people type it, too."""
    amount = number_typed(fields.amount, fields.currency) if fields.amount is not None else ()
    said = [forms for forms in (amount, *own) if forms]
    lines = (fields.name, fields.position, *fields.addresses, *fields.phones, fields.came_from, fields.note)
    return _row(
        position=position_of_record(record.pk),
        account_id=record.account_id,
        record_id=record.pk,
        scope=scope_of_records(record.account_id),
        subject=prepare(fields.name),
        sender=prepare(" ".join((fields.name, *fields.addresses))),
        body=prepare("\n".join(line for line in (*lines, *(forms[0] for forms in said)) if line)),
        files=prepare("\n".join(form for forms in said for form in forms[1:])),
    )


def row_of_note(note: Any) -> FoundText:
    """What can be found of a note or a call."""
    return _row(
        position=position_of_note(note.record_id, note.pk),
        account_id=note.account_id,
        record_id=note.record_id,
        note_id=note.pk,
        scope=scope_of_records(note.account_id),
        body=prepare(note.text),
    )


def row_of_letter(activity: Any, text: tuple[str, str] | None) -> FoundText:
    """What can be found of a letter in CRM."""
    body, files = text or (prepare(activity.snippet), "")
    return _row(
        position=position_of_letter(activity.received_at, activity.pk),
        account_id=activity.account_id,
        activity_id=activity.pk,
        is_whole=text is not None,
        scope=scope_of_letters(activity.account_id),
        **_head(activity),
        body=body,
        files=files,
    )


def _head(activity: Any) -> dict[str, str]:
    return {
        "sender": prepare(f"{activity.from_name} {activity.from_address}"),
        "recipients": _names(activity, "to"),
        "copies": _names(activity, "cc", "bcc"),
        "subject": prepare(activity.subject),
    }


def position_of_record(record_id: int) -> int:
    """The key of a record in the index."""
    return -(record_id << 31)


def position_of_note(record_id: int, note_id: int) -> int:
    """The key of a note of a record: beside the record's."""
    return -(record_id << 31 | note_id)


def scope_of_records(account_id: int) -> str:
    """What a search for records of this account is confined to inside the index (P9)."""
    return f"r{account_id}"


def scope_of_letters(account_id: int) -> str:
    """The same for letters."""
    return f"l{account_id}"


def _own_said(record_ids: Sequence[int]) -> dict[int, list[list[str]]]:
    """By record what its own fields say, each as people type it; not yes or no, which says nothing without the field.

    In an order that no administrator changes: what can be found stays the same when fields are moved.
    """
    said = OwnValue.objects.filter(record__in=record_ids, field__is_retired=False).select_related("option")
    own: dict[int, list[list[str]]] = {}
    for value in said.order_by("field", "option"):
        own.setdefault(value.record_id, []).append(_typed(value))
    return own


def _typed(value: Any) -> list[str]:
    if value.number is not None:
        return number_typed(value.number, value.currency)
    if value.day is not None:
        return day_typed(value.day)
    return [value.option.name if value.option else value.text]


def _names(activity: Any, *kinds: str) -> str:
    people = activity.recipients
    return prepare(" ".join(f"{name} {address}" for kind in kinds for name, address in people.get(kind, ())))


def _row(**values: Any) -> FoundText:
    row: FoundText = rows.make(FoundText, **values)
    row.vector = _vector(row)
    return row


def _vector(row: FoundText) -> str | None:
    vector: str | None = full_text.vector({name: getattr(row, name) for name in TEXTS}, row.scope)
    return vector
