"""How a person is told: of what in each mailbox, quiet hours, the digest, and the browsers that are pushed to."""

from datetime import time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast, spend
from letterdesk.lib.webpush import public_text, signer
from letterdesk.mailboxes.models import Mailbox
from letterdesk.notifications.browsers import NotABrowser, live_browsers, subscribe
from letterdesk.notifications.digest import can_mail
from letterdesk.notifications.jobs import push_test_to
from letterdesk.notifications.models import Digest, Level, PushBrowser
from letterdesk.notifications.wishes import NotAWish, choose, choose_levels, levels_of, pause, telling_of
from letterdesk.web.request import Request

PAUSES = {"1": timedelta(hours=1), "8": timedelta(hours=8), "24": timedelta(hours=24), "0": None}
TESTS = 10  # an hour, each person
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))


class TellingForm(forms.Form):
    """Beside the page: machines, quiet hours, digest."""

    tells_bulk = forms.BooleanField(required=False, label=gettext_lazy("Newsletters and automatic letters as well"))
    hides_content = forms.BooleanField(
        required=False, label=gettext_lazy("Say only what happened in pushes and digests: no names, no subjects")
    )
    quiet_from = forms.TimeField(required=False, label=gettext_lazy("Quiet from"))
    quiet_until = forms.TimeField(required=False, label=gettext_lazy("until"))
    digest = forms.ChoiceField(required=False, choices=Digest.choices, label=gettext_lazy("Digest by e-mail"))
    digest_hour = forms.TypedChoiceField(coerce=int, label=gettext_lazy("at"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["digest_hour"].choices = [(hour, f"{hour:02}:00") for hour in range(24)]  # type: ignore[attr-defined]


def telling(request: Request) -> HttpResponse:
    """GET and POST /settings/notifications."""
    employee = request.employee
    mailboxes = list(Mailbox.objects.visible_to(employee).order_by("address", "pk"))
    form = TellingForm(request.POST or None, initial=_initial(employee))
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            _keep(request, form.cleaned_data, mailboxes)
        except NotAWish as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("telling")
    facts = {**_facts(request, mailboxes), "form": form, "error": error}
    return render(request, "web/notifications/settings.html", facts, status=422 if error or form.errors else 200)


def _initial(employee: Employee) -> dict[str, Any]:
    kept = telling_of(employee)
    names = ("tells_bulk", "hides_content", "quiet_from", "quiet_until", "digest", "digest_hour")
    shown = {name: getattr(kept, name) for name in names}
    return {name: f"{each:%H:%M}" if isinstance(each, time) else each for name, each in shown.items()}


def _keep(request: Request, chosen: dict[str, Any], mailboxes: list[Mailbox]) -> None:
    choose(
        request.employee,
        now=timezone.now(),
        tells_bulk=chosen["tells_bulk"],
        hides_content=chosen["hides_content"],
        quiet=(chosen["quiet_from"], chosen["quiet_until"]),
        digest=chosen["digest"],
        digest_hour=chosen["digest_hour"],
    )
    named = {each: request.POST.get(f"level-{each.public_id}", "") for each in mailboxes}
    choose_levels(request.employee, {each: level for each, level in named.items() if level})


def _facts(request: Request, mailboxes: list[Mailbox]) -> dict[str, Any]:
    employee, now = request.employee, timezone.now()
    levels = levels_of(employee, mailboxes)
    until = telling_of(employee).paused_until
    return {
        "area": "telling",
        "levels": Level.choices,
        "rows": [{"mailbox": each, "level": levels[each.pk], "is_own": each.owner_id == employee.pk}
                 for each in mailboxes],
        "paused_until": until if until and until > now else None,
        "browsers": PushBrowser.objects.visible_to(employee).order_by("pk"),
        "push_key": public_text(signer(settings.VAPID_SECRET)),
        "can_mail": can_mail(),
    }  # fmt: skip


@require_POST
def pausing(request: Request) -> HttpResponse:
    """POST /settings/notifications/pause: no pushes for `hours`; 0: again."""
    span = PAUSES.get(request.POST.get("hours", ""))
    pause(request.employee, timezone.now() + span if span else None)
    messages.success(request, _("Pushes wait until then.") if span else _("Pushes come again."))
    return redirect("telling")


@require_POST
def push_browsers(request: Request) -> HttpResponse:
    """POST /settings/notifications/browsers: push to this browser, by what it says of itself."""
    told = {name: request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth")}
    session = request.session.session_key or ""
    try:
        subscribe(request.employee, **told, session=session, name=_name_of(request))
    except NotABrowser as error:
        return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
    messages.success(request, _("This browser is told from now on, as long as you are signed in here."))
    return redirect("telling")


def _name_of(request: HttpRequest) -> str:
    agent = request.headers.get("User-Agent", "")
    browser = next((name for sign, name in BROWSERS if sign in agent), _("Browser"))
    system = next((name for name in SYSTEMS if name in agent), "")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


@require_POST
def push_browser_removal(request: Request, browser_id: int) -> HttpResponse:
    """POST /settings/notifications/browsers/<id>/removal: not to that browser any more."""
    get_object_or_404(PushBrowser.objects.editable_by(request.employee), pk=browser_id).delete()
    messages.success(request, _("That browser is told no more."))
    return redirect("telling")


@require_POST
def push_test(request: Request) -> HttpResponse:
    """POST /settings/notifications/test: a push to all browsers of this person, soon. The same words whatever fails."""
    now = timezone.now()
    try:
        spend(request.employee.account, "push_test", who=request.employee.public_id, most=TESTS,
              within=timedelta(hours=1), now=now)  # fmt: skip
    except TooFast as error:
        messages.error(request, str(error))
        return redirect("telling")
    if live_browsers(request.employee, now):
        push_test_to.later(request.employee.pk)
        messages.success(request, _("A test is on its way."))
    else:
        messages.error(request, _("You are signed in in none of these browsers. Let this one be told, below."))
    return redirect("telling")
