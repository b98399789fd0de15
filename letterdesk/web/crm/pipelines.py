"""Pipelines: made, renamed, ordered, given stages, opened and closed, deleted, by administrators on plain forms."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Department, Employee
from letterdesk.crm.models import Pipeline, Stage
from letterdesk.crm.records import pipelines as acts
from letterdesk.crm.records.stages import stages_of
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request

Chosen = tuple[Employee | Department, bool]


@require_POST
@administrators_only
def pipelines(request: Request) -> HttpResponse:
    """POST /settings/crm/pipelines: another pipeline of deals of this `name`."""
    try:
        made = acts.make_pipeline(request.POST.get("name", ""), by=request.employee)
    except acts.BadPipeline as error:
        messages.error(request, str(error))
        return redirect("crm_settings")
    return redirect("pipeline", made.public_id)


@administrators_only
def pipeline(request: Request, pipeline_id: str) -> HttpResponse:
    """GET /settings/crm/pipelines/<id>: its stages, and for whom it is. POST `change`: one of `CHANGES`."""
    found = get_object_or_404(Pipeline.objects.editable_by(request.employee), public_id=pipeline_id)
    if request.method != "POST":
        return render(request, "web/crm/pipeline.html", _facts(request, found))
    do = CHANGES.get(request.POST.get("change", ""))
    if do is None:
        raise Http404
    try:
        do(request, found)
        messages.success(request, _("Saved."))
    except acts.BadPipeline as error:
        messages.error(request, str(error))
    is_there = Pipeline.objects.editable_by(request.employee).filter(pk=found.pk).exists()
    return redirect("pipeline", found.public_id) if is_there else redirect("crm_settings")


def _rename(request: Request, found: Pipeline) -> None:
    acts.rename_pipeline(found, request.POST.get("name", ""), by=request.employee)


def _move_up(request: Request, found: Pipeline) -> None:
    acts.move_up(found, by=request.employee)


def _write_stages(request: Request, found: Pipeline) -> None:
    """Fields `name-<id>`, `outcome-<id>`, `order-<id>` for each stage, and `-new` for another one."""
    lines = []
    for place, stage in enumerate(_stages(found)):
        lines.append((_place(request, stage.public_id, place), _said(request, stage.public_id, stage)))
    if request.POST.get("name-new", "").strip():
        lines.append((_place(request, "new", len(lines)), _said(request, "new", None)))
    lines.sort(key=lambda line: line[0])
    acts.write_stages(found, [said for _place, said in lines], by=request.employee)


def _place(request: Request, name: str, otherwise: int) -> int:
    typed = request.POST.get(f"order-{name}", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else otherwise + 1


def _said(request: Request, name: str, stage: Stage | None) -> acts.StageSaid:
    outcome = request.POST.get(f"outcome-{name}", stage.outcome if stage else "")
    if outcome not in Stage.Outcome.values:
        raise Http404
    return acts.StageSaid(request.POST.get(f"name-{name}", stage.name if stage else ""), outcome, stage)


def _delete_stage(request: Request, found: Pipeline) -> None:
    stages = {stage.public_id: stage for stage in _stages(found)}
    gone, to = stages.get(request.POST.get("stage", "")), stages.get(request.POST.get("to", ""))
    if gone is None:
        raise Http404
    count = acts.delete_stage(gone, by=request.employee, to=None if to == gone else to)
    _tell_moved(request, count)


def _delete(request: Request, found: Pipeline) -> None:
    others = {stage.public_id: stage for stage in _others(found)}
    count = acts.delete_pipeline(found, by=request.employee, to=others.get(request.POST.get("to", "")))
    _tell_moved(request, count)


def _tell_moved(request: Request, count: int) -> None:
    if count:
        messages.success(request, ngettext("%(n)d was moved.", "%(n)d were moved.", count) % {"n": count})


def _write_access(request: Request, found: Pipeline) -> None:
    everyone = request.POST.get("everyone", "")
    if everyone not in Pipeline.Everyone.values:
        raise Http404
    chosen: list[Chosen] = []
    for name, recipient in _recipients(request.employee).items():
        may = request.POST.get(name, "")
        if may in {"see", "change"}:
            chosen.append((recipient, may == "change"))
    acts.write_access(found, everyone, chosen, by=request.employee)


CHANGES: dict[str, Callable[[Request, Pipeline], None]] = {
    "name": _rename,
    "up": _move_up,
    "stages": _write_stages,
    "stage-removal": _delete_stage,
    "access": _write_access,
    "removal": _delete,
}


def _stages(found: Pipeline) -> list[Stage]:
    return [stage for stage in stages_of(found.account, found.kind) if stage.pipeline_id == found.pk]


def _others(found: Pipeline) -> list[Stage]:
    """The open stages of the other pipelines."""
    stages = stages_of(found.account, found.kind)
    return [stage for stage in stages if stage.pipeline_id != found.pk and not stage.outcome]


def _recipients(employee: Employee) -> dict[str, Employee | Department]:
    """Whom one may choose, by the name of their field."""
    departments = Department.objects.visible_to(employee).order_by("name")
    people = Employee.objects.visible_to(employee).working().order_by("name")
    named: dict[str, Employee | Department] = {f"department-{each.public_id}": each for each in departments}
    return named | {f"employee-{each.public_id}": each for each in people}


def _facts(request: Request, found: Pipeline) -> dict[str, Any]:
    grants = {grant.employee_id or f"d{grant.department_id}": grant.may_change for grant in found.grants.all()}
    stages = _stages(found)
    return {
        "area": "crm-settings",
        "pipeline": found,
        "is_first": stages_of(found.account, found.kind)[0].pipeline_id == found.pk,
        "stages": stages,
        "next_place": len(stages) + 1,
        "outcomes": Stage.Outcome.choices,
        "everyones": Pipeline.Everyone.choices,
        "others": _others(found),
        "chosen": [
            _line(name, each, grants.get(f"d{each.pk}" if isinstance(each, Department) else each.pk))
            for name, each in _recipients(request.employee).items()
        ],
    }


def _line(name: str, each: Employee | Department, may_change: bool | None) -> dict[str, Any]:  # noqa: FBT001
    may = "" if may_change is None else "change" if may_change else "see"
    return {"name": name, "said": each.name, "is_department": isinstance(each, Department), "may": may}
