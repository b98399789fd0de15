"""One account as an operator sees it: plan, what follows, deletion, receipts; never a letter. Acts are on record."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from letterdesk.accounts.close import KEPT, AlreadyClosed, NotClosed, NotThisName, purges_at
from letterdesk.accounts.models import Account
from letterdesk.mailboxes.foresee import foresee
from letterdesk.mailboxes.retention import chain, receipts
from letterdesk.plans.catalogue import UnknownPlan, catalogue
from letterdesk.plans.change import NotPossible
from letterdesk.plans.extend import Lasting
from letterdesk.plans.limits import plan_of
from letterdesk.plans.timeline import letters_go_at, trial_ends_at, turn_of
from letterdesk.tenancy import operate
from letterdesk.tenancy.accounts import accounts_for
from letterdesk.tenancy.figures import figures_of
from letterdesk.tenancy.purge import legal_holds
from letterdesk.web.account.more_time import end_of, time_facts
from letterdesk.web.account.operator import operators_only
from letterdesk.web.request import Request


@require_GET
@operators_only
def operator_account(request: Request, account_id: str) -> HttpResponse:
    """GET /operator/accounts/<id>?to=<plan>&until=<day>: the account in numbers and dates; with `to`, what that plan
    would do, with `until`, what more time would do."""
    return _page(request, _account(request, account_id))


@require_POST
@operators_only
def operator_acts(request: Request, account_id: str) -> HttpResponse:
    """POST /operator/accounts/<id>/acts: `act`: plan, follow (with `to`), end_trial, extend_trial,
    extend_grace (with `until`, a day), links_off, links_on, close (with `name`), reopen."""
    account = _account(request, account_id)
    try:
        _do(request, account)
    except NotThisName as error:
        return _page(request, account, status=422, error=str(error))
    except (NotPossible, UnknownPlan, AlreadyClosed, NotClosed) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Done, and written down in the record of the account."))
    return redirect("operator_account", account.public_id)


def _do(request: Request, account: Account) -> None:
    by, now, form = request.employee, timezone.now(), request.POST
    match form.get("act"):
        case "plan":
            operate.put_on_plan(account, form.get("to", ""), by=by, now=now)
        case "follow":
            operate.let_follow(account, form.get("to", ""), by=by, now=now)
        case "end_trial":
            operate.end_trial(account, by=by, now=now)
        case "extend_trial" | "extend_grace" as act:
            what, until = Lasting(act.removeprefix("extend_")), end_of(form.get("until", ""))
            operate.give_time(account, what, until, by=by, now=now)
        case "links_off" | "links_on" as act:
            operate.switch_links(account, off=act == "links_off", by=by, now=now)
        case "close":
            operate.close(account, typed=form.get("name", ""), by=by, now=now)
        case "reopen":
            operate.reopen(account, by=by)
        case _:
            raise Http404


def _account(request: Request, account_id: str) -> Account:
    found: Account = get_object_or_404(accounts_for(request.employee), public_id=account_id)
    return found


def _page(request: Request, account: Account, *, status: int = 200, **more: Any) -> HttpResponse:
    facts = {
        "area": "operator",
        "account": account,
        "figures": figures_of(account),
        "purges_at": purges_at(account),
        "would_purge_at": timezone.now() + KEPT,
        "held": legal_holds(account),
        "receipts": receipts.of(account).count(),
        "look": chain.look(account),
        **({} if account.purged_at else _plan(request, account)),
        **more,
    }
    return render(request, "web/operator/account.html", facts, status=status)


def _plan(request: Request, account: Account) -> dict[str, Any]:
    """Plan, trial, what follows, when letters go, and what the plan `to` would do."""
    now, shelf, to = timezone.now(), catalogue(), request.GET.get("to", "")
    current = plan_of(account, now=now)
    try:
        subscription = account.subscription
    except ObjectDoesNotExist:  # opened before there were plans
        return {"plan": current}
    turn = turn_of(subscription)
    is_to_come = turn is not None and turn.at > now
    return {
        "plan": current,
        "subscription": subscription,
        "trial_ends_at": trial_ends_at(subscription) if is_to_come else None,
        "turn": turn if is_to_come else None,
        "follows": shelf.plan(turn.plan) if turn is not None and is_to_come else None,
        "letters_go_at": letters_go_at(subscription, now),
        "others": [each for each in shelf.plans.values() if each.key != current.key],
        "preview": foresee(account, to, now=now) if to in shelf.plans else None,
        **time_facts(subscription, request.GET.get("until", ""), now=now),
    }
