"""Keeps letters before they are acknowledged: bytes on disk, then a row for each of their addresses, committed (R30).

A crash before the commit leaves a letter that the sender still has, and loose bytes for the collector; one after it a
letter that is there, and perhaps comes again: the same bytes for the same address are one row.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import close_old_connections, transaction
from django.utils import timezone

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes import collect, rows

from .doors import Place, place_of
from .jobs import take_these, take_these_at_leisure
from .models import Arrived

AT_ONCE = 10  # letters that one job looks at


class SomeEnded(Exception):
    """Of the addresses of a letter some are nobody's any more: its sender tries again, and hears which."""


class Keeper:
    """What the SMTP server asks (`mail.smtpd.Keeper`); called in threads of its own."""

    def knows(self, address: str) -> bool:
        """Whether somebody takes letters there now."""
        close_old_connections()
        return place_of(address, timezone.now()) is not None

    def keep(self, letters: Sequence[Handed]) -> list[bool]:
        """Keep all; returns for each whether somebody takes it. Raises what the disk or the database raise."""
        close_old_connections()
        return keep(letters, now=timezone.now())


def keep(letters: Sequence[Handed], *, now: datetime) -> list[bool]:
    """Everything is durable when this returns. Raises SomeEnded; nothing was kept then."""
    whose: dict[str, Place | None] = {}
    places = [_places(letter, now, whose) for letter in letters]
    of_account: defaultdict[int, list[tuple[Handed, Place]]] = defaultdict(list)
    for letter, found in zip(letters, places, strict=True):
        for place in found:
            of_account[place.account_id].append((letter, place))
    for account_id, wanted in of_account.items():
        _store(account_id, wanted, now)
    reach("intake.kept")
    return [bool(found) for found in places]


def _places(letter: Handed, now: datetime, whose: dict[str, Place | None]) -> list[Place]:
    """Where the letter goes; each address is asked for once, whatever letters name it."""
    for address in letter.recipients:
        if address not in whose:
            whose[address] = place_of(address, now)
    found = [place for address in letter.recipients if (place := whose[address]) is not None]
    if found and len(found) < len(letter.recipients):
        raise SomeEnded
    return list(dict.fromkeys(found))


def _store(account_id: int, wanted: Sequence[tuple[Handed, Place]], now: datetime) -> None:
    write(account_id, [letter.raw for letter, _place in wanted], now=now)
    reach("intake.before_commit")
    with transaction.atomic():
        enter(account_id, wanted, now=now)


def write(account_id: int, raws: Sequence[bytes], *, now: datetime) -> None:
    """The bytes of letters are on disk when this returns; nobody holds them yet. Outside any transaction."""
    by_hash = {blobs.hash_of(raw): raw for raw in raws}
    collect.announce(account_id, by_hash, now=now)
    blobs.put(account_id, by_hash)


def enter(
    account_id: int, wanted: Sequence[tuple[Handed, Place]], *, now: datetime, is_urgent: bool = True
) -> list[Arrived]:
    """Rows for letters that were written, looked at after the caller's transaction; returns the new ones.

    Those that are not urgent are looked at when nothing else is to be done (D13).
    """
    made = _new_rows(account_id, wanted, now)
    rows.insert_with_keys(made, known_by="public_id")
    collect.hold_each(account_id, [(each.blob, each.holder) for each in made], now=now)
    for start in range(0, len(made), AT_ONCE):
        look = take_these if is_urgent else take_these_at_leisure
        look.later([each.pk for each in made[start : start + AT_ONCE]])
    return made


def _new_rows(account_id: int, wanted: Sequence[tuple[Handed, Place]], now: datetime) -> list[Arrived]:
    """A row for each letter and address that is not there yet. One process keeps at a time for each address."""
    made: dict[tuple[str, str], Arrived] = {}
    for letter, place in wanted:
        blob = blobs.hash_of(letter.raw)
        made[place.address, blob] = rows.make(
            Arrived,
            account_id=account_id,
            door=place.door,
            address=place.address,
            blob=blob,
            size=len(letter.raw),
            sender=letter.sender[:320],
            arrived_at=now,
            due_at=now,
        )
    addresses, hashes = {address for address, _ in made}, {blob for _, blob in made}
    there = Arrived.objects.filter(address__in=addresses, blob__in=hashes).values_list("address", "blob")
    for known in there:
        made.pop(known, None)
    return list(made.values())
