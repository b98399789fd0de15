"""Plan and usage: what is used, what happens at each limit, what another plan would do, and what pauses first (W11)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.fit import choose
from letterdesk.mailboxes.foresee import Preview, foresee
from letterdesk.mailboxes.share import shared_mailboxes
from letterdesk.mailboxes.usage import Used, choosable, mailboxes_by_person
from letterdesk.plans.catalogue import Terms, catalogue, terms_of
from letterdesk.plans.limits import plan_of
from letterdesk.plans.usage import WARN_AT, meter
from letterdesk.web.account.calendar import reasons_told, simulated
from letterdesk.web.account.plan_notice import turn_shown
from letterdesk.web.request import Request

NEAR, VERY_NEAR = WARN_AT  # per cent


@dataclass(frozen=True)
class Meter:
    """What is used of a limit. `tone` and `word` say how near it is; `at_limit` what happens there,
    `counts` what counts, `resets_at` when it begins anew."""

    name: str
    used: Used
    at_limit: str = ""
    counts: str = ""
    resets_at: datetime | None = None

    @property
    def tone(self) -> str:
        """How its sign looks."""
        if self.used.percent >= VERY_NEAR:
            return "danger"
        return "warn" if self.used.percent >= NEAR else ""

    @property
    def word(self) -> str:
        """How near the limit is, for those who do not see the colour; empty: there is room."""
        limit = self.used.limit
        if limit is not None and self.used.number > limit:
            return _("Over the limit")
        if self.used.percent >= 100:
            return _("At the limit")
        return _("Near the limit") if self.used.percent >= NEAR else ""


@require_GET
def plan(request: Request) -> HttpResponse:
    """GET /plan?to=<plan>: the account's plan and its meters; with `to`, what that plan would do."""
    me, now = request.employee, timezone.now()
    terms = terms_of(plan_of(me.account, now=now))
    others = [each for each in catalogue().plans.values() if each.key not in {terms.key, catalogue().trial}]
    facts: dict[str, Any] = {
        "area": "plan",
        "terms": terms,
        "turn": turn_shown(me, now),
        "meters": [*(_meters(me, terms) if terms.has_integration else []), *_outgoing(me, now)],
        "periods": _periods(terms),
        "others": others,
        "own": choosable(me),
        "preview": (preview := _preview(me, request.GET.get("to", ""), now=now)),
        **_next_days(me, preview, now),
    }
    return render(request, "web/plan/page.html", facts)


@require_POST
def giving_way(request: Request) -> HttpResponse:
    """POST /plan/giving-way: which of one's own mailboxes (`first`, public ids) a smaller plan suspends first (R13)."""
    done = choose(request.employee, request.POST.getlist("first"), by=request.employee, now=timezone.now())
    messages.success(request, _("Saved: these pause first."))
    for mailbox in done.suspended:
        messages.info(request, _("%(mailbox)s is paused by the plan.") % {"mailbox": mailbox.name})
    for mailbox in done.resumed:
        messages.info(request, _("%(mailbox)s is fetched again.") % {"mailbox": mailbox.name})
    return redirect("plan")


def _meters(me: Employee, terms: Terms) -> list[Meter]:
    by_person = mailboxes_by_person(me.account)
    if not me.is_administrator:
        by_person = [(person, number) for person, number in by_person if person.pk == me.pk] or [(me, 0)]
    full = _("At the limit: no further mailbox can be connected. Those that are connected keep working.")
    return [
        *(Meter(_mailboxes_of(person, me), Used(number, terms.mailboxes_per_employee), full)
          for person, number in by_person),
        Meter(
            _("Shared mailboxes of the account"),
            Used(shared_mailboxes(me.account), terms.shared_mailboxes),
            _("At the limit: no further mailbox can be shared. Taking the last access to one away frees its place."),
        ),
    ]  # fmt: skip


def _mailboxes_of(person: Employee, me: Employee) -> str:
    return _("Your mailboxes") if person.pk == me.pk else _("Mailboxes of %(name)s") % {"name": person.name}


def _periods(terms: Terms) -> list[tuple[str, str, str]]:
    """The limits in days: name, number, what happens at its end."""
    if not terms.has_integration:
        return []
    kept, fetched = terms.days_kept, terms.days_fetched
    without_end = _("without end")
    return [
        (
            _("Letters stay"),
            without_end if kept is None else ngettext("%(n)d day", "%(n)d days", kept) % {"n": kept},
            ""
            if kept is None
            else _("Then the copy here goes. What a task holds stays, and the original stays on the mail server."),
        ),
        (
            _("Fetched when a mailbox is connected"),
            _("everything") if fetched is None
            else ngettext("the last day at most", "the last %(n)d days at most", fetched) % {"n": fetched},
            "" if fetched is None else _("Older letters stay on the mail server and are not shown here."),
        ),
    ]  # fmt: skip


def _outgoing(me: Employee, now: datetime) -> list[Meter]:
    """E-mails of this month; none where the plan lets nothing out (R22, R25)."""
    month = meter(me.account, now=now)
    if month.limit == 0:
        return []
    return [
        Meter(
            _("E-mails sent this month by the whole account"),
            Used(month.used, month.limit),
            _("At the limit: nothing further is queued. What is written stays as a draft."),
            _("Each e-mail counts once, in the month it is to go in; stopped or failed ones are given back."),
            month.ends_at,
        )
    ]


def _next_days(me: Employee, preview: Preview | None, now: datetime) -> dict[str, Any]:
    """What would leave over the next days under the plan of the preview; nothing where there is no Webmail."""
    if preview is None or not (preview.before.has_integration and preview.after.has_integration):
        return {}
    seen = simulated(me, preview.after.days_kept, now=now)
    return {"seen": seen, "reasons": reasons_told(seen), "today": seen.days[0].day}


def _preview(me: Employee, key: str, *, now: datetime) -> Preview | None:
    """What that plan would do: to the whole account for an administrator, to one's own mailboxes for others."""
    if key not in catalogue().plans:
        return None
    seen = foresee(me.account, key, now=now)
    mine = tuple(each for each in seen.mailboxes if me.is_administrator or each.mailbox.owner_id == me.pk)
    return replace(seen, mailboxes=mine)
