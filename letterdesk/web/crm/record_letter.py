"""Writing from CRM: a letter at a record, an answer to a letter in its timeline (R24); on every plan."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.activities.timeline import with_bindings
from letterdesk.crm.models import Activity, Kind, Record
from letterdesk.crm.writing import write
from letterdesk.lib.blobs import BlobDamaged, BlobMissing
from letterdesk.mail.limited import Unparsable
from letterdesk.outbound.drafts import BadDraft, NotYours
from letterdesk.outbound.models import Draft
from letterdesk.web.request import Request

AT_WORK_FIRST = (Kind.DEAL, Kind.LEAD, Kind.CONTACT, Kind.COMPANY)
UNREADABLE = (BlobMissing, BlobDamaged, Unparsable)


@require_POST
def record_letters(request: Request, record_id: str) -> HttpResponse:
    """POST /crm/records/<id>/letters: begin a letter to its first address."""
    mine = Record.objects.editable_by(request.employee).present()
    record = get_object_or_404(mine, public_id=record_id)
    return _begin(request, record, lambda: write.begin(record, by=request.employee, now=timezone.now()))


@require_POST
def activity_answers(request: Request, activity_id: str) -> HttpResponse:
    """POST /crm/activities/<id>/answers: begin an answer, at `record` or where the letter stands."""
    seen = Activity.objects.visible_to(request.employee).present().select_related("account")
    activity = get_object_or_404(seen, public_id=activity_id)
    record = _where(request, activity)
    if record is None:
        messages.error(request, _("This letter stands at nothing at which you could write. Link it first."))
        return redirect("activity", activity.public_id)
    return _begin(request, record, lambda: write.answer(activity, record, by=request.employee, now=timezone.now()))


def _where(request: Request, activity: Activity) -> Record | None:
    """Of the records that the reader may change, that which was named, else the first: work before people."""
    bindings = with_bindings([activity], request.employee)[0].shown_bindings
    mine = (each.record for each in bindings if each.may_change)
    standing = sorted(mine, key=lambda one: AT_WORK_FIRST.index(Kind(one.kind)))
    named = [each for each in standing if each.public_id == request.POST.get("record", "")]
    return next(iter([*named, *standing]), None)


def _begin(request: Request, record: Record, make: Callable[[], Draft]) -> HttpResponse:
    try:
        return redirect("draft", make().public_id)
    except (write.NobodyToWriteAs, NotYours, BadDraft) as error:
        messages.error(request, str(error))
    except UNREADABLE:
        messages.error(request, _("This letter cannot be read now. Try again later."))
    return redirect("record", record.public_id)
