"""Guests of a task: invited and removed on its page, where their letters that wait are decided about."""

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast
from letterdesk.intake.models import Arrived, State
from letterdesk.lib import blobs
from letterdesk.mailboxes.collect import NOT_STORED
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.identities import identities_with_senders
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.tasks import guest_letters, guests
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.link import InBin
from letterdesk.tasks.models import Comment, Guest, Task
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request

log = logging.getLogger(__name__)
REFUSALS = (BadTask, InBin, CannotSend, TooFast, NotInPlan, LimitReached, guests.NoInbound, guests.NoSender)

TYPED = {"address": 400, "name": 200, "words": 5_000, "from": 16}  # fields of the form, characters


@dataclass(frozen=True)
class Waiting:
    """A letter at a guest's address that waits for one of us."""

    row: Arrived
    guest: Guest
    why: str

    @property
    def is_readable(self) -> bool:
        """Whether it can be taken as it is; else it can be looked at once more."""
        return self.row.state == State.ASKED

    @property
    def is_unverified(self) -> bool:
        """Whether nothing proves who sent it."""
        return self.row.why in {guest_letters.Why.UNPROVED, guest_letters.Why.OTHER}


def guest_facts(task: Task, employee: Employee) -> dict[str, Any]:
    """What the page of a task shows of its guests."""
    everybody = {each.public_id: each for each in task.guests.select_related("invited_by").order_by("pk")}
    rows = guest_letters.waiting(task.guests.all()) if everybody else ()
    here = [each for each in everybody.values() if each.removed_at is None]
    return {
        "guests": here,
        "guests_on": settings.INBOUND.is_on,
        "identities": identities_with_senders(employee) if settings.INBOUND.is_on else [],
        "left_out": guest_letters.left_out(task.guests.all()) if everybody else None,
        "most_waiting": guest_letters.MOST_WAITING,
        "waiting": [Waiting(row, everybody[row.address], guest_letters.why(row)) for row in rows],
    }


def invite(request: Request, task: Task) -> dict[str, str]:
    """Invite `address` with `name` and `words`, from the identity `from`. Returns what was typed if that is refused."""
    typed = {name: request.POST.get(name, "")[:most] for name, most in TYPED.items()}
    identity = next(
        (each for each in identities_with_senders(request.employee) if each.public_id == typed["from"]), None
    )
    try:
        if identity is None:
            raise guests.NoSender
        made = guests.invite(
            task, typed["address"], name=typed["name"], words=typed["words"], identity=identity, by=request.employee,
            now=timezone.now(),
        )  # fmt: skip
    except (*REFUSALS, *NOT_STORED) as error:
        messages.error(request, _told(error))
        return typed
    messages.success(request, _("%(who)s is invited.") % {"who": made})
    return {}


def write_to_guests(request: Request, task: Task, text: str) -> bool:
    """A comment that goes to the guests as well; says to whom it did not. False: it was refused, and says why."""
    try:
        made = guests.write_to_guests(task, text, by=request.employee, now=timezone.now())
    except (*REFUSALS, *NOT_STORED) as error:
        messages.error(request, _told(error))
        return False
    for guest in made.left_out:
        messages.warning(request, _("Not sent to %(who)s: there is no such address.") % {"who": guest})
    for guest, identity in made.from_others:
        facts = {"who": guest, "address": identity.email}
        messages.info(
            request, _("%(who)s gets it from %(address)s: you may not write from where they were invited.") % facts
        )
    return True


def _told(error: Exception) -> str:
    if isinstance(error, REFUSALS):
        return str(error)
    log.error("a letter to a guest could not be stored: %r", error)
    return _("The letter could not be stored now, and nothing was sent. Try again in a minute.")


@require_POST
def guest_removal(request: Request, guest_id: str) -> HttpResponse:
    """POST /task-guests/<id>/removal: nothing more goes there, and their reply address takes no more letters."""
    guest = _guest(request, guest_id)
    if guests.remove(guest, by=request.employee, now=timezone.now()):
        messages.success(request, _("%(who)s is no guest any more. What they wrote stays.") % {"who": guest})
    return back_to_guests(guest.task)


@require_POST
def guest_letter(request: Request, guest_letter_id: str) -> HttpResponse:
    """POST /task-guests/letters/<id>: `change` is "accept", "again" or "drop"."""
    row, guest = _waiting(request, guest_letter_id)
    now, wanted = timezone.now(), request.POST.get("change", "")
    if wanted == "accept":
        _accept(request, row)
    elif wanted == "again":
        guest_letters.try_again(row, now=now)
        messages.success(request, _("It is looked at once more. If it can be read now, it leaves this list."))
    elif wanted == "drop":
        guest_letters.drop(row, by=request.employee, now=now)
    return back_to_guests(guest.task)


def _accept(request: Request, row: Arrived) -> None:
    """Take it as a comment, or say why not."""
    try:
        if not guest_letters.accept(row, by=request.employee, now=timezone.now()):
            row.refresh_from_db()
            messages.warning(request, guest_letters.why(row) or _("Somebody else has decided about it."))
    except (blobs.BlobMissing, blobs.BlobDamaged) as error:
        log.error("letter %s of a guest cannot be taken: %r", row.public_id, error)
        messages.error(request, _("This letter cannot be read now. Try again later."))


def guest_eml(request: Request, guest_letter_id: str) -> HttpResponse:
    """GET /task-guests/letters/<id>/letter.eml: a letter that waits, or that a program wrote, as it came."""
    theirs = Guest.objects.editable_by(request.employee)
    row = get_object_or_404(guest_letters.readable(theirs), public_id=guest_letter_id)
    return _as_eml(row.account_id, row.blob)


def comment_eml(request: Request, task_id: str, said_id: int) -> HttpResponse:
    """GET /tasks/<id>/comments/<key>/letter.eml: the letter that became a comment, as it came."""
    theirs = Comment.objects.visible_to(request.employee).exclude(letter="")
    said = get_object_or_404(theirs, task__public_id=task_id, pk=said_id)
    return _as_eml(said.account_id, said.letter)


def _guest(request: Request, guest_id: str) -> Guest:
    theirs = Guest.objects.editable_by(request.employee).select_related("task", "account")
    found: Guest = get_object_or_404(theirs, public_id=guest_id)
    return found


def _waiting(request: Request, arrived_id: str) -> tuple[Arrived, Guest]:
    theirs = Guest.objects.editable_by(request.employee)
    row = get_object_or_404(guest_letters.waiting(theirs), public_id=arrived_id)
    return row, _guest(request, row.address)


def back_to_guests(task: Task) -> HttpResponse:
    """To the guests on the page of their task."""
    answer = redirect("task", task.public_id)
    answer["Location"] += "#guests"
    return answer


def _as_eml(account_id: int, blob: str) -> HttpResponse:
    """A letter as it came. Raises Http404 where its stored copy is missing or damaged."""
    try:
        raw = blobs.get(account_id, blob)
    except (blobs.BlobMissing, blobs.BlobDamaged):
        raise Http404 from None
    return as_file(raw, name="letter.eml", content_type="message/rfc822")
