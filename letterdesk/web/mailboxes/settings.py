"""The settings of a mailbox: how it is, what is fetched, who may open it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import SetAside
from letterdesk.mailboxes.choose import BadRoles, arrange
from letterdesk.mailboxes.connect import COUNTED, settle
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.sidebar import folder_order
from letterdesk.outbound.pacing import BadLimit, set_daily_limit
from letterdesk.plans.limits import PlanError, terms
from letterdesk.sync.claims import ask_for_pass
from letterdesk.web.crm.settings import saving_facts
from letterdesk.web.mailboxes.access_choices import sharing_facts
from letterdesk.web.mailboxes.connecting import depth_days, depth_label
from letterdesk.web.mailboxes.consenting import provider_for
from letterdesk.web.mailboxes.folder_choices import FolderLine, as_facts, read_choices
from letterdesk.web.mailboxes.state import state_of
from letterdesk.web.mailboxes.wizard import depth_key
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shown_name

MOST_SET_ASIDE = 10  # letters that are named


def mailbox(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>: its settings; for those who only oversee it, how it is and nothing of its letters."""
    known = Mailbox.objects.known_to(request.employee).select_related("owner", "account")
    return mailbox_page(request, get_object_or_404(known, public_id=mailbox_id))


@require_POST
def changed(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/settings: name and depth (R21)."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    days = request.POST.get("fetch_days", "")
    depth = int(days) if days.isascii() and days.isdigit() and len(days) < 6 else None
    try:
        name = request.POST.get("name", "")[:200]
        settle(mailbox, name=name, fetch_days=depth, by=request.employee, now=timezone.now())
    except PlanError as refusal:
        return mailbox_page(request, mailbox, status=409, settings_error=refusal)
    ask_for_pass(mailbox)
    messages.success(request, _("Saved. What is newly allowed is fetched with the next pass."))
    return redirect("mailbox", mailbox.public_id)


@require_POST
def daily_limit(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/daily-limit: how many letters leave in a day; empty: as many as one likes."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    most = request.POST.get("most", "").strip()
    try:
        wanted = (int(most) if most.isascii() and most.isdigit() and len(most) < 9 else 0) if most else None
        set_daily_limit(mailbox, wanted, by=request.employee)
    except BadLimit as error:
        return mailbox_page(request, mailbox, status=422, limit_error=str(error))
    messages.success(request, _("Saved."))
    return redirect("mailbox", mailbox.public_id)


@require_POST
def folders(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/folders: which are fetched, and what each is for."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    on, roles = read_choices(request.POST)
    try:
        arrange(mailbox, on=on, roles=roles, by=request.employee)
    except BadRoles as error:
        return mailbox_page(request, mailbox, status=422, folders_error=str(error))
    ask_for_pass(mailbox)
    messages.success(request, _("Saved. The folders follow with the next pass."))
    return redirect("mailbox", mailbox.public_id)


@require_POST
def passes(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/passes: bring it in step now."""
    mailbox = get_object_or_404(Mailbox.objects.known_to(request.employee), public_id=mailbox_id)
    ask_for_pass(mailbox)
    messages.success(request, _("Asked the mail server for news."))
    return redirect("mailbox", mailbox.public_id)


def mailbox_page(request: Request, mailbox: Mailbox, *, status: int = 200, **facts: Any) -> HttpResponse:
    """The settings; what was refused says why where it happened (R17)."""
    me, boxes = request.employee, Mailbox.objects
    rights = {
        "may_read": boxes.visible_to(me).filter(pk=mailbox.pk).exists(),
        "may_manage": boxes.manageable_by(me).filter(pk=mailbox.pk).exists(),
        "may_steer": boxes.steered_by(me).filter(pk=mailbox.pk).exists(),
    }
    shown = {
        "area": "mailboxes",
        "mailbox": mailbox,
        "state": state_of(mailbox, timezone.now(), may_manage=False),
        "grants": mailbox.grants.select_related("employee", "department").order_by("pk"),
        "heirs": Employee.objects.visible_to(me).working().exclude(pk=mailbox.owner_id).order_by("name"),
        "is_alive": mailbox.imap_host and mailbox.state in COUNTED,
        **rights,
        **(_manageable(request, mailbox) if rights["may_manage"] else {}),
        **facts,
    }
    return render(request, "web/mailboxes/mailbox.html", shown, status=status)


def _manageable(request: Request, mailbox: Mailbox) -> dict[str, Any]:
    """What only those see who may change it: folders, depths, whom to let in, who asks for it."""
    folders = mailbox.folders.filter(gone_at=None, is_selectable=True)
    lines = [
        FolderLine(folder.public_id, shown_name(folder), folder.role, is_on=folder.is_on)
        for folder in sorted(folders, key=folder_order)
    ]
    sharing = sharing_facts(request)
    granted = mailbox.grants.exclude(employee=None).values("employee")
    return {
        **sharing,
        "colleagues": sharing["colleagues"].exclude(pk__in=granted),
        "requests": mailbox.access_requests.select_related("employee").order_by("created_at"),
        "depths": _depths(mailbox),
        "provider": provider_for(mailbox.address, mailbox.imap_host) if mailbox.signs_in_by else None,
        **as_facts(lines),
        **saving_facts(request, mailbox),
        **_set_aside(request, mailbox),
    }


def _set_aside(request: Request, mailbox: Mailbox) -> dict[str, Any]:
    """The letters at which CRM could not look yet: how many, and the latest of those that may be read."""
    waiting = SetAside.objects.visible_to(request.employee).filter(mailbox=mailbox).exclude(error="")
    count = waiting.count()
    if not count:
        return {}
    mine = Message.objects.visible_to(request.employee).filter(pk__in=waiting.values("letter"))
    return {"set_aside": count, "set_aside_letters": mine.order_by("-received_at", "-pk")[:MOST_SET_ASIDE]}


def _depths(mailbox: Mailbox) -> list[dict[str, Any]]:
    """The depths up to the plan's maximum; the one that is set is chosen, none set means the largest."""
    allowed = depth_days(terms(mailbox.account))
    if mailbox.fetch_days is not None and mailbox.fetch_days not in allowed:
        allowed = [*allowed, mailbox.fetch_days]
    return [
        {"key": depth_key(days), "text": depth_label(days), "is_chosen": days == mailbox.fetch_days} for days in allowed
    ]
