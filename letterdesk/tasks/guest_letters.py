"""What guests of tasks write becomes comments; what nobody proves, or does not fit, waits for one of us (0033).

No letter that a program wrote makes a comment, and no comment of a guest makes a letter: so nothing goes in a circle.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.intake.doors import Arrival, Door
from letterdesk.intake.jobs import CROWDED
from letterdesk.intake.jobs import take as look_again
from letterdesk.intake.models import FAILED_TRIES, Arrived, State
from letterdesk.intake.states import again, leave, mine
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mail.authentic import Proof
from letterdesk.mail.letters import Letter
from letterdesk.mail.parse import parse_many
from letterdesk.mail.reports import read_report
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.columns import clean

from .bin import holder_of
from .files import MOST
from .guest_reach import came_back
from .guest_reading import Reading, read
from .guests import DOOR, OPEN, TASK_GONE, find
from .models import Comment, Guest, Task, TaskFile

PER_HOUR = 30  # comments of one guest
MOST_WAITING = 20  # letters of one guest; a further one is not kept, and counted on the task's page
SHOWN = 500  # characters of a letter that waits


class Why(StrEnum):
    """Why a letter is no comment by itself."""

    UNPROVED = "unproved"
    OTHER = "other_sender"
    REMOVED = "removed"
    IN_BIN = "in_bin"
    TOO_MANY = "too_many"
    TWICE = "twice"
    FULL = "full"
    AUTOMATIC = "automatic"
    AWAY = "away"
    REPORT = "report"
    DROPPED = "dropped"
    CROWDED = CROWDED


WAITS = frozenset({Why.UNPROVED, Why.OTHER, Why.REMOVED, Why.IN_BIN, Why.TOO_MANY, Why.TWICE, Why.FULL, Why.AUTOMATIC})
WORDS: dict[str, str | Promise] = {
    Why.UNPROVED: _("Nothing proves who sent it."),
    Why.OTHER: _("It came from another address than the guest's."),
    Why.REMOVED: _("It came while this guest was being removed."),
    Why.IN_BIN: _("It came while the task went into the bin."),
    Why.TOO_MANY: _("This guest wrote more than %(most)d times within an hour."),
    Why.TWICE: _("It has the Message-ID of an earlier letter, and says something else."),
    Why.FULL: _("Its files have no room: a task has %(files)d files at the most. Remove some first."),
    Why.AUTOMATIC: _("A program seems to have written it."),
    "unreadable": _("It cannot be read. Its original is kept."),
    "failed": _("Looking at it failed several times. Its original is kept."),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to know of a letter and its guest. `lately`: comments of theirs within the hour."""

    sender: str
    guest: str
    is_proved: bool
    is_automatic: bool = False
    is_away: bool = False
    is_removed: bool = False
    is_in_bin: bool = False
    is_twice: bool = False  # its Message-ID is a comment's that says something else
    lately: int = 0
    files: int = 0
    room: int = MOST


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Letters that programs wrote, those of them that can be looked at, and how many were too many to wait."""

    automatic: list[Arrived]
    kept: list[Arrived]
    crowded: int


def decide(seen: Seen) -> Why | None:
    """Why it is no comment yet, or never; None: it is one."""
    checks = (
        (Why.AWAY, seen.is_away),
        (Why.REMOVED, seen.is_removed),
        (Why.IN_BIN, seen.is_in_bin),
        (Why.OTHER, seen.sender != seen.guest),
        (Why.UNPROVED, not seen.is_proved),
        (Why.AUTOMATIC, seen.is_automatic),
        (Why.TOO_MANY, seen.lately >= PER_HOUR),
        (Why.TWICE, seen.is_twice),
        (Why.FULL, seen.files > seen.room),
    )
    return next((why for why, holds in checks if holds), None)


def take(arrival: Arrival, now: datetime) -> None:
    """Decide about a letter that came (`intake.doors.Door.take`)."""
    report = read_report(arrival.raw)
    if report is not None or not arrival.row.sender:
        if report is not None:
            came_back(arrival.row.address, report, now=now)
        _leave_out(arrival.row, arrival.letter, Why.REPORT, now=now)
        return
    _take(arrival.row, read(arrival.raw, arrival.letter), now=now, is_proved=arrival.evidence.proof == Proof.GIVEN)


def accept(row: Arrived, *, by: Employee, now: datetime) -> bool:
    """One of us says that it is a comment of the guest. Outside any transaction; the caller found it by right.

    False: somebody was quicker, it cannot be read, or it still does not fit (it says so then).
    """
    raw = blobs.get(row.account_id, row.blob)
    [letter] = parse_many([raw])
    return isinstance(letter, Letter) and _take(row, read(raw, letter), now=now, is_proved=True, by=by)


@transaction.atomic
def drop(row: Arrived, *, by: Employee, now: datetime) -> bool:
    """It is no comment. False: somebody was quicker."""
    if mine(row, *OPEN) is None:
        return False
    leave(row, State.LEFT_OUT, why=Why.DROPPED, now=now)
    guest = Guest.objects.select_related("account", "task").get(public_id=row.address)
    record("task.guest_dropped", account=guest.account, by=by, topic=guest.task.topic, subject=guest.task.reference,
           guest=guest.public_id)  # fmt: skip
    return True


@transaction.atomic
def try_again(row: Arrived, *, now: datetime) -> bool:
    """Look at once at a letter that could not be read or failed. False: somebody was quicker."""
    is_anew = again(row, State.UNREADABLE, State.WAITING, now=now)
    if is_anew:
        look_again.later(row.pk)
    return is_anew


def waiting(guests: QuerySet[Guest]) -> QuerySet[Arrived]:
    """Letters at these guests' addresses that wait for one of us, in their order."""
    failed = Q(state=State.WAITING, tries__gte=FAILED_TRIES)
    at = Arrived.objects.filter(door=DOOR, address__in=guests.values("public_id"))
    return at.filter(Q(state__in=[State.ASKED, State.UNREADABLE]) | failed).order_by("arrived_at", "pk")


