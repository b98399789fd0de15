"""A file of records is taken in: chosen, its columns settled beside its first lines, then watched until it is in."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from letterdesk.crm.jobs import take_in
from letterdesk.crm.models import Kind, RecordImport
from letterdesk.crm.own.said import Shown
from letterdesk.crm.records.import_rows import LARGEST, BadFile, Line, Refused, line_of, targets_of
from letterdesk.crm.records.take_in import begin, foresee, own_columns, start, table_of
from letterdesk.lib.sheets import as_csv
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.request import Request

KINDS = (Kind.CONTACT, Kind.COMPANY, Kind.LEAD, Kind.DEAL)
MOST_SHOWN = 5
MOST_REFUSALS = 100
CALLED: dict[str, str | Promise] = {
    "name": _("Name"),
    "given": _("First name"),
    "family": _("Last name"),
    "email": _("Email"),
    "phone": _("Telephone"),
    "company": _("Company"),
    "position": _("Position"),
    "responsible": _("Responsible (their name or email address)"),
    "came_from": _("Source"),
    "labels": _("Labels"),
    "note": _("Note"),
    "contact": _("Contact"),
    "pipeline": _("Pipeline"),
    "stage": _("Stage"),
    "amount": _("Amount"),
    "currency": _("Currency"),
}


def imports(request: Request) -> HttpResponse:
    """GET /crm/imports?kind=: choose a file, and what was taken in before. POST `kind` and `file`: look into it."""
    kind = request.POST.get("kind") or request.GET.get("kind", Kind.CONTACT)
    if kind not in KINDS:
        raise Http404
    error: str | Promise = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise BadFile(_("Choose a file."))
            made = begin(kind, file.read(LARGEST + 1), file.name or "", by=request.employee)
            return redirect("record_import", made.public_id)
        except BadFile as refused:
            error = refused.args[0]
    facts = {
        **crm_facts(BY_KIND[kind].plural),
        "kinds_offered": [(each, BY_KIND[each].many) for each in KINDS],
        "kind": kind,
        "error": error,
        "earlier": RecordImport.objects.visible_to(request.employee).defer("content").order_by("-at", "-pk")[:20],
    }
    return render(request, "web/crm/imports.html", facts, status=422 if error else 200)


def record_import(request: Request, import_id: str) -> HttpResponse:
    """GET /crm/imports/<id>: its columns and first lines, or how far it is. POST `column-<n>`, `fills`: take it in."""
    mine = RecordImport.objects.editable_by(request.employee)
    taken = get_object_or_404(mine, public_id=import_id)
    facts = {**crm_facts(BY_KIND[taken.kind].plural), "taken": taken, "words": BY_KIND[taken.kind]}
    if taken.state != RecordImport.State.DRAFT:
        facts["refusals"] = taken.refusals.order_by("row")[:MOST_REFUSALS]
        name = "progress" if request.htmx else "import"
        return render(request, f"web/crm/import_{name}.html" if request.htmx else "web/crm/import.html", facts)
    mapping = _mapping(request, taken) if request.method == "POST" else taken.mapping
    if request.method == "POST" and request.POST.get("do") == "start":
        if not {"name", "given", "family", "email"} & set(mapping):
            messages.error(request, _("Say which column holds the name or the email address."))
        else:
            start(taken, mapping=mapping, fills=request.POST.get("fills") == "yes")
            take_in.later(taken.pk)
            return redirect("record_import", taken.public_id)
    return render(request, "web/crm/import_columns.html", {**facts, **_preview(taken, mapping)})


def refusals(request: Request, import_id: str) -> HttpResponse:
    """GET /crm/imports/<id>/refusals.csv: the lines that were not taken in, with row, column and why."""
    taken = get_object_or_404(RecordImport.objects.visible_to(request.employee), public_id=import_id)
    found = taken.refusals.order_by("row").values_list("row", "column", "why")
    content = as_csv(("row", "column", "why"), found).encode("utf-8-sig")
    return as_file(content, name="refusals.csv", content_type="text/csv")


def _mapping(request: Request, taken: RecordImport) -> list[str]:
    said = [request.POST.get(f"column-{place}", "") for place in range(len(taken.mapping))]
    known = {*targets_of(taken.kind), *own_columns(taken.account, taken.kind)}
    return [target if target in known else "" for target in said]


def _preview(taken: RecordImport, mapping: list[str]) -> dict[str, Any]:
    """The columns with what they are taken for, and the first lines as they would be taken in."""
    table = table_of(taken)
    own = own_columns(taken.account, taken.kind)
    read = [line_of(table, row, mapping, own) for row in table.rows[:MOST_SHOWN]]
    lines = foresee(taken, read, now=timezone.now())
    columns = [
        {
            "place": place,
            "title": title,
            "target": target,
            "sample": next((row[place] for row in table.rows[:20] if len(row) > place and row[place].strip()), ""),
        }
        for place, (title, target) in enumerate(zip(table.head, mapping, strict=True))
    ]
    return {
        "columns": columns,
        "targets": [*_called(taken.kind), *((target, field.name) for target, field in own.items())],
        "lines": [
            {"line": line, "is_taken": isinstance(line, Line), "row": 2 + place, "own": _own(line)}
            for place, line in enumerate(lines)
        ],
    }


def _called(kind: str) -> list[tuple[str, str | Promise]]:
    said = CALLED | ({"email": _("Email of the contact")} if kind == Kind.DEAL else {})
    return [(target, said[target]) for target in targets_of(kind)]


def _own(line: Line | Refused) -> list[Shown]:
    return [Shown(field, said) for field, said in line.own.items()] if isinstance(line, Line) else []
