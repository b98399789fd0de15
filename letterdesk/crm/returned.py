"""Reports about letters of verified senders come to addresses of their own, and are believed of those letters alone.

Whatever else is sent there – somebody is away, a person answers a robot's address – is dropped, and nobody is answered:
two programs would write to each other for ever (RFC 3834 2).
"""

from datetime import datetime

from letterdesk.intake.doors import Arrival, Door, Place
from letterdesk.intake.models import State
from letterdesk.intake.states import leave
from letterdesk.mail.reports import read_report
from letterdesk.outbound.bounces import believe_about
from letterdesk.outbound.models import Delivery
from letterdesk.outbound.return_path import delivery_at

DOOR = "returned"


def find(local: str, _now: datetime) -> Place | None:
    """Whose address this is (`intake.doors.Door.find`)."""
    letter = delivery_at(local)
    return Place(letter.account_id, DOOR, letter.public_id) if letter else None


def take(arrival: Arrival, now: datetime) -> None:
    """Read a report, and drop the rest (`intake.doors.Door.take`). Nobody needs the bytes any more."""
    report = read_report(arrival.raw)
    letter = Delivery.objects.filter(public_id=arrival.row.address, account=arrival.row.account_id).first()
    if report is not None and letter is not None:
        believe_about(letter, report, now=now)
    leave(arrival.row, State.DONE, why="report" if report else "no_report", now=now)


RETURNED = Door(DOOR, find, take)
