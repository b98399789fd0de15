"""Letters at secret addresses of which one has to say what they are, and those that were not taken (R30)."""

import logging
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.linking import asked
from letterdesk.crm.models import Activity
from letterdesk.intake.models import Arrived, State
from letterdesk.lib import blobs
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request

log = logging.getLogger(__name__)
PAGE = 50
MOST_LEFT_OUT = 50


@dataclass(frozen=True)
class Line:
    """A letter, why it waits or was not taken, and whom the form proposes."""

    row: Arrived
    why: str
    proposal: str
    is_readable: bool
    is_kept: bool


def page(request: Request) -> HttpResponse:
    """GET /crm/asked?page=&left=: what waits for an answer, and what was not taken in 30 days; the newest first."""
    waiting = Paginator(asked.asked_of(request.employee), PAGE).get_page(request.GET.get("page"))
    left_out = Paginator(asked.left_out_of(request.employee), MOST_LEFT_OUT).get_page(request.GET.get("left"))
    facts = {
        **crm_facts("asked"),
        "page": waiting,
        "waiting": [_line(row) for row in waiting],
        "left_out": [_line(row) for row in left_out],
        "left_page": left_out,
    }
    return render(request, "web/sendsave/asked.html", facts)


@require_POST
def letter(request: Request, arrived_id: str) -> HttpResponse:
    """POST /crm/asked/<id>: `change` is "answer" (with `sender`, empty: as the letter says), "again" or "drop"."""
    row = _found(request, arrived_id)
    now = timezone.now()
    if request.POST.get("change") == "drop":
        asked.drop(row, by=request.employee, now=now)
        messages.success(request, _("Not saved. You find it below for 30 days."))
        return redirect("asked")
    if request.POST.get("change") == "again":
        asked.try_again(row, now=now)
        messages.success(request, _("It is looked at once more. If it can be read now, it leaves this list."))
        return redirect("asked")
    try:
        made = asked.answer(row, by=request.employee, now=now, sender=request.POST.get("sender", "")[:400])
    except asked.NoAddress as error:
        messages.error(request, str(error))
        return redirect("asked")
    except (blobs.BlobMissing, blobs.BlobDamaged) as error:
        log.error("letter %s that asks cannot be taken: %r", row.public_id, error)
        messages.error(request, _("This letter cannot be read now. Try again later."))
        return redirect("asked")
    if made:
        messages.success(request, _("Saved to CRM."))
        return redirect("activity", made[0].public_id)
    messages.warning(request, _("Nothing was saved: see why at the letter, or say whose it is."))
    return redirect("asked")


def eml(request: Request, arrived_id: str) -> HttpResponse:
    """GET /crm/asked/<id>/letter.eml: the letter as it came, if it is kept."""
    row = _found(request, arrived_id)
    if not asked.is_kept(row):
        raise Http404
    try:
        raw = blobs.get(row.account_id, row.blob)
    except (blobs.BlobMissing, blobs.BlobDamaged):
        raise Http404 from None
    return as_file(raw, name="letter.eml", content_type="message/rfc822")


@require_POST
def confirmation(request: Request, activity_id: str) -> HttpResponse:
    """POST /crm/activities/<id>/confirmation: its sender is who it says; the mark goes (D09)."""
    found = get_object_or_404(Activity.objects.editable_by(request.employee).present(), public_id=activity_id)
    asked.confirm(found, by=request.employee)
    messages.success(request, _("Confirmed."))
    return redirect("activity", found.public_id)


def _found(request: Request, arrived_id: str) -> Arrived:
    theirs = asked.asked_of(request.employee) | asked.left_out_of(request.employee)
    row: Arrived = get_object_or_404(theirs, public_id=arrived_id)
    return row


def _line(row: Arrived) -> Line:
    facts = row.facts
    name = facts.get("inner_name") or ""
    address = facts.get("inner_address") or ""
    proposal = f"{name} <{address}>" if name and address else address
    is_readable = row.state not in {State.UNREADABLE, State.WAITING}
    return Line(row, asked.why(row), proposal, is_readable, asked.is_kept(row))