def readable(guests: QuerySet[Guest]) -> QuerySet[Arrived]:
    """Letters at these guests' addresses that can be read as they came: those that wait, and what programs wrote."""
    return waiting(guests) | _left_out(guests, Why.AWAY, Why.REPORT).exclude(facts={})


def left_out(guests: QuerySet[Guest]) -> LeftOut:
    """What of the last 30 days was no comment, and waits for nobody, the latest first; the caller has the right."""
    rows = list(_left_out(guests, Why.AWAY, Why.REPORT, Why.CROWDED).order_by("-arrived_at", "-pk"))
    crowded = [each for each in rows if each.why == Why.CROWDED]
    automatic = [each for each in rows if each.why != Why.CROWDED]
    return LeftOut(automatic, [each for each in automatic if each.facts], len(crowded))


def _left_out(guests: QuerySet[Guest], *whys: Why) -> QuerySet[Arrived]:
    at = Arrived.objects.filter(door=DOOR, address__in=guests.values("public_id"))
    found: QuerySet[Arrived] = at.filter(state=State.LEFT_OUT, why__in=whys)
    return found


def why(row: Arrived) -> str:
    """Why it waits, in words."""
    code = "failed" if row.state == State.WAITING else row.why
    return str(WORDS.get(code, "")) % {"most": PER_HOUR, "files": MOST}


def _take(row: Arrived, reading: Reading, *, now: datetime, is_proved: bool, by: Employee | None = None) -> bool:
    bytes_of = {blobs.hash_of(each.raw): each.raw for each in reading.files} | {row.blob: reading.raw}
    collect.announce(row.account_id, bytes_of, now=now)
    blobs.put(row.account_id, bytes_of)
    with transaction.atomic():
        guest = _locked_guest(row)
        held = mine(row, State.ASKED if by else State.WAITING)
        if held is None:
            return False
        if guest is None:
            leave(row, State.LEFT_OUT, why=TASK_GONE, now=now)
            return False
        reading = _unheld(guest, reading)
        found = decide(_seen(guest, reading, is_proved=is_proved, by=by, now=now))
        if found is None:
            _comment(guest, reading, row.blob, by=by, now=now)
            leave(row, State.DONE, now=now, facts={})
        else:
            _put_aside(row, guest, reading, found, now=now)
        reach("guest.before_commit")
    return found is None


def _locked_guest(row: Arrived) -> Guest | None:
    """The task first, as everywhere in this room."""
    rows = Guest.objects.select_related("account", "task").filter(public_id=row.address)
    guest: Guest | None = rows.first()
    if guest is None or not Task.objects.select_for_update(no_key=True).filter(pk=guest.task_id).exists():
        return None
    guest.refresh_from_db(fields=["removed_at"])
    guest.task.refresh_from_db(fields=["deleted_at"])
    return guest


def _unheld(guest: Guest, reading: Reading) -> Reading:
    """Without the files that the task has already: a letter that is passed on brings all of them once more."""
    brought = {blobs.hash_of(each.raw): each for each in reading.files}
    held = set(guest.task.files.filter(blob__in=brought).values_list("blob", flat=True)) if brought else set()
    return replace(reading, files=[each for blob, each in brought.items() if blob not in held])


