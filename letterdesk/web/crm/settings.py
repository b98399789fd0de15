"""Settings of CRM: who sees how much, what is never saved by itself, and what each mailbox saves."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee, Role
from letterdesk.crm.linking.exclusions import BadPattern, allow, exclude
from letterdesk.crm.linking.turns import people_in_turn
from letterdesk.crm.models import (
    Exclusion,
    Kind,
    MailboxSaving,
    Making,
    Pipeline,
    Returning,
    Scope,
    Sight,
    Stage,
    Unknown,
)
from letterdesk.crm.records.labels import labels_of
from letterdesk.crm.records.stages import pipelines_among, stages_for, stages_of
from letterdesk.crm.saving import change_saving, change_sight, saving_of
from letterdesk.crm.writing.write import allow_anybody, may_write_to_anybody
from letterdesk.mailboxes.models import Colour, Mailbox
from letterdesk.outbound.tracking import is_on, switch
from letterdesk.web.account.people import administrators_only
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request

UNSAID = {Role.EMPLOYEE: Scope.OWN, Role.SUPERVISOR: Scope.DEPARTMENT, Role.ADMINISTRATOR: Scope.ALL}


def crm_settings(request: Request) -> HttpResponse:
    """GET /settings/crm: who sees what, and the exclusion list; everyone may look, administrators change."""
    me = request.employee
    sights = dict(Sight.objects.visible_to(me).values_list("role", "scope"))
    facts = {
        "area": "crm-settings",
        "roles": [(role.value, role.label, sights.get(role, UNSAID[role])) for role in Role],
        "scopes": Scope.choices,
        "exclusions": Exclusion.objects.visible_to(request.employee).select_related("by").order_by("pattern"),
        "pipelines": pipelines_among([each for kind in (Kind.LEAD, Kind.DEAL) for each in _stages(me, kind)]),
        "labels": labels_of(me.account),
        "colours": Colour.choices,
        "to_anybody": may_write_to_anybody(request.employee.account),
        "is_tracking": is_on(me.account_id),
        "may_change": request.employee.is_administrator,
    }
    return render(request, "web/crm/settings.html", facts)


def _stages(me: Employee, kind: str) -> list[Stage]:
    """Those that administrators change, also where they see no deal; of others those in which they see some."""
    return stages_of(me.account, kind) if me.is_administrator else stages_for(me, kind)


@require_POST
@administrators_only
def sights(request: Request) -> HttpResponse:
    """POST /settings/crm/sights: how much people of each role see; a field for each role."""
    for role in Role:
        scope = request.POST.get(role.value, "")
        if scope in Scope.values:
            change_sight(role, scope, by=request.employee)
    messages.success(request, _("Saved."))
    return redirect("crm_settings")


@require_POST
@administrators_only
def writing(request: Request) -> HttpResponse:
    """POST /settings/crm/writing: `to` "anybody" or "record": to whom letters are written at a record."""
    wanted = request.POST.get("to", "")
    if wanted not in {"anybody", "record"}:
        raise Http404
    allow_anybody(by=request.employee, allowed=wanted == "anybody")
    messages.success(request, _("Saved."))
    return redirect("crm_settings")


@require_POST
@administrators_only
def tracking(request: Request) -> HttpResponse:
    """POST /settings/crm/tracking: `track` "yes" or "no": whether opens and clicks may be counted."""
    wanted = request.POST.get("track", "")
    if wanted not in {"yes", "no"}:
        raise Http404
    switch(by=request.employee, on=wanted == "yes")
    messages.success(request, _("Saved."))
    return redirect("crm_settings")


@require_POST
def exclusions(request: Request) -> HttpResponse:
    """POST /settings/crm/exclusions: `pattern` and `comment`; letters of it are not saved by themselves any more.

    Everyone may name one address; domains and patterns, which concern many, are for administrators.
    """
    local, _at, _domain = request.POST.get("pattern", "").strip().rpartition("@")
    if not request.employee.is_administrator and (not local or "*" in request.POST.get("pattern", "")):
        raise PermissionDenied
    try:
        made = exclude(
            request.POST.get("pattern", "")[:320],
            by=request.employee,
            now=timezone.now(),
            comment=request.POST.get("comment", ""),
        )
        messages.success(request, _("%(pattern)s is on the list.") % {"pattern": made.pattern})
    except BadPattern as error:
        messages.error(request, str(error))
    return redirect(next_of(request)) if request.POST.get("next") else redirect("crm_settings")


@require_POST
def exclusion_removal(request: Request, exclusion_id: str) -> HttpResponse:
    """POST /settings/crm/exclusions/<id>: take it off, its letters are saved again from now on."""
    if not request.employee.is_administrator:
        raise PermissionDenied
    found = get_object_or_404(Exclusion.objects.editable_by(request.employee), public_id=exclusion_id)
    allow(found, by=request.employee)
    messages.success(request, _("%(pattern)s is not on the list any more.") % {"pattern": found.pattern})
    return redirect("crm_settings")


@require_POST
def saving(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/saving: what of this mailbox is saved to CRM by itself (R5, R28)."""
    manageable = Mailbox.objects.manageable_by(request.employee).select_related("account")
    mailbox = get_object_or_404(manageable, public_id=mailbox_id)
    change_saving(
        mailbox,
        by=request.employee,
        **read_saving(request.POST, by=request.employee, pipeline=saving_of(mailbox).pipeline),
    )
    messages.success(request, _("Saved. It holds for letters that come from now on."))
    return redirect("mailbox", mailbox.public_id)


