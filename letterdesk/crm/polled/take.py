"""Takes a letter of a polled mailbox into CRM, decided as one of a Webmail mailbox is, whatever the plan (R30).

The mailbox is trusted as such: no address has to be secret. Who sends is shown as proved or not all the same; what
lies in a folder of sent letters was written by whoever has the mailbox, if it names an address of ours as its sender.
"""

from datetime import datetime

from django.db import transaction

from letterdesk.intake.doors import Arrival, Door, Place
from letterdesk.intake.models import Arrived, State
from letterdesk.intake.states import leave, mine
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mail.authentic import Proof
from letterdesk.mail.letters import Letter
from letterdesk.mail.parse import parse_many
from letterdesk.mail.reports import read_report
from letterdesk.mailboxes.retention.receipts import lock

from ..linking.decide import WhyNot
from ..linking.ground import addresses_of, ours_of, system_addresses
from ..linking.taking import SHOWN, Answer, Taking, colleague_with, facts_of, tell_saved
from ..models import Activity, PolledLetter
from ..sendsave.meant import Meant, Way, Written, from_whom, without_secret, written
from ..sendsave.secret import is_secret
from ..sendsave.take import NO_ADDRESS, REPORT
from .look import DOOR
from .reports import is_believed

# Letters that are none of CRM's business, private ones among them: who wrote and the subject are all that is kept.
UNKEPT = frozenset({WhyNot.INTERNAL, WhyNot.EXCLUDED, WhyNot.UNKNOWN_OFF, WhyNot.AUTOMATIC, NO_ADDRESS})


def is_kept(row: Arrived) -> bool:
    """Whether the bytes of a letter that was fetched are here, so that it can be read and saved all the same."""
    return row.state != State.DONE and not (row.state == State.LEFT_OUT and row.why in UNKEPT)


def take(arrival: Arrival, now: datetime) -> None:
    """Decide about a letter that was fetched (`intake.doors.Door.take`). A report about a letter of ours reaches that,
    as one that comes by SMTP does, and is needed no more.
    """
    report = read_report(arrival.raw)
    if report is not None and is_believed(arrival, report, now=now):
        leave(arrival.row, State.DONE, why=REPORT, now=now)
        return
    is_proved = arrival.evidence.proof == Proof.GIVEN
    _take(arrival.row, arrival.letter, now=now, is_proved=is_proved, is_report=report is not None)


def take_as_said(row: Arrived, said: Answer, *, now: datetime) -> list[Activity]:
    """Take one that was left out, because a person says so; returns its activities, none: somebody was quicker."""
    if not is_kept(row):
        return []
    [letter] = parse_many([blobs.get(row.account_id, row.blob)])
    return _take(row, letter, now=now, is_proved=True, said=said) if isinstance(letter, Letter) else []


@transaction.atomic
def _take(
    row: Arrived,
    letter: Letter,
    *,
    now: datetime,
    is_proved: bool,
    said: Answer | None = None,
    is_report: bool = False,
) -> list[Activity]:
    lock(row.account_id)
    if mine(row, *([State.ASKED, State.LEFT_OUT] if said else [State.WAITING])) is None:
        return []
    found = PolledLetter.objects.filter(arrived=row).select_related("folder", "mailbox__account", "mailbox__made_by")
    polled = found.first()
    if polled is None:
        leave(row, State.LEFT_OUT, why=NO_ADDRESS, now=now, is_kept=False)
        return []
    outer = written(letter, blob=row.blob, size=row.size, received_at=polled.received_at)
    outer.is_automatic |= is_report
    if _is_letterdesk_s(row, outer):
        leave(row, State.DONE, now=now)
        return []
    meant = Meant(without_secret(outer, is_secret), Way.REDIRECTED)
    if said is not None and said.address:
        meant = from_whom(outer, said.name, said.address)
    taking = _taking(polled, row, outer, now=now, is_proved=is_proved, said=said, text=letter.text[:SHOWN])
    taking.take(meant)
    if taking.activities:
        leave(row, State.DONE, now=now)
    else:
        keeps = taking.why not in UNKEPT
        facts = facts_of(outer, None, taking.text if keeps else "")
        leave(row, State.LEFT_OUT, why=taking.why, now=now, facts=facts, is_kept=keeps)
    tell_saved(taking)
    reach("polled.before_taken")
    return taking.activities


def _is_letterdesk_s(row: Arrived, outer: Written) -> bool:
    """Whether our own system wrote it: an invitation, a link to reset a password. Nobody looks for these in CRM.

    Not where Letterdesk writes from an address that is a mailbox of the company's as well.
    """
    sender = address_key(outer.from_address)
    return sender in system_addresses() and sender not in addresses_of(row.account_id)


def _taking(
    polled: PolledLetter,
    row: Arrived,
    outer: Written,
    *,
    now: datetime,
    is_proved: bool,
    said: Answer | None,
    text: str,
) -> Taking:
    ours = ours_of(row.account_id)
    role = polled.folder.role or "folder"
    sender = address_key(outer.from_address)
    is_ours = sender in ours
    if role == "sent":
        is_proved = is_proved or is_ours or sender == address_key(polled.mailbox.imap_user)
    elif is_ours and is_proved and colleague_with(row.account_id, outer.from_address):
        role = "sent"  # a copy to this mailbox of what a colleague wrote
    return Taking(
        row, polled.mailbox, now, ours, is_proved, None, said, text, role=role,
        is_older=polled.is_older and not polled.mailbox.older_makes,
    )  # fmt: skip


def _no_address(_local: str, _now: datetime) -> Place | None:
    """No letter comes by SMTP for a polled mailbox."""
    return None


# Whoever writes to such a mailbox can write findings of a mail server on top, and that server did not see the letter.
POLLED: Door = Door(DOOR, _no_address, take, is_behind_ours=False)