def _known(guest: Guest, reading: Reading) -> QuerySet[Comment]:
    message_id = reading.letter.message_id
    known = Comment.objects.filter(guest=guest, message_id=message_id)
    return known if message_id else known.none()


def _says_more(guest: Guest, reading: Reading) -> bool:
    """Whether a letter with a known Message-ID says what no comment does: programs there are that give one twice."""
    return bool(reading.files) or not _known(guest, reading).filter(text=reading.text).exists()


def _seen(guest: Guest, reading: Reading, *, is_proved: bool, by: Employee | None, now: datetime) -> Seen:
    """A person who says that it is the guest's has seen from whom it is, and how many there are."""
    sender = address_key(reading.letter.sender.address) if reading.letter.sender else ""
    lately = Comment.objects.filter(guest=guest, at__gt=now - timedelta(hours=1))
    room = MOST - guest.task.files.count()
    facts: dict[str, Any] = {"files": len(reading.files), "room": room, "is_proved": is_proved}
    in_bin = guest.task.deleted_at is not None
    if by is not None:
        return Seen(guest.key, guest.key, is_in_bin=in_bin, **facts)
    letter, is_removed = reading.letter, guest.removed_at is not None
    is_twice = _known(guest, reading).exists() and _says_more(guest, reading)
    return Seen(sender, guest.key, is_automatic=letter.is_automatic, is_away=letter.is_auto_reply,
                is_removed=is_removed, is_in_bin=in_bin, is_twice=is_twice, lately=lately.count(), **facts)  # fmt: skip


def _comment(guest: Guest, reading: Reading, letter: str, *, by: Employee | None, now: datetime) -> None:
    """Its comment, its files, the bytes of its `letter`. The same one in other bytes, by another way, is no second."""
    if _known(guest, reading) and not _says_more(guest, reading):
        return
    sender = reading.letter.sender.address if reading.letter.sender else ""
    made = Comment.objects.create(
        account_id=guest.account_id, task=guest.task, guest=guest, text=reading.text, rest=reading.rest, letter=letter,
        at=now, message_id=reading.letter.message_id, confirmed_by=by,
        from_address="" if address_key(sender) == guest.key else sender[:320],
    )  # fmt: skip
    blob_of = [(each, blobs.hash_of(each.raw)) for each in reading.files]
    held = {letter, *(blob for _each, blob in blob_of)}
    collect.hold(guest.account_id, held, holder=holder_of(guest.task), now=now)
    TaskFile.objects.bulk_create(
        TaskFile(
            account_id=guest.account_id,
            task=guest.task,
            comment=made,
            blob=blob,
            filename=each.name[:300],
            content_type=each.content_type[:255],
            size=len(each.raw),
            at=now,
        )
        for each, blob in blob_of
    )
    Guest.objects.filter(pk=guest.pk).update(unreachable_at=None, unreachable_why="")
    record("task.commented", account=guest.account, topic=guest.task.topic, subject=guest.task.reference,
           guest=guest.public_id)  # fmt: skip


def _put_aside(row: Arrived, guest: Guest, reading: Reading, found: Why, *, now: datetime) -> None:
    if found not in WAITS:
        _leave_out(row, reading.letter, found, now=now)
        return
    if _is_crowded(row, State.ASKED):
        leave(row, State.LEFT_OUT, why=Why.CROWDED, now=now, is_kept=False)
        return
    said = {"text": clean(reading.text, SHOWN), "files": len(reading.files)}
    leave(row, State.ASKED, why=found, now=now, facts=_facts(reading.letter) | said)
    record("task.guest_waits", account=guest.account, topic=guest.task.topic, subject=guest.task.reference,
           guest=guest.public_id, why=found.value)  # fmt: skip


def _leave_out(row: Arrived, letter: Letter, why: Why, *, now: datetime) -> None:
    """A program's letter is no comment; so many of them can be looked at for 30 days, further ones are counted."""
    is_kept = not _is_crowded(row, State.LEFT_OUT)
    leave(row, State.LEFT_OUT, why=why, now=now, is_kept=is_kept, facts=_facts(letter) if is_kept else {})


def _is_crowded(row: Arrived, state: State) -> bool:
    """Whether as many others at the guest's address are in this state, with their bytes, as may be."""
    others = Arrived.objects.filter(door=DOOR, address=row.address, state=state).exclude(pk=row.pk).exclude(facts={})
    return others.count() >= MOST_WAITING


def _facts(letter: Letter) -> dict[str, Any]:
    sender = letter.sender
    return {
        "subject": letter.subject[:300],
        "from_name": sender.name[:200] if sender else "",
        "from_address": sender.address[:320] if sender else "",
    }


GUESTS: Door = Door(DOOR, find, take, most_unreadable=MOST_WAITING)