def read_saving(form: QueryDict, *, by: Employee, pipeline: Pipeline | None) -> dict[str, Any]:
    """What the form of a mailbox says, as `change_saving` takes it. Raises Http404 for what it cannot say.

    `pipeline`: the one that is set.
    """
    wanted = {name: form.get(name, Unknown.NOTHING) for name in ("unknown_incoming", "unknown_outgoing")}
    returning = form.get("returning", Returning.NOTHING)
    if not set(wanted.values()) <= set(Unknown.values) or returning not in Returning.values:
        raise Http404
    colleagues = Employee.objects.visible_to(by).working()
    named = dict.fromkeys(each for each in form.getlist("responsible") if each)
    return {
        **wanted,
        "known": form.get("known") == "yes",
        "returning": returning,
        "responsible": [get_object_or_404(colleagues, public_id=each) for each in named],
        "came_from": form.get("came_from", ""),
        "pipeline": pipeline_named(form, by=by, now=pipeline),
        "reads_cards": form.get("reads_cards") == "yes",
    }


def pipeline_named(form: QueryDict, *, by: Employee, now: Pipeline | None) -> Pipeline | None:
    """The pipeline of deals that the form names; that which is set stays also where one may not see it."""
    wanted = form.get("pipeline", "")
    if not wanted or (now is not None and now.public_id == wanted):
        return now if wanted else None
    found: Pipeline = get_object_or_404(pipelines_of_deals(by), public_id=wanted)
    return found


def pipelines_of_deals(employee: Employee) -> QuerySet[Pipeline]:
    """Those among which this person chooses, in their order."""
    seen: QuerySet[Pipeline] = Pipeline.objects.visible_to(employee).filter(kind=Kind.DEAL)
    return seen.order_by("position", "pk")


def saving_facts(request: Request, mailbox: Mailbox | None) -> dict[str, Any]:
    """What the form of a mailbox shows; None: one that is not connected yet, as it was chosen so far."""
    is_chosen = request.POST.get("crm") and not mailbox
    said = read_saving(request.POST, by=request.employee, pipeline=None) if is_chosen else {}
    people = said.pop("responsible", [])
    saving = saving_of(mailbox) if mailbox else MailboxSaving(**said)
    return shown_saving(saving, people_in_turn(saving) if mailbox else people, to=request.employee)


def shown_saving(saving: Making, in_turn: Sequence[Employee], *, to: Employee) -> dict[str, Any]:
    """What the form shows of these settings, whosever they are, to this person."""
    working = Employee.objects.visible_to(to).working().order_by("name")
    places = {person.pk: place for place, person in enumerate(in_turn)}
    return {
        "saving": saving,
        "unknowns": Unknown.choices,
        "returnings": Returning.choices,
        "pipelines": pipelines_of_deals(to),
        "responsibles": sorted(working, key=lambda person: places.get(person.pk, len(places))),
        "in_turn": set(places),
    }
