"""How long letters stay: the own times of the account and of mailboxes, each previewed before it is chosen (W12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.mailboxes.models import Mailbox, RetentionRule
from letterdesk.mailboxes.retention.choose_times import (
    LookAgain,
    NotPossible,
    Proposal,
    choose,
    propose,
    said_by,
    take_back,
    waiting_rules,
)
from letterdesk.mailboxes.retention.own_times import LONGEST, rules_of, standing
from letterdesk.mailboxes.retention.periods import Own
from letterdesk.plans import limits
from letterdesk.plans.limits import PlanError
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request


class TimesForm(forms.Form):
    """For which mailbox (empty: the account), and the days; empty days are as the next one up says."""

    of = forms.CharField(required=False)
    days = forms.IntegerField(min_value=1, max_value=LONGEST, required=False, label=gettext_lazy("All letters"))
    sent = forms.IntegerField(min_value=1, max_value=LONGEST, required=False, label=gettext_lazy("In Sent"))
    drafts = forms.IntegerField(min_value=1, max_value=LONGEST, required=False, label=gettext_lazy("In Drafts"))

    @property
    def day_fields(self) -> list[forms.BoundField]:
        """The three numbers."""
        return [self[name] for name in ("days", "sent", "drafts")]

    @property
    def own(self) -> Own:
        """What was chosen."""
        return Own(*(self.cleaned_data[name] for name in ("days", "sent", "drafts")))


@dataclass(frozen=True)
class Line:
    """What the account (no mailbox) or a mailbox says itself, and what waits for its day."""

    mailbox: Mailbox | None
    words: str
    waiting: tuple[tuple[RetentionRule, str], ...]

    @property
    def key(self) -> str:
        """How the form names it."""
        return self.mailbox.public_id if self.mailbox else ""


@require_http_methods(["GET", "POST"])
@administrators_only
def retention(request: Request) -> HttpResponse:
    """GET /settings/retention?of=<mailbox>&days=…: what is chosen, and the preview of another choice; POST: choose it.

    `seen` is the mark of the preview, `sure` its second confirmation (F09).
    """
    now = timezone.now()
    limits.require(request.employee.account, integration=True, now=now)  # R2
    asked = request.POST if request.method == "POST" else request.GET
    if not {"days", "sent", "drafts"} & asked.keys():
        return _page(request, TimesForm(initial={"of": request.GET.get("of", "")}), now)
    form = TimesForm(asked)
    if not form.is_valid():
        return _page(request, form, now, status=422)
    try:
        return _previewed(request, form, now) if request.method == "GET" else _chosen(request, form, now)
    except (NotPossible, PlanError) as error:
        form.add_error(None, str(error))
        return _page(request, form, now, status=422)


@require_POST
@administrators_only
def retention_taken_back(request: Request, rule_id: str) -> HttpResponse:
    """POST /settings/retention/<rule>/taking-back: take back a choice that waits for its day."""
    now = timezone.now()
    rule = get_object_or_404(waiting_rules(request.employee.account, now), public_id=rule_id)
    if take_back(rule, by=request.employee, now=now):
        messages.success(request, _("Taken back: nothing changes."))
    return redirect("retention")


def _previewed(request: Request, form: TimesForm, now: datetime) -> HttpResponse:
    found = propose(request.employee.account, form.own, mailbox=_mailbox(request, form), now=now)
    return _page(request, form, now, proposal=found)


def _chosen(request: Request, form: TimesForm, now: datetime) -> HttpResponse:
    me, mailbox = request.employee, _mailbox(request, form)
    seen, sure = request.POST.get("seen", ""), request.POST.get("sure") == "yes"
    try:
        rule = choose(me.account, form.own, mailbox=mailbox, seen=seen, confirmed=sure, by=me, now=now)
    except LookAgain as error:
        messages.error(request, str(error))
        return _page(request, form, now, proposal=error.proposal, status=409)
    messages.success(request, _("Saved.") if rule.begins_at <= now else _("Saved: it begins in seven days."))
    return redirect("retention")


def _mailbox(request: Request, form: TimesForm) -> Mailbox | None:
    wanted = form.cleaned_data["of"]
    return get_object_or_404(_mailboxes(request), public_id=wanted) if wanted else None


def _mailboxes(request: Request) -> Any:
    return Mailbox.objects.administered_by(request.employee).defer("secret").order_by("address")


def _page(
    request: Request, form: TimesForm, now: datetime, *, proposal: Proposal | None = None, status: int = 200
) -> HttpResponse:
    account, mailboxes = request.employee.account, list(_mailboxes(request))
    of = form["of"].value() or ""
    if of and of not in {each.public_id for each in mailboxes}:
        raise Http404
    facts = {
        "area": "retention",
        "terms": limits.terms(account, now=now),
        "lines": _lines(request, mailboxes, now),
        "form": form,
        "of": of,
        "mailboxes": mailboxes,
        "proposal": proposal,
        "proposed": in_words(proposal.own) if proposal else "",
        "broken": _broken(request, now),
    }
    return render(request, "web/retention/page.html", facts, status=status)


def _lines(request: Request, mailboxes: list[Mailbox], now: datetime) -> list[Line]:
    account = request.employee.account
    at, waiting = standing(rules_of(account), now), list(waiting_rules(account, now))
    lines = []
    for mailbox in (None, *mailboxes):
        own = said_by(at, mailbox)
        of = tuple((rule, in_words(own_of(rule))) for rule in waiting if rule.mailbox_id == (mailbox and mailbox.pk))
        if mailbox is None or of or not own.is_empty:
            lines.append(Line(mailbox, in_words(own), of))
    return lines


def _broken(request: Request, now: datetime) -> int:
    """Rules in the table that were not made here: they hold nowhere, and somebody should know (F09)."""
    account = request.employee.account
    whole = {rule.pk for rule in rules_of(account)}
    return account.retention_rules.filter(taken_back_at=None).exclude(pk__in=whole).count()


def own_of(rule: RetentionRule) -> Own:
    """The days of a rule."""
    return Own(rule.days, rule.sent_days, rule.draft_days)


def in_words(own: Own) -> str:
    """What was chosen, in words."""
    if own.is_empty:
        return _("no time of its own")
    named = ((own.days, _("all letters")), (own.sent, _("Sent")), (own.drafts, _("Drafts")))
    return " · ".join(
        f"{name}: " + ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
        for days, name in named
        if days is not None
    )
