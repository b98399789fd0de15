"""The audit log of the account, for administrators: what happened, never what a letter says; and its export (F19)."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from letterdesk.accounts.models import Employee
from letterdesk.events.audit import Wanted, all_of, as_row, find, told_facts
from letterdesk.events.kinds import KINDS, in_short
from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.lib.keyset import BadCursor, page_of
from letterdesk.lib.sheets import as_csv
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.retention import chain
from letterdesk.mailboxes.retention.receipts import of as receipts_of
from letterdesk.web.account.people import administrators_only
from letterdesk.web.moments import DayField
from letterdesk.web.request import Request
from letterdesk.web.security import FILE_POLICY, set_headers

PER_PAGE = 50
HEAD = ["id", "at", "kind", "what", "by", "subject", "facts"]


class SearchForm(forms.Form):
    """What is looked for; a `subject` is an address, or a reference such as task:12."""

    person = forms.CharField(required=False, max_length=16)
    kind = forms.ChoiceField(required=False, choices=[("", ""), *((kind, kind) for kind in KINDS)])
    subject = forms.CharField(required=False, max_length=320)
    since = DayField(required=False)
    until = DayField(required=False)

    @property
    def asked(self) -> dict[str, str]:
        """What was typed, for the export and the next page."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}


@dataclass(frozen=True)
class Line:
    """An event, in words and names."""

    event: Event
    words: str
    subject: str
    facts: list[tuple[str, str]]


@require_GET
@administrators_only
def audit(request: Request) -> HttpResponse:
    """GET /settings/audit?person=&kind=&subject=&since=&until=: events of the account, the newest first."""
    form = SearchForm(request.GET)
    try:
        page, following = page_of(_found(request, form), "at", before=request.GET.get("before", ""), limit=PER_PAGE)
    except BadCursor as error:
        raise Http404 from error
    names = _names(request, page)
    facts = {
        "area": "audit",
        "form": form,
        "lines": [_line(event, names) for event in page],
        "following": following,
        "asked": form.asked,
        "query": urlencode(form.asked),
        "people": Employee.objects.visible_to(request.employee).order_by("name"),
        "kinds": _kind_groups(),
    }
    return render(request, "web/audit/page.html", facts, status=200 if form.is_valid() else 422)


@require_POST
@administrators_only
def audit_export(request: Request) -> HttpResponse | StreamingHttpResponse:
    """POST /settings/audit/export: what is found as CSV, or as JSON lines (`as` jsonl); itself an event."""
    form = SearchForm(request.POST)
    found = _found(request, form)
    if not form.is_valid():
        raise Http404
    as_lines = request.POST.get("as") == "jsonl"
    name, write = ("audit.jsonl", _json_lines) if as_lines else ("audit.csv", _csv_lines)
    latest = Event.objects.visible_to(request.employee).order_by("-pk").values_list("pk", flat=True).first() or 0
    asked = [f"{field}={value}" for field, value in form.asked.items()]
    record("audit.exported", account=request.employee.account, by=request.employee, file=name, asked=asked)
    kind = "application/x-ndjson" if as_lines else "text/csv; charset=utf-8"
    response = StreamingHttpResponse(_streamed(write, found.filter(pk__lte=latest)), content_type=kind)
    disposition = content_disposition_header(as_attachment=True, filename=name) or ""
    policy = {"Content-Security-Policy": FILE_POLICY, "Cache-Control": "private, no-store"}
    set_headers(response, {"Content-Disposition": disposition, **policy, "Content-Encoding": "identity"})
    return response


@require_GET
@administrators_only
def receipts(request: Request) -> HttpResponse:
    """GET /settings/audit/receipts?before=<number>: what was deleted here, and whether the chain is whole (F19)."""
    account, before = request.employee.account, request.GET.get("before", "")
    found = receipts_of(account)
    if before:
        if not re.fullmatch(r"[0-9]{1,9}", before):
            raise Http404
        found = found.filter(number__lt=int(before))
    page = list(found[: PER_PAGE + 1])
    facts = {
        "area": "audit",
        "receipts": page[:PER_PAGE],
        "following": page[PER_PAGE - 1].number if len(page) > PER_PAGE else None,
        "look": chain.look(account),
    }
    return render(request, "web/audit/receipts.html", facts)


