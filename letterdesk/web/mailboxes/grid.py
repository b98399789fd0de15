"""The grid of all mailboxes that one reads or oversees: health, figures, access; filter, sort, columns, CSV (W10)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from letterdesk.lib.sheets import as_csv
from letterdesk.mailboxes.connect import NotPossible, pause, resume
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.overview import Figures, figures, known_mailboxes
from letterdesk.plans.limits import PlanError
from letterdesk.sync.progress import progress_of
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.mailboxes.grid_query import COLUMNS, FIGURES, GridQuery, remember
from letterdesk.web.mailboxes.health import Health, health_of, health_words
from letterdesk.web.request import Request

PER_PAGE = 100
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class Line:
    """A mailbox in the grid. Nothing in it tells what a letter says."""

    mailbox: Any
    health: Health
    access: list[str]
    figures: Figures = field(default_factory=Figures)
    is_counted: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether someone other than its owner has access (R16)."""
        return bool(self.access)


ORDERS: dict[str, Callable[[Line], Any]] = {
    "address": lambda line: line.mailbox.address.casefold(),
    "owner": lambda line: line.mailbox.owner.name.casefold(),
    "type": lambda line: line.is_shared,
    "health": lambda line: line.health.rank,
    "synced": lambda line: line.mailbox.last_synced_at or LONG_AGO,
    "kept": lambda line: line.figures.kept,
    "size": lambda line: line.figures.size,
    "oldest": lambda line: line.figures.oldest or LONG_AGO,
    "leaves": lambda line: line.figures.leaving.at if line.figures.leaving else datetime.max.replace(tzinfo=UTC),
    "access": lambda line: len(line.access),
}


@require_GET
def mailboxes(request: Request) -> HttpResponse:
    """GET /mailboxes?q=&health=&type=&owner=&sort=&page=&column=…: a page of the grid."""
    query = GridQuery.of(request)
    every = _lines(request)
    found = _arranged(request, [line for line in every if query.takes(line)], query)
    page, pages = query.page(len(found), PER_PAGE)
    shown = _with_figures(request, found[(page - 1) * PER_PAGE : page * PER_PAGE])
    facts = {
        "area": "mailboxes",
        "lines": shown,
        "count": len(found),
        "total": len(every),
        "query": query,
        "page": page,
        "pages": pages,
        "columns": query.shown_columns(),
        "healths": health_words(),
        "owners": _owners(every),
        "may_steer": any(line.mailbox.may_steer for line in shown),
    }
    return remember(query, render(request, "web/mailboxes/grid.html", facts))


@require_GET
def export(request: Request) -> HttpResponse:
    """GET /mailboxes/export: the whole grid, filtered and sorted as on the page, for a spreadsheet (C24)."""
    query = GridQuery.of(request)
    found = _with_figures(request, _arranged(request, [line for line in _lines(request) if query.takes(line)], query))
    head = ["address", "name", "owner", "type", "health", "last_sync", "kept", "bytes", "oldest", "next_deletion",
            "next_deletion_count", "access"]  # fmt: skip
    return as_file(as_csv(head, map(_cells, found)).encode("utf-8-sig"), name="mailboxes.csv", content_type="text/csv")


@require_POST
def states(request: Request) -> HttpResponse:
    """POST /mailboxes/states: pause or resume several; what could not be done says why."""
    chosen = request.POST.getlist("mailbox")[:500]
    steered = (
        Mailbox.objects.steered_by(request.employee).filter(public_id__in=chosen).select_related("account", "owner")
    )
    done, refused = 0, []
    for mailbox in steered.filter(public_id__in=chosen):
        try:
            _go(request, mailbox)
            done += 1
        except (NotPossible, PlanError) as error:
            refused.append(f"{mailbox.address}: {error}")
    if done:
        messages.success(request, ngettext("%(n)d mailbox changed.", "%(n)d mailboxes changed.", done) % {"n": done})
    for text in refused[:5]:
        messages.error(request, text)
    if not done and not refused:
        messages.error(request, _("Choose at least one mailbox."))
    return redirect(f"{request.path.removesuffix('/states')}?{request.GET.urlencode()}")


def _go(request: Request, mailbox: Mailbox) -> None:
    if request.POST.get("state") == "paused":
        pause(mailbox, by=request.employee)
    else:
        resume(mailbox, by=request.employee, now=timezone.now())


def _lines(request: Request) -> list[Line]:
    now = timezone.now()
    known = known_mailboxes(request.employee)
    so_far = progress_of([mailbox.pk for mailbox in known if mailbox.first_sync_done_at is None])
    return [Line(mailbox, health_of(mailbox, so_far.get(mailbox.pk), now), _access(mailbox)) for mailbox in known]


def _owners(lines: list[Line]) -> list[tuple[str, str]]:
    people = {line.mailbox.owner.public_id: line.mailbox.owner.name for line in lines}
    return sorted(people.items(), key=lambda person: person[1].casefold())


def _access(mailbox: Any) -> list[str]:
    """Who has access besides the owner, in names."""
    return [
        grant.recipient_name or _("everyone") for grant in mailbox.grants.all() if grant.employee_id != mailbox.owner_id
    ]


def _arranged(request: Request, lines: list[Line], query: GridQuery) -> list[Line]:
    """Sorted; by a figure only after the figures of all were counted."""
    lines.sort(key=ORDERS["address"])
    if query.sort in FIGURES:
        lines = _with_figures(request, lines)
    return sorted(lines, key=ORDERS[query.sort], reverse=query.is_descending)


def _with_figures(request: Request, lines: Sequence[Line]) -> list[Line]:
    """Count once: what was sorted by a figure has its figures."""
    missing = [line for line in lines if not line.is_counted]
    boxes = [line.mailbox.pk for line in missing]
    told = figures(request.employee.account, boxes, now=timezone.now()) if missing else {}
    for line in missing:
        line.figures, line.is_counted = told.get(line.mailbox.pk, Figures()), True
    return list(lines)


def _cells(line: Line) -> list[object]:
    leaving = line.figures.leaving
    return [
        line.mailbox.address, line.mailbox.name, line.mailbox.owner.name, "shared" if line.is_shared else "personal",
        line.health.text, _iso(line.mailbox.last_synced_at), line.figures.kept, line.figures.size,
        _iso(line.figures.oldest), _iso(leaving.at if leaving else None), leaving.count if leaving else 0,
        ", ".join(line.access),
    ]  # fmt: skip


def _iso(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


assert set(COLUMNS) < set(ORDERS)  # noqa: S101  a column that cannot be sorted by would be a broken link
