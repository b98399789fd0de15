"""Labels at a record, given and taken by plain forms; and the account's labels, which administrators keep in order."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.models import Label
from letterdesk.crm.records.change import InBin
from letterdesk.crm.records.labels import change_label, delete_label, give, make_label, take
from letterdesk.mailboxes.labels import BadLabel
from letterdesk.web.account.people import administrators_only
from letterdesk.web.crm.record import editable
from letterdesk.web.request import Request

REFUSALS = (BadLabel, InBin)


@require_POST
def record_labels(request: Request, record_id: str) -> HttpResponse:
    """POST /crm/records/<id>/labels: `name` of one to give, or `remove`, the id of one to take off."""
    found = editable(request, record_id)
    try:
        if named := request.POST.get("remove", ""):
            label = get_object_or_404(Label.objects.visible_to(request.employee), public_id=named)
            take(found, label, by=request.employee)
        else:
            give(found, [request.POST.get("name", "")], by=request.employee)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("record", found.public_id)


@require_POST
@administrators_only
def crm_labels(request: Request) -> HttpResponse:
    """POST /settings/crm/labels: make one of this `name` and `colour`."""
    try:
        account, name = request.employee.account, request.POST.get("name", "")
        made = make_label(account, name, colour=request.POST.get("colour", ""))
        messages.success(request, _("There is a label “%(name)s” now.") % {"name": made.name})
    except BadLabel as error:
        messages.error(request, str(error))
    return redirect("crm_settings")


@require_POST
@administrators_only
def crm_label(request: Request, record_label_id: str) -> HttpResponse:
    """POST /settings/crm/labels/<id>: another name and colour, or `change=delete`; the records stay."""
    found = get_object_or_404(Label.objects.editable_by(request.employee), public_id=record_label_id)
    try:
        if request.POST.get("change") == "delete":
            delete_label(found, by=request.employee)
            messages.success(request, _("The label “%(name)s” is deleted. The records stay.") % {"name": found.name})
        else:
            name, colour = request.POST.get("name", ""), request.POST.get("colour", "")
            change_label(found, name=name, colour=colour, by=request.employee)
            messages.success(request, _("Saved."))
    except BadLabel as error:
        messages.error(request, str(error))
    return redirect("crm_settings")