@require_POST
@administrators_only
def receipts_checked(request: Request) -> HttpResponse:
    """POST /settings/audit/receipts/check: walk through all receipts now, the oldest included."""
    chain.check(request.employee.account, now=timezone.now())
    return redirect("audit_receipts")


def _found(request: Request, form: SearchForm) -> QuerySet[Event]:
    """What the form asks for; nothing where it asks for what cannot be."""
    events = Event.objects.visible_to(request.employee)
    if not form.is_valid():
        return events.none()
    asked = form.cleaned_data
    person = None
    if asked["person"]:
        people = Employee.objects.visible_to(request.employee).filter(public_id=asked["person"])
        person = people.values_list("pk", flat=True).first() or 0
    until = asked["until"] + timedelta(days=1) if asked["until"] and asked["until"] < date.max else None
    wanted = Wanted(
        person, asked["kind"], _reference(request, asked["subject"]), _moment(asked["since"]), _moment(until)
    )
    return find(events, wanted)


def _moment(day: date | None) -> datetime | None:
    """When a day begins for who asks."""
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


def _reference(request: Request, text: str) -> str:
    """How events name a mailbox or a person that is named by its address; everything else as it was typed."""
    text = text.strip()
    if "@" not in text:
        return text
    of_account = request.employee.account_id
    box = Mailbox.objects.administered_by(request.employee).filter(address__iexact=text).only("public_id").first()
    person = Employee.objects.visible_to(request.employee).filter(account=of_account, email__iexact=text).first()
    return box.topic if box else person.topic if person else text


def _names(request: Request, events: list[Event]) -> dict[str, str]:
    """Addresses and names of the mailboxes and people that these events are about."""
    ids = {name.partition(":")[2] for event in events for name in (event.subject, event.topic)}
    boxes = Mailbox.objects.administered_by(request.employee).filter(public_id__in=ids)
    people = Employee.objects.visible_to(request.employee).filter(public_id__in=ids)
    return {f"mailbox:{key}": name for key, name in boxes.values_list("public_id", "address")} | {
        f"employee:{key}": name for key, name in people.values_list("public_id", "name")
    }


def _line(event: Event, names: dict[str, str]) -> Line:
    facts = [(name.replace("_", " "), _in_words(fact)) for name, fact in told_facts(event).items()]
    told = [(name, fact) for name, fact in facts if fact]
    return Line(event, _(in_short(event.kind)), _named(event, names), told)


def _named(event: Event, names: dict[str, str]) -> str:
    """What it is about: by name; a folder by its mailbox, whose name may be told."""
    subject = event.subject or event.topic
    if subject.startswith("folder:"):
        return names.get(event.topic, subject)
    return names.get(subject, subject)


def _in_words(fact: Any) -> str:
    if isinstance(fact, bool):
        return _("yes") if fact else _("no")
    return ", ".join(map(str, fact)) if isinstance(fact, list) else "" if fact is None else str(fact)


def _streamed(write: Callable[[list[Event]], str], events: QuerySet[Event]) -> AsyncIterator[bytes]:
    pieces: Iterator[list[Event]] = all_of(events)

    async def stream() -> AsyncIterator[bytes]:
        if write is _csv_lines:
            yield as_csv(HEAD, []).encode("utf-8-sig")
        while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
            yield write(piece).encode()

    return stream()


def _csv_lines(events: list[Event]) -> str:
    rows = [as_row(event) for event in events]
    cells = [[_cell(row[name]) for name in HEAD] for row in rows]
    return as_csv([], cells).removeprefix("\r\n")


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _json_lines(events: list[Event]) -> str:
    rows = ({**row, "at": row["at"].isoformat()} for row in map(as_row, events))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _kind_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    groups = groupby(sorted(KINDS), key=lambda kind: kind.partition(".")[0])
    return [(group, [(kind, _(in_short(kind))) for kind in kinds]) for group, kinds in groups]
