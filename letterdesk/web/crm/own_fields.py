"""Own fields of records, on plain forms of administrators: made, changed, ordered, retired, deleted; their options."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Kind, OwnField, OwnOption, OwnType
from letterdesk.crm.own import fields as acts
from letterdesk.crm.own.values import own_fields_of
from letterdesk.web.account.people import administrators_only
from letterdesk.web.crm.words import BY_KIND, KINDS
from letterdesk.web.request import Request

LONGEST_TYPED = 30_000  # characters of options, one a line


@administrators_only
def own_fields(request: Request) -> HttpResponse:
    """GET /settings/crm/fields?kind=: those of a kind of record. POST `kind`, `name`, `type`, `options`: one more."""
    kind = request.POST.get("kind") or request.GET.get("kind", Kind.CONTACT)
    if kind not in Kind.values:
        raise Http404
    if request.method != "POST":
        return _list(request, kind, {})
    wanted = request.POST.get("type", "")
    if wanted not in OwnType.values:
        raise Http404
    try:
        options = _lines(request, "options") if wanted in {OwnType.CHOICE, OwnType.CHOICES} else []
        made = acts.make_field(kind, _said(request), type=wanted, by=request.employee, options=options)
    except acts.BadField as error:
        messages.error(request, str(error))
        return _list(request, kind, request.POST.dict(), status=422)
    messages.success(request, _("There is a field “%(name)s” now.") % {"name": made.name})
    return redirect(_of_kind(kind))


def _list(request: Request, kind: str, said: dict[str, str], *, status: int = 200) -> HttpResponse:
    facts = {
        "area": "crm-settings",
        "kinds": KINDS,
        "words": BY_KIND[kind],
        "fields": own_fields_of(request.employee.account, kind, with_retired=True),
        "types": OwnType.choices,
        "said": said,
    }
    return render(request, "web/crm/own_fields.html", facts, status=status)


@administrators_only
def own_field(request: Request, own_field_id: str) -> HttpResponse:
    """GET /settings/crm/fields/<id>: what it is, and what goes with it. POST `change`: one of `CHANGES`."""
    found = get_object_or_404(OwnField.objects.editable_by(request.employee), public_id=own_field_id)
    if request.method != "POST":
        return render(request, "web/crm/own_field.html", _facts(found, request.employee))
    do = CHANGES.get(request.POST.get("change", ""))
    if do is None:
        raise Http404
    try:
        do(request, found)
        messages.success(request, _("Saved."))
    except acts.OptionsChanged as error:
        facts = _facts(found, request.employee, request.POST) | {"conflict": str(error)}
        return render(request, "web/crm/own_field.html", facts, status=409)
    except acts.BadField as error:
        messages.error(request, str(error))
    is_there = OwnField.objects.editable_by(request.employee).filter(pk=found.pk).exists()
    return redirect("own_field", found.public_id) if is_there else redirect(_of_kind(found.kind))


def _change(request: Request, found: OwnField) -> None:
    acts.change_field(found, _said(request), by=request.employee)


def _move_up(request: Request, found: OwnField) -> None:
    acts.move_up(found, by=request.employee)


def _write_options(request: Request, found: OwnField) -> None:
    """Fields `name-<id>`, `order-<id>`, `retired-<id>` of options, `new`: more, one a line; `seen`: what was there."""
    lines = _option_lines(list(found.options.order_by("position", "pk")), request.POST)
    lines.sort(key=lambda line: line.place)
    said = [acts.OptionSaid(line.name, line.is_retired, line.option) for line in lines]
    new = [acts.OptionSaid(name) for name in _lines(request, "new")]
    acts.write_options(found, [*said, *new], by=request.employee, seen=request.POST.get("seen", ""))


@dataclass(frozen=True)
class OptionLine:
    """An option as its form shows it: as it is, or as somebody has typed it."""

    option: OwnOption
    place: int
    name: str
    is_retired: bool

    @property
    def differs(self) -> bool:
        """Whether what was typed is not what it says."""
        return (self.name, self.is_retired) != (self.option.name, self.option.is_retired)


def _option_lines(options: list[OwnOption], typed: QueryDict) -> list[OptionLine]:
    """The lines of a form; an option that it did not show is as it is."""
    lines = []
    for place, option in enumerate(options, start=1):
        key = option.public_id
        order = typed.get(f"order-{key}", "")
        if not typed.keys() & {f"name-{key}", f"order-{key}"}:
            lines.append(OptionLine(option, place, option.name, option.is_retired))
            continue
        typed_place = int(order) if order.isascii() and order.isdigit() and len(order) < 4 else place
        lines.append(
            OptionLine(option, typed_place, typed.get(f"name-{key}", option.name), typed.get(f"retired-{key}") == "yes")
        )
    return lines


def _delete_option(request: Request, found: OwnField) -> None:
    named, _colon, seen = request.POST.get("option", "").partition(":")
    option = get_object_or_404(OwnOption.objects.editable_by(request.employee).filter(field=found), public_id=named)
    count = acts.delete_option(option, by=request.employee, seen=_number(seen))
    _tell_gone(request, count)


def _delete(request: Request, found: OwnField) -> None:
    count = acts.delete_field(found, by=request.employee, seen=_number(request.POST.get("seen", "")))
    _tell_gone(request, count)


def _tell_gone(request: Request, count: int) -> None:
    if count:
        words = ngettext("It is gone from %(n)d record.", "It is gone from %(n)d records.", count) % {"n": count}
        messages.success(request, words)


CHANGES: dict[str, Callable[[Request, OwnField], None]] = {
    "field": _change,
    "up": _move_up,
    "options": _write_options,
    "option-removal": _delete_option,
    "removal": _delete,
}


def _said(request: Request) -> acts.FieldSaid:
    names = ("is_required", "is_listed", "is_on_card", "is_retired")
    ticked = {name: request.POST.get(name) == "yes" for name in names}
    return acts.FieldSaid(request.POST.get("name", ""), **ticked)


def _lines(request: Request, name: str) -> list[str]:
    """What was typed one a line, without empty ones. Raises BadField for far too much."""
    typed = request.POST.get(name, "")
    if len(typed) > LONGEST_TYPED:
        raise acts.BadField(_("A field has %(most)d options at most.") % {"most": acts.MOST_OPTIONS})
    return [line for line in typed.splitlines() if line.strip()]


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _of_kind(kind: str) -> str:
    return f"{reverse('own_fields')}?{urlencode({'kind': kind})}"


def _facts(found: OwnField, employee: Employee, typed: QueryDict | None = None) -> dict[str, Any]:
    """What the page of a field shows; `typed`: what somebody wrote into the form of its options."""
    first = OwnField.objects.editable_by(employee).filter(kind=found.kind).order_by("position", "pk").first()
    version = acts.version_of_options(found) if found.has_options else ""
    options = list(found.options.annotate(filled=Count("values")).order_by("position", "pk")) if version else []
    return {
        "area": "crm-settings",
        "field": found,
        "words": BY_KIND[found.kind],
        "is_first": first is not None and first.pk == found.pk,
        "filled": acts.records_with(found),
        "options": options,
        "lines": _option_lines(options, typed or QueryDict()),
        "new_options": typed.get("new", "") if typed else "",
        "version": version,
    }
