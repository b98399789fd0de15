"""Letters beside Webmail of which a person has to say what they are, and those that were not taken (R30, D09)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee, Role
from letterdesk.events.record import record as tell
from letterdesk.intake.jobs import take
from letterdesk.intake.models import FAILED_TRIES, Arrived, State
from letterdesk.intake.states import again, leave, mine
from letterdesk.mail.addresses import read_addresses

from ..access import seeing_all
from ..models import Activity, PolledMailbox, SendSaveAddress
from ..polled import look as polled_look
from ..polled import take as polled_take
from ..sendsave.addresses import DOOR
from ..sendsave.meant import Unclear
from ..sendsave.take import IN_PART, NO_ADDRESS, REPORT, take_as_said
from .taking import UNKNOWN, UNPROVED, Answer
from .words import WHY_NOT

DROPPED = "dropped"
OPEN = (State.ASKED, State.UNREADABLE)
ASKS = Q(state__in=OPEN) | Q(state=State.WAITING, tries__gte=FAILED_TRIES)
WHY: dict[str, str | Promise] = {
    Unclear.NO_SENDER: _("It is a forward, and who wrote the letter in it cannot be read."),
    Unclear.STRANGER: _("Somebody who is none of you wrote to the secret address."),
    UNKNOWN: _("Nobody in CRM has this address."),
    UNPROVED: _("Nobody in CRM has this address, and nothing proves who sent the letter."),
    REPORT: _("Not saved: a mail server's report, or a program's answer."),
    NO_ADDRESS: _("Not saved: its secret address is gone."),
    DROPPED: _("Not saved: a colleague said that it is not for CRM."),
    "unreadable": _("It cannot be read. Its original is kept."),
    "failed": _("Looking at it failed several times. Its original is kept."),
}


class NoAddress(ValueError):
    """What was typed is no address that one could write to. The text is for people."""


def asked_of(employee: Employee) -> QuerySet[Arrived]:
    """Letters that wait for this employee to say what they are, the newest first."""
    return _of(employee).filter(ASKS).order_by("-arrived_at", "-pk")


def how_many_ask(employee: Employee) -> int:
    """How many letters wait for this employee. Where none waits in the account, as mostly, no right is asked for."""
    if not Arrived.objects.filter(ASKS, account=employee.account_id).exists():
        return 0
    return asked_of(employee).count()


def people_asked(row: Arrived) -> Any:
    """Whom a letter asks: whose secret address it came to, else those who see all of CRM; of a polled mailbox, who
    connected it, and administrators. If it waits, else nobody."""
    none = Employee.objects.none()
    failed = row.state == State.WAITING and row.tries >= FAILED_TRIES
    if row.door not in {DOOR, polled_look.DOOR} or not (row.state in OPEN or failed):
        return none
    if row.door == DOOR:
        address = SendSaveAddress.objects.filter(account=row.account_id, public_id=row.address).first()
        if address is None:
            return none
        if address.employee is not None and address.employee.is_active:
            return Employee.objects.filter(pk=address.employee.pk, dismissed_at=None)
        return seeing_all(row.account_id)
    mailboxes = PolledMailbox.objects.filter(account=row.account_id, public_id=row.address)
    theirs = Q(role=Role.ADMINISTRATOR) | Q(pk__in=mailboxes.values("made_by"))
    return Employee.objects.filter(theirs, account=row.account_id).working()


def is_kept(row: Arrived) -> bool:
    """Whether a letter that asks, or was not taken, is here to be read and saved."""
    return row.door != polled_look.DOOR or polled_take.is_kept(row)


def left_out_of(employee: Employee) -> QuerySet[Arrived]:
    """Letters at their addresses that were not taken, in the last 30 days, the newest first."""
    return _of(employee).filter(state=State.LEFT_OUT).order_by("-arrived_at", "-pk")


def why(row: Arrived) -> str:
    """Why it waits or was not taken, in words."""
    if row.why == IN_PART:
        left = row.facts.get("left", 1)
        text = ngettext("%(n)s letter in it was not saved.", "%(n)s letters in it were not saved.", left)
        return text % {"n": left}
    if row.state == State.WAITING:
        return str(WHY["failed"])
    return str(WHY.get(row.why) or WHY_NOT.get(row.why) or "")  # type: ignore[call-overload]  # codes of both kinds


def answer(row: Arrived, *, by: Employee, now: datetime, sender: str = "") -> Sequence[Activity]:
    """Take it as this sender's (`Name <address>`, or an address), empty: as it stands. A stranger becomes a lead.

    Returns the activities, none: somebody else was quicker. Raises NoAddress. The caller found it by right.
    """
    name = address = ""
    if sender.strip():
        found = [each for each in read_addresses([sender.encode("utf-8", "replace")]) if "@" in each.address]
        if len(found) != 1 or "." not in found[0].address.rpartition("@")[2]:
            raise NoAddress(str(_("Write one e-mail address, as name@example.com.")))
        name, address = found[0].name, found[0].address
    take_it = polled_take.take_as_said if row.door == polled_look.DOOR else take_as_said
    made = take_it(row, Answer(by, name, address), now=now)
    if made:
        tell("sendsave.answered", account=by.account, by=by, letters=len(made))
    return made


@transaction.atomic
def drop(row: Arrived, *, by: Employee, now: datetime) -> bool:
    """It is not for CRM: shown as not taken for 30 days, then gone. False: somebody else was quicker."""
    if mine(row, *OPEN, State.WAITING) is None:
        return False
    leave(row, State.LEFT_OUT, why=DROPPED, now=now)
    tell("sendsave.dropped", account=by.account, by=by)
    return True


@transaction.atomic
def try_again(row: Arrived, *, now: datetime) -> bool:
    """Look at once at a letter that could not be read or failed. False: somebody else was quicker, or it went well."""
    is_anew = again(row, State.UNREADABLE, State.WAITING, now=now)
    if is_anew:
        take.later(row.pk)
    return is_anew


@transaction.atomic
def confirm(activity: Activity, *, by: Employee) -> bool:
    """A person knows its sender. The caller found the activity by right. Returns whether that is new."""
    changed = Activity.objects.filter(pk=activity.pk, is_unverified=True).update(is_unverified=False)
    if changed:
        tell("activity.confirmed", account=by.account, by=by, subject=activity.reference)
    return bool(changed)


def _of(employee: Employee) -> QuerySet[Arrived]:
    addresses = SendSaveAddress.objects.asking(employee).values("public_id")
    mailboxes = PolledMailbox.objects.asking(employee).values("public_id")
    at_theirs = Q(door=DOOR, address__in=addresses) | Q(door=polled_look.DOOR, address__in=mailboxes)
    return Arrived.objects.filter(at_theirs, account=employee.account_id)
