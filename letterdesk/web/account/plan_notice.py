"""What a page knows of the plan that comes with its request, without a query but one near and after the end of Webmail:
the banner, the turn, whether there is Webmail."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import MailboxState
from letterdesk.mailboxes.usage import states_in
from letterdesk.plans.catalogue import UnknownPlan, catalogue
from letterdesk.plans.models import Subscription
from letterdesk.plans.notices import Notice, notice_of
from letterdesk.plans.timeline import letters_go_at, plan_at, turn_of
from letterdesk.web.templatetags.letterdesk import long_time


@dataclass(frozen=True)
class Shown:
    """What the banner says. `action` is the text of a link to `address`."""

    text: str
    action: str
    address: str


@dataclass(frozen=True)
class ShownTurn:
    """The plan that follows by the clock."""

    name: str
    key: str
    at: datetime


def plan_notice(request: HttpRequest) -> dict[str, Shown | bool | None]:
    """Return `plan_notice` for the shell, None: nothing is near; and `offers_webmail`, as `offers_webmail` says."""
    user = getattr(request, "user", None)
    if not isinstance(user, Employee):
        return {"plan_notice": None, "offers_webmail": False}
    subscription = _subscription(user)
    notice = _shown(subscription, timezone.now()) if subscription else None
    return {"plan_notice": notice, "offers_webmail": offers_webmail(user)}


def turn_shown(employee: Employee, now: datetime) -> ShownTurn | None:
    """The turn that is to come; None: the clock changes nothing."""
    subscription = _subscription(employee)
    turn = turn_of(subscription) if subscription else None
    if turn is None or turn.at <= now:
        return None
    return ShownTurn(catalogue().plan(turn.plan).name, turn.plan, turn.at)


def has_webmail(employee: Employee) -> bool:
    """Whether the plan that came with the request has Webmail at this second; False asks for a closer look (R11)."""
    subscription = _subscription(employee)
    if subscription is None:
        return False
    return catalogue().plan(plan_at(subscription, timezone.now())).integration


def offers_webmail(employee: Employee) -> bool:
    """Whether what belongs to Webmail is offered at this second, such as to write a letter (R2); where it is not known,
    it is, and refused in words."""
    if _subscription(employee) is None:
        return True
    try:
        return has_webmail(employee)
    except UnknownPlan:
        return True


def _subscription(employee: Employee) -> Subscription | None:
    try:
        found: Subscription = employee.account.subscription
    except ObjectDoesNotExist:  # an account of one's own catalogue, opened before there were plans
        return None
    return found


def _shown(subscription: Subscription, now: datetime) -> Shown | None:
    try:
        notice = notice_of(subscription, now)
    except UnknownPlan:  # the operator is told by `letterdesk doctor`; pages still open
        return None
    if notice is None:
        return None
    return _after(subscription, notice, now) if notice.is_over else _before(subscription, notice)


def _before(subscription: Subscription, notice: Notice) -> Shown:
    facts = {"plan": notice.before.name, "after": notice.after.name, "day": long_time(notice.at)}
    if notice.before.key == notice.after.key:
        smaller = _("Your plan %(plan)s becomes smaller on %(day)s.") % facts
        return Shown(smaller, _("Compare the plans"), reverse("plans"))
    text = _("Your plan changes from %(plan)s to %(after)s on %(day)s.") % facts
    if not notice.after.has_integration and states_in(subscription.account_id):  # else there is nothing to lose
        loss = _("Webmail ends then: mailboxes are suspended, and letters that no task holds are removed here.")
        text = f"{text} {loss} " + _("The mail server keeps everything.")
    return Shown(text, _("See what happens"), f"{reverse('plan')}?to={notice.after.key}#preview")


def _after(subscription: Subscription, notice: Notice, now: datetime) -> Shown:
    text = _("Your plan %(plan)s has no Webmail since %(day)s.") % {
        "plan": notice.after.name,
        "day": long_time(notice.at),
    }
    states = states_in(subscription.account_id)
    if not states:  # there never was a mailbox: nothing was lost
        return Shown(text, _("Compare the plans"), reverse("plans"))
    begins = letters_go_at(subscription, now)
    if begins is not None and begins > now:
        kept = _("Letters are kept until %(day)s: choose a plan with Webmail before, and all is as it was.")
        return Shown(f"{text} {kept % {'day': long_time(begins)}}", _("Compare the plans"), reverse("plans"))
    gone = _("Mailboxes are suspended with their settings; an upgrade fetches their letters anew.")
    is_some = states != {MailboxState.DISCONNECTED}  # a connected one is suspended within moments (R13)
    text = f"{text} {gone}" if is_some else text
    return Shown(text, _("Compare the plans"), reverse("plans"))
