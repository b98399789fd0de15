"""An administrator's export of the company: asked for with the password, fetched by who asked (docs/decisions/0010)."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from letterdesk.tenancy import parcels
from letterdesk.tenancy.jobs import make_export
from letterdesk.tenancy.models import Export
from letterdesk.tenancy.own_export import AlreadyGoingOn, ask, downloaded
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request
from letterdesk.web.security import FILE_POLICY, set_headers


@require_http_methods(["GET", "POST"])
@administrators_only
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth is not typed
def company_export(request: Request) -> HttpResponse:
    """GET /company/export: what is in it; POST: ask for it, after confirming who one is."""
    if request.method != "POST":
        return render(request, "web/company/export.html", {"area": "company", "account": request.employee.account})
    try:
        asked = ask(by=request.employee, now=timezone.now())
    except AlreadyGoingOn as error:
        messages.error(request, str(error))
    else:
        make_export.later(asked.pk)
        messages.success(request, _("The export is being made. You find it here once it is ready."))
    return redirect("company")


@require_GET
@administrators_only
def company_export_file(request: Request, export_id: str) -> StreamingHttpResponse:
    """GET /company/exports/<id>: the ZIP, a piece at a time, for the administrator who asked for it."""
    mine = Export.objects.fetched_by(request.employee, now=timezone.now()).select_related("account")
    export = get_object_or_404(mine, public_id=export_id)
    if export.name not in parcels.names(export.account_id):
        raise Http404
    downloaded(export, by=request.employee)
    pieces = parcels.read(export.account_id, export.name)
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    disposition = content_disposition_header(as_attachment=True, filename=f"letterdesk-{export.name}") or ""
    policy = {"Content-Security-Policy": FILE_POLICY, "Cache-Control": "private, no-store"}
    size = {"Content-Length": str(export.size), "Content-Encoding": "identity", "X-Content-Type-Options": "nosniff"}
    set_headers(response, {"Content-Disposition": disposition, **policy, **size})
    return response
