"""Addresses to which nothing is sent, because a report said that there is no such address: seen, and taken off."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mail.addresses import address_key
from letterdesk.outbound.composing import refused_recipients
from letterdesk.outbound.models import Suppressed
from letterdesk.outbound.suppression import release
from letterdesk.web.request import Request
from letterdesk.web.writing.draft import draft_or_404
from letterdesk.web.writing.files import keep_along

PER_PAGE = 100


def undeliverable(request: Request) -> HttpResponse:
    """GET /settings/undeliverable?page=: the list; administrators see the account's, others that of their mailboxes."""
    listed = Suppressed.objects.visible_to(request.employee).select_related("mailbox").order_by("-at", "-pk")
    page = Paginator(listed, PER_PAGE).get_page(request.GET.get("page"))
    mine = Suppressed.objects.editable_by(request.employee).filter(pk__in=[each.pk for each in page])
    removable = set(mine.values_list("pk", flat=True))
    lines = [{"row": each, "may_release": each.pk in removable} for each in page]
    return render(request, "web/outbox/undeliverable.html", {"area": "undeliverable", "page": page, "lines": lines})


@require_POST
def suppressed(request: Request, suppressed_id: str) -> HttpResponse:
    """POST /settings/undeliverable/<id>: take it off; letters go there again."""
    row = get_object_or_404(Suppressed.objects.editable_by(request.employee), public_id=suppressed_id)
    _release(request, row)
    return redirect("undeliverable")


@require_POST
def draft_release(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/release: who writes to an address of the list takes it off; `release` says which."""
    draft = draft_or_404(request, draft_id)
    keep_along(request, draft)
    draft.refresh_from_db()
    wanted = address_key(request.POST.get("release", ""))
    row = next((each for each in refused_recipients(draft) if each.address == wanted), None)
    if row is None:
        raise Http404
    _release(request, row)
    return redirect("draft", draft.public_id)


def _release(request: Request, row: Suppressed) -> None:
    release(row, by=request.employee)
    messages.success(request, _("Letters go to %(address)s again.") % {"address": row.address})
