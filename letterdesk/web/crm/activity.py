"""A letter at CRM: its page, its text, its files, each from the activity's own bytes (R6, R8; hard rules 7, 8, 9, 11).

Who sees one of its records reads it, whatever mailbox it came through, and also after it has left Webmail.
"""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.activities import reading
from letterdesk.crm.activities.timeline import with_bindings
from letterdesk.crm.models import Activity
from letterdesk.lib.blobs import BlobDamaged, BlobMissing
from letterdesk.mail.parse import NoSuchPart, read_body
from letterdesk.outbound.as_written import as_written
from letterdesk.web.backend import EmployeeBackend
from letterdesk.web.crm.activity_storage import storage_of
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.mail.body import LINK_LIFE, framed, picture_answer, shown_text, unreadable
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.mail.images import Address, picture_from
from letterdesk.web.request import Request
from letterdesk.web.writing.tracked_words import told_of

ONCE = "activity images once"  # the salt of what a page that shows remote images carries


def activity(request: Request, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>: the letter's page, also in the bin; for htmx its text and files alone."""
    found = _found(request, activity_id, in_bin=True)
    facts = {**crm_facts("activities"), "activity": found, "here": request.path, **letter_of(request, found)}
    name = "web/crm/letter.html" if request.htmx else "web/crm/activity.html"
    return render(request, name, facts)


def letter_of(request: Request, found: Activity) -> dict[str, Any]:
    """What the page shows of the letter: its records, files, and what became of it in Webmail."""
    try:
        files = [] if found.deleted_at else reading.files_of(found)
    except (BlobMissing, BlobDamaged):  # its text says so
        files = []
    bindings = with_bindings([found], request.employee)[0].shown_bindings
    return {
        "bindings": bindings,
        "may_answer": any(each.may_change for each in bindings),
        "may_change": Activity.objects.editable_by(request.employee).filter(pk=found.pk).exists(),
        "hidden": found.bindings.present().count() - len(bindings),
        "files": files,
        "tracked": told_of([found]).get(found.pk),
        "at": request.GET.get("at", "")[:16],
        "storage": storage_of(found, found.account, timezone.now()),
        "images": request.GET.get("images", "") if _wants_images(request, found) else "",
        "images_key": signing.dumps([found.pk, request.employee.pk], salt=ONCE),
    }


def _found(request: Request, activity_id: str, *, in_bin: bool = False) -> Activity:
    """An activity that the reader may see. Raises Http404; in the bin also when its 30 days there are over (R8)."""
    seen = Activity.objects.visible_to(request.employee).select_related(
        "thread", "deleted_by", "account", "forwarded_by"
    )
    found: Activity = get_object_or_404(seen, public_id=activity_id)
    binned = Activity.objects.in_bin(timezone.now())
    if found.deleted_at is not None and not (in_bin and binned.filter(pk=found.pk).exists()):
        raise Http404
    return found


def activity_body(request: Request, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>/body[?images=<key>]: the letter's text for its frame, under its own policy."""
    found = _found(request, activity_id)
    try:
        content = reading.raw(found)
    except (BlobMissing, BlobDamaged) as error:
        return framed(request, unreadable(found.public_id, error))
    me = request.employee
    remote = _remote(found, me) if _wants_images(request, found) else None
    words = as_written(read_body(content), found.account_id)
    text = shown_text(
        words, subject=found.subject, inline=lambda index: _inline_address(found, index, me), remote=remote
    )
    return framed(request, text)


def _wants_images(request: Request, found: Activity) -> bool:
    """Whether the reader asked for the letter's remote images this time: nobody else can ask for them (C10)."""
    try:
        said = signing.loads(request.GET.get("images", ""), salt=ONCE, max_age=LINK_LIFE)
    except signing.BadSignature:
        return False
    return bool(said == [found.pk, request.employee.pk])


def activity_eml(request: Request, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>/letter.eml: the exact bytes that CRM keeps."""
    found = _found(request, activity_id)
    return as_file(_or_404(found, None), name=f"{found.subject or found.public_id}.eml", content_type="message/rfc822")


def activity_file(request: Request, activity_id: str, index: int) -> HttpResponse:
    """GET /crm/activities/<id>/files/<index>: a file of the letter, to keep (hard rule 9)."""
    found = _found(request, activity_id)
    content = _or_404(found, index)
    part = reading.part_of(found, index)
    if part is None:
        raise Http404
    return as_file(content, name=part.filename, content_type=part.content_type)


def _or_404(found: Activity, index: int | None) -> bytes:
    """The letter's bytes, or those of one of its files. Raises Http404 where there are none."""
    try:
        return reading.raw(found) if index is None else reading.content_of(found, index)
    except (BlobMissing, BlobDamaged, NoSuchPart):
        raise Http404 from None


# Pictures in the frame, which is of no origin and sends no cookie: the signature says who reads; the right is asked
# anew.


def _inline_address(found: Activity, index: int, employee: Employee) -> str:
    key = signing.dumps([found.pk, index, employee.pk], salt="activity inline")
    return f"{reverse('activity_inline', args=[found.public_id, index])}?key={key}"


def _remote(found: Activity, employee: Employee) -> Address:
    def address(url: str) -> str:
        key = signing.dumps([found.pk, employee.pk, url], salt="activity remote", compress=True)
        return f"{reverse('activity_image', args=[found.public_id])}?key={key}"

    return address


@login_not_required  # the signature says who reads
def activity_inline(request: HttpRequest, activity_id: str, index: int) -> HttpResponse:
    """GET /crm/activities/<id>/inline/<index>?key=…: a raster image that the letter brings along."""
    pk, signed_index, employee_pk = _signed(request, "activity inline")
    found = _read_by(employee_pk, pk, activity_id)
    part = reading.part_of(found, index) if index == signed_index else None
    if part is None:
        raise Http404
    return picture_answer(_or_404(found, index), part.content_type)


@login_not_required  # the signature says who reads
def activity_image(request: HttpRequest, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>/image?key=…: a picture from elsewhere, fetched here; 404 for whatever is none."""
    pk, employee_pk, url = _signed(request, "activity remote")
    return picture_from(_read_by(employee_pk, pk, activity_id).account_id, url)


def _signed(request: HttpRequest, salt: str) -> tuple[Any, Any, Any]:
    try:
        first, second, third = signing.loads(request.GET.get("key", ""), salt=salt, max_age=LINK_LIFE)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    return first, second, third


def _read_by(employee_pk: int, pk: int, activity_id: str) -> Activity:
    employee = EmployeeBackend().get_user(employee_pk)
    if employee is None:
        raise Http404
    seen = Activity.objects.visible_to(employee).present()
    found: Activity = get_object_or_404(seen, pk=pk, public_id=activity_id)
    return found
