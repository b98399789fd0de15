"""Connect a mailbox, step 3: folders, how far back, who can use it; then all at once (R14, R16, R21)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from letterdesk.crm.saving import change_saving
from letterdesk.mail.survey import Amount
from letterdesk.mailboxes.choose import Access, BadRoles, FolderChoice, assign, begin
from letterdesk.mailboxes.connect import AlreadyConnected
from letterdesk.mailboxes.models import FolderRole, Mailbox
from letterdesk.mailboxes.share import NotShareable, ask_for_access
from letterdesk.plans import limits
from letterdesk.plans.limits import LimitReached, NotInPlan, PlanError
from letterdesk.web.crm.settings import read_saving, saving_facts
from letterdesk.web.mailboxes import wizard as drafts
from letterdesk.web.mailboxes.access_choices import read_access, sharing_facts
from letterdesk.web.mailboxes.connecting import depth_days, depth_label, meter, server_of
from letterdesk.web.mailboxes.folder_choices import FolderLine, as_facts, read_choices
from letterdesk.web.mailboxes.wizard import Draft, depth_key
from letterdesk.web.request import Request
from letterdesk.web.sidebar import role_name
from letterdesk.web.templatetags.letterdesk import amount

PLACES = {  # where the page says what is wrong
    BadRoles: "folders_error",
    NotShareable: "access_error",
    NotInPlan: "refusal",
    LimitReached: "refusal",
    AlreadyConnected: "already",
}


@never_cache
def choices(request: Request) -> HttpResponse:
    """Step 3. GET shows what may be chosen; POST connects with it."""
    draft = drafts.load(request)
    if not draft.is_tested:
        return redirect("connect_sign_in")
    if request.method != "POST":
        return _page(request, draft)
    on, roles = read_choices(request.POST)
    saving = read_saving(request.POST, by=request.employee, pipeline=None) if request.POST.get("crm") else None
    try:
        return _connect(request, draft, folders=_chosen(draft, on, roles), access=read_access(request), saving=saving)
    except (BadRoles, NotShareable, PlanError, AlreadyConnected) as error:
        refused = isinstance(error, PlanError | AlreadyConnected)
        return _page(request, draft, status=409 if refused else 422, **{PLACES[type(error)]: error})


def connect_usual(request: Request, draft: Draft) -> HttpResponse:
    """The fast way: every folder, as far back as the plan allows, only for oneself. Errors are those of `begin`."""
    every = {line.key for line in _lines(draft)}
    return _connect(request, draft, folders=_chosen(draft, every, {}), access=[])


@require_POST
def access_request(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/requests: ask the colleague who has connected a mailbox to be let in."""
    mailbox = get_object_or_404(Mailbox.objects.asked_for_by(request.employee), public_id=mailbox_id)
    ask_for_access(mailbox, by=request.employee)
    words = _("Asked. %(name)s sees your request where access is given.")
    messages.success(request, words % {"name": mailbox.owner.name})
    return redirect("mailboxes")


def _connect(
    request: Request,
    draft: Draft,
    *,
    folders: list[FolderChoice],
    access: list[Access],
    saving: dict[str, Any] | None = None,
) -> HttpResponse:
    mailbox = begin(
        request.employee,
        address=draft.address,
        server=server_of(draft.server, draft.address),
        secret=draft.secret,
        name=request.POST.get("name", ""),
        fetch_days=_days(request),
        folders=folders,
        access=access,
        by=request.employee,
        now=timezone.now(),
    )
    if saving is not None:  # what lies there already acts on nothing, so that this holds from the first new letter on
        change_saving(mailbox, by=request.employee, **saving)
    drafts.drop(request)
    messages.success(request, _("Connected. The newest letters come first; you can work meanwhile."))
    if failed := next((step["error"] for step in draft.steps if step["error"]), ""):
        messages.warning(request, _("Receiving works. Sending does not yet: %(why)s") % {"why": failed})
    return redirect("progress", mailbox.public_id)


def _days(request: Request) -> int | None:
    """The depth that was chosen; None: everything, which a plan with a maximum takes for the maximum (R21)."""
    text = request.POST.get("fetch_days", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _lines(draft: Draft) -> list[FolderLine]:
    """The folders in which letters can lie, the inbox first, in the draft's order."""
    return [
        FolderLine(str(place), role_name(each.role) or each.name, each.role, letters=each.letters, amounts=each.amounts)
        for place, each in enumerate(draft.folders)
        if each.is_selectable
    ]


def _chosen(draft: Draft, on: set[str], roles: dict[str, str]) -> list[FolderChoice]:
    """The draft's folders as they were chosen; the inbox is always on. Raises BadRoles."""
    given = assign({str(place): each.role for place, each in enumerate(draft.folders)}, roles)
    return [
        FolderChoice(
            each.name,
            each.wire_name,
            each.delimiter,
            given[str(place)],
            is_selectable=each.is_selectable,
            is_on=str(place) in on or each.role == FolderRole.INBOX,
            is_chosen=given[str(place)] != each.role,
        )
        for place, each in enumerate(draft.folders)
    ]


def _page(request: Request, draft: Draft, *, status: int = 200, **facts: Any) -> HttpResponse:
    from_form = read_choices(request.POST) if request.method == "POST" else None
    lines = _lines(draft)
    if from_form:
        lines = [FolderLine(**{**vars(line), "is_on": line.key in from_form[0]}) for line in lines]
    shown = {
        "area": "connect",
        "step": 3,
        "draft": draft,
        "depths": _depths(request, lines),
        "is_counted": any(line.amounts for line in lines),
        "name": request.POST.get("name", draft.address),
        "chosen_to": request.POST.getlist("to"),
        "who": request.POST.get("who", "me"),
        **meter(request, limits.terms(request.employee.account)),
        **as_facts(lines, from_form[1] if from_form else None),
        **sharing_facts(request),
        **saving_facts(request, None),
        **facts,
    }
    return render(request, "web/connect/choices.html", shown, status=status)


def _depths(request: Request, lines: list[FolderLine]) -> list[dict[str, Any]]:
    """The depths with what each would fetch out of the folders that are on, up to the plan's maximum (R21)."""
    chosen = request.POST.get("fetch_days")
    depths = []
    for days in depth_days(limits.terms(request.employee.account)):
        key, label = depth_key(days), depth_label(days)
        sums = [Amount(*line.amounts[key]) for line in lines if line.is_on and key in line.amounts]
        text = f"{label} · {amount(sum(sums, Amount()))}" if sums else label
        depths.append({"key": key, "label": label, "text": text, "is_chosen": chosen == key})
    return depths
