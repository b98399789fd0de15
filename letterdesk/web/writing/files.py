"""Files of a draft: taken up one by one, shown in its text or handed back, taken out again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mail.pictures import raster_type
from letterdesk.outbound import drafts, files
from letterdesk.outbound.models import Draft, DraftFile
from letterdesk.web.mail.body import SHOWN_INLINE
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request
from letterdesk.web.security import FILE_POLICY, set_headers
from letterdesk.web.writing.draft import REFUSALS, draft_or_404, keep
from letterdesk.web.writing.form import written

MOST = 20  # files in one request


@require_POST
def draft_files(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/files: take up `file`, any number; `inline`: a picture that stands in the text."""
    found = draft_or_404(request, draft_id)
    keep_along(request, found)
    given = request.FILES.getlist("file")
    if len(given) > MOST:
        messages.error(request, too_many_at_once())
        given = []
    kept = [_taken(request, found, file) for file in given]
    if request.htmx:
        made = next((file for file in kept if file), None)
        page = "web/compose/file.html" if made else "web/toasts.html"
        return render(request, page, {"file": made}, status=200 if made else 422)
    return redirect("draft", found.public_id)


def too_many_at_once() -> str:
    """What to say of more than MOST files in one request: none of them is taken."""
    return _("At most %(most)d files are taken at once, and none was. Choose fewer, then the others.") % {"most": MOST}


def _taken(request: Request, found: Draft, file: object) -> DraftFile | None:
    """One file; None where it was refused, which a note says."""
    name, size = str(getattr(file, "name", "")), int(getattr(file, "size", 0))
    try:
        if size > files.LARGEST:
            raise drafts.BadDraft(files.too_large())
        raw = file.read()  # type: ignore[attr-defined]
        inline = request.POST.get("inline") == "yes" and bool(raster_type(raw))
        kind = str(getattr(file, "content_type", "") or "application/octet-stream")
        now = timezone.now()
        return files.attach(found, raw, filename=name, content_type=kind, by=request.employee, now=now, inline=inline)
    except REFUSALS as error:
        messages.error(request, f"{name}: {error}")
    except OSError:
        messages.error(request, _("%(name)s was not taken: there is no room on the server's disk.") % {"name": name})
    return None


def keep_along(request: Request, found: Draft) -> None:
    """Without a script the whole form comes along: what was written is not lost for what was asked for beside."""
    if request.htmx or "seen" not in request.POST:
        return
    try:
        keep(request, found, written(request, found))
    except (drafts.DraftChanged, *REFUSALS) as error:
        messages.error(request, str(error))


def draft_file(request: Request, draft_file_id: str) -> HttpResponse:
    """GET /draft-files/<id>: a picture of the text as a picture, all else to keep (hard rule 9)."""
    file = get_object_or_404(DraftFile.objects.visible_to(request.employee), public_id=draft_file_id)
    raw = files.read(file)
    kind = file.content_type.lower()
    if not file.content_id or kind not in SHOWN_INLINE or not raster_type(raw):
        return as_file(raw, name=file.filename, content_type=file.content_type)
    response = HttpResponse(raw, content_type=kind)
    set_headers(response, {"Content-Security-Policy": FILE_POLICY, "Cache-Control": "private, max-age=900"})
    return response


@require_POST
def draft_file_removal(request: Request, draft_file_id: str) -> HttpResponse:
    """POST /draft-files/<id>/removal: take it out of its draft."""
    mine = DraftFile.objects.editable_by(request.employee).select_related("draft__mailbox__account")
    file = get_object_or_404(mine, public_id=draft_file_id)
    keep_along(request, file.draft)
    try:
        files.detach(file, now=timezone.now())
    except drafts.OnItsWay as error:
        messages.error(request, str(error))
    return HttpResponse(status=204) if request.htmx else redirect("draft", file.draft.public_id)
