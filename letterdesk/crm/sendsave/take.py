"""Takes what came to a secret address into CRM: activities, and leads where that is set (R30).

No plan, no trial, no period keeps anything out: exempt from R1, R2, R11, R12, R18 to R21 and R28. A sender who is not
proved makes nothing and is marked, until a person confirms it (D09). What nobody can tell, or nobody knows, asks a
person and is never lost.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from letterdesk.events.record import record as tell
from letterdesk.intake.doors import Arrival, Door
from letterdesk.intake.models import Arrived, State
from letterdesk.intake.states import leave, mine
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mail.authentic import Proof
from letterdesk.mail.charsets import decode
from letterdesk.mail.dates import zone_of
from letterdesk.mail.forwards import forwarded_in
from letterdesk.mail.headers import read_head
from letterdesk.mail.letters import Letter
from letterdesk.mail.parse import parse_many, read_body, read_part
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.retention.receipts import lock

from ..linking.ground import ours_of
from ..linking.taking import SHOWN, Answer, Taking, colleague_with, facts_of, tell_saved, written_to
from ..models import Activity, SendSaveAddress
from .addresses import DOOR, find
from .meant import Meant, Unclear, Way, Written, from_whom, is_unread, meant_by, written
from .secret import is_secret

MOST_ATTACHED = 20  # letters attached to one
REPORT, NO_ADDRESS, IN_PART = "report", "no_address", "in_part"
LETTERS = frozenset({"message/rfc822", "message/global"})


def take(arrival: Arrival, now: datetime) -> None:
    """Decide about a letter that came (`intake.doors.Door.take`)."""
    _take(arrival.row, arrival.raw, arrival.letter, now=now, is_proved=arrival.evidence.proof == Proof.GIVEN)


def take_as_said(row: Arrived, said: Answer, *, now: datetime) -> list[Activity]:
    """Take a letter that asked, as a person says; returns its activities, none: somebody else was quicker."""
    raw = blobs.get(row.account_id, row.blob)
    [letter] = parse_many([raw])
    if not isinstance(letter, Letter):
        return []
    return _take(row, raw, letter, now=now, is_proved=True, said=said)


def _take(
    row: Arrived, raw: bytes, letter: Letter, *, now: datetime, is_proved: bool, said: Answer | None = None
) -> list[Activity]:
    outer = written(letter, blob=row.blob, size=row.size, received_at=row.arrived_at)
    attached, missed = _attached(row, raw, letter)
    bytes_of = {blob: content for _letter, blob, content in attached}
    if bytes_of:
        collect.announce(row.account_id, bytes_of, now=now)
        blobs.put(row.account_id, bytes_of)
    forwarded = forwarded_in(read_body(raw), zone_of(decode(read_head(raw).first("date"))))
    with transaction.atomic():
        lock(row.account_id)
        held = mine(row, *([State.ASKED, State.LEFT_OUT] if said else [State.WAITING]))
        address = SendSaveAddress.objects.filter(public_id=row.address).select_related("employee", "made_by").first()
        if held is None:
            return []
        if address is None:
            leave(row, State.LEFT_OUT, why=NO_ADDRESS, now=now)
            return []
        collect.hold(row.account_id, list(bytes_of), holder=row.holder, now=now)
        ours = ours_of(row.account_id)
        inner = [each for each, _blob, _content in attached]
        meant = meant_by(outer, ours=ours, is_secret=is_secret, attached=inner, forwarded=forwarded)
        if said is not None and said.address:
            meant = [from_whom(outer, said.name, said.address)]
        forwarder = said.by if said else (colleague_with(row.account_id, outer.from_address) if is_proved else None)
        is_proved = is_proved and (forwarder is not None or address_key(outer.from_address) not in ours)  # who left
        taking = Taking(row, address, now, ours, is_proved, forwarder, said, letter.text[:SHOWN])
        _carry_out(taking, outer, meant, missed + is_unread(forwarded, inner))
        reach("sendsave.before_commit")
        return taking.activities


def _carry_out(taking: Taking, outer: Written, meant: Sequence[Meant] | Unclear, missed: int) -> None:
    row, now = taking.row, taking.now
    if not row.sender and taking.said is None:  # RFC 5321 4.5.5: a report, or a program's answer
        leave(row, State.LEFT_OUT, why=REPORT, now=now, facts=facts_of(outer, None, taking.text))
        return
    if isinstance(meant, Unclear):
        _ask(taking, meant.value, facts_of(outer, None, taking.text))
        return
    for each in meant:
        taking.take(each)
    _settle(taking, outer, meant, missed)
    tell_saved(taking)


def _settle(taking: Taking, outer: Written, meant: Sequence[Meant], missed: int) -> None:
    """What becomes of the letter that came: its bytes are let go where an activity has them, or all that it held."""
    row, now = taking.row, taking.now
    is_held = any(each.blob == row.blob for each in taking.activities)
    left = taking.left + (missed if meant[0].way == Way.FORWARD else 0)
    facts = facts_of(outer, meant[0].letter, taking.text)
    if meant[0].way == Way.COPY:  # who is unknown is whom a colleague wrote to
        facts["written_to"] = written_to(meant[0].letter, taking.ours)
    if taking.asks and not is_held:
        _ask(taking, taking.why, facts)
    elif is_held or not left:
        leave(row, State.DONE, now=now)
    elif taking.activities or missed:
        _ask(taking, IN_PART, facts_of(outer, None, taking.text) | {"left": left})
    else:
        leave(row, State.LEFT_OUT, why=taking.why, now=now, facts=facts)


def _ask(taking: Taking, why: str, facts: dict[str, Any]) -> None:
    """A person has to say what it is, and is told so (`notifications`)."""
    leave(taking.row, State.ASKED, why=why, now=taking.now, facts=facts)
    tell("sendsave.asked", account=taking.at.account, subject=taking.row.holder)


def _attached(row: Arrived, raw: bytes, letter: Letter) -> tuple[list[tuple[Written, str, bytes]], int]:
    """The letters attached to this one that can be read, with their bytes, and how many there are besides."""
    parts = [part for part in letter.parts if part.content_type in LETTERS or part.filename.lower().endswith(".eml")]
    raws = [read_part(raw, part.index) for part in parts[:MOST_ATTACHED]]
    found = []
    for content, inner in zip(raws, parse_many(raws), strict=True):
        if isinstance(inner, Letter) and inner.sender and "@" in inner.sender.address:
            blob = blobs.hash_of(content)
            at = min(inner.sent_at or row.arrived_at, row.arrived_at)
            found.append((written(inner, blob=blob, size=len(content), received_at=at), blob, content))
    return found, len(parts) - len(found)


SENDSAVE: Door = Door(DOOR, find, take)
