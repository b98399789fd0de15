"""People write notes at a record, and log calls; who wrote one changes it, deletes it and brings it back.

On every plan. A note goes into the bin alone or with its record, and follows it when records become one (`merge.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell

from ..models import Direction, Note, Record
from ..search.index import index_notes
from .bin import NotInBin
from .change import ChangedMeanwhile, InBin, lock

LONGEST = 20_000  # characters
MOST_MINUTES = 24 * 60
AHEAD = timedelta(minutes=5)  # clocks differ


class BadNote(ValueError):
    """This cannot be kept as a note or a call; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person writes. A call has a direction and a moment (UTC); its text may be empty, a note's may not."""

    text: str
    direction: str = ""
    at: datetime | None = None
    minutes: int | None = None


@transaction.atomic
def write(record: Record, said: Said, *, by: Employee, now: datetime) -> Note:
    """Keep a note or a call at a record, which was active then. Raises BadNote, InBin."""
    lock(record)
    said = _checked(said, now)
    made = Note.objects.create(
        account_id=record.account_id, record=record, by=by, written_at=now, at=said.at or now,
        text=said.text, direction=said.direction, minutes=said.minutes,
    )  # fmt: skip
    Record.objects.filter(pk=record.pk, active_at__lt=made.at).update(active_at=made.at)
    index_notes([made])
    _tell("note.written", made, by)
    return made


@transaction.atomic
def change(note: Note, said: Said, *, by: Employee, now: datetime, seen: str = "") -> bool:
    """Write it anew; a note stays a note and a call a call. Returns whether anything is new.

    `seen`: the `version_of` what the person saw; empty: whatever it was. Raises BadNote, InBin, ChangedMeanwhile.
    """
    row = _held(note, by)
    if seen and seen != version_of(row):
        raise ChangedMeanwhile
    said = _checked(said, now)
    if bool(said.direction) != row.is_call:
        raise BadNote(_("A note stays a note, and a call a call. Write a new one."))
    wanted = (said.text, said.direction, said.at or row.at, said.minutes)
    if (row.text, row.direction, row.at, row.minutes) == wanted:
        return False
    note.text, note.direction, note.at, note.minutes = wanted
    note.changed_at = now
    note.save(update_fields=["text", "direction", "at", "minutes", "changed_at"])
    index_notes([note])
    _tell("note.changed", note, by)
    return True


def version_of(note: Note) -> str:
    """What `change` would replace: another word after every change."""
    return str(int((note.changed_at or note.written_at).timestamp() * 1_000_000))


@transaction.atomic
def remove(note: Note, *, by: Employee, now: datetime) -> None:
    """Put it into the bin. Raises InBin."""
    _held(note, by)
    note.deleted_at = now
    note.save(update_fields=["deleted_at"])
    index_notes([note])
    _tell("note.deleted", note, by)


@transaction.atomic
def bring_back(note: Note, *, by: Employee, now: datetime) -> None:
    """Take it out of the bin, back to its record. Raises NotInBin, and InBin where the record lies there itself."""
    lock(note.record)
    if not Note.objects.in_bin(now).filter(pk=note.pk, by=by).update(deleted_at=None):
        raise NotInBin
    note.refresh_from_db()
    index_notes([note])
    _tell("note.restored", note, by)


def notes_in_bin(employee: Employee, *, now: datetime) -> QuerySet[Note]:
    """The employee's own notes and calls that can still be restored, what went in last first."""
    found: QuerySet[Note] = Note.objects.editable_by(employee).in_bin(now).filter(record__deleted_at=None)
    return found.select_related("record").order_by("-deleted_at", "-pk")


def _held(note: Note, by: Employee) -> Note:
    """The row as it is, held until the end of the transaction. Raises InBin."""
    lock(note.record)
    row: Note | None = Note.objects.select_for_update().filter(pk=note.pk, deleted_at=None).first()
    if row is None:
        raise InBin
    if row.by_id != by.pk:
        raise ValueError(f"note {note.pk} is not of employee {by.pk}")
    return row


def _checked(said: Said, now: datetime) -> Said:
    text = said.text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise BadNote(_("This is longer than %(most)d characters. Write it in parts.") % {"most": LONGEST})
    if not said.direction:
        if not text:
            raise BadNote(_("Write something first."))
        return Said(text)
    if said.direction not in Direction.values:
        raise BadNote(_("Say who called: a client, or one of us."))
    if said.at is not None and said.at > now + AHEAD:
        raise BadNote(_("The call would be in the future. For what is to come make a task."))
    if said.minutes is not None and not 0 <= said.minutes <= MOST_MINUTES:
        raise BadNote(_("A call lasts from 0 to %(most)d minutes.") % {"most": MOST_MINUTES})
    return Said(text, said.direction, said.at, said.minutes)


def _tell(kind: str, note: Note, by: Employee) -> None:
    what = "call" if note.is_call else "note"
    tell(kind, account=by.account, by=by, subject=note.record.reference, what=what, note=note.public_id)
