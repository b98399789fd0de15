"""The labels of a mailbox: made, renamed, coloured and deleted by whoever may act in it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.labels import BadLabel, change_label, make_label
from letterdesk.mailboxes.models import Colour, Label, Mailbox
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shelves


def labels(request: Request, mailbox_id: str) -> HttpResponse:
    """GET and POST /mailboxes/<id>/labels: show them, make one."""
    visible = Mailbox.objects.visible_to(request.employee).select_related("account")
    editable = Mailbox.objects.editable_by(request.employee).select_related("account")
    mailbox = get_object_or_404(editable if request.method == "POST" else visible, public_id=mailbox_id)
    if request.method == "POST":
        try:
            made = make_label(mailbox, request.POST.get("name", ""), colour=request.POST.get("colour", ""))
            messages.success(request, _("There is a label “%(name)s” now.") % {"name": made.name})
        except BadLabel as error:
            messages.error(request, str(error))
        return redirect("labels", mailbox.public_id)
    boards = shelves(request.employee, timezone.now())
    facts = {
        "area": "mail",
        "mailbox": mailbox,
        "shelf": next((shelf for shelf in boards if shelf.mailbox.pk == mailbox.pk), None),
        "place": {"shelves": boards},
        "colours": Colour.choices,
    }
    return render(request, "web/inbox/labels.html", facts)


@require_POST
def label(request: Request, label_id: str) -> HttpResponse:
    """POST /labels/<id>: give it another name and colour, or delete it (`change=delete`); the letters stay."""
    editable = Label.objects.editable_by(request.employee).select_related("mailbox")
    found = get_object_or_404(editable, public_id=label_id)
    if request.POST.get("change") == "delete":
        found.delete()
        messages.success(request, _("The label “%(name)s” is deleted. The letters stay.") % {"name": found.name})
        return redirect("labels", found.mailbox.public_id)
    try:
        change_label(found, name=request.POST.get("name", ""), colour=request.POST.get("colour", ""))
        messages.success(request, _("Saved."))
    except BadLabel as error:
        messages.error(request, str(error))
    return redirect("labels", found.mailbox.public_id)
