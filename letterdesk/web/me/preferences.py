"""The reader's own settings: name, language and time zone, looks, keyboard. Kept with the person, for all devices."""

import zoneinfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import CHOICES, NotAChoice, fold, prefer
from letterdesk.mailboxes.models import Mailbox
from letterdesk.web.commands import ClashingKeys, keys_shown, remapped
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request

A_YEAR = 31_536_000
LOOKS = ("theme", "density", "text", "paper")


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not a generic at run time
    """Name, language and time zone; empty: the account's zone."""

    language = forms.ChoiceField(required=False, label=gettext_lazy("Language"))
    time_zone = forms.ChoiceField(required=False, label=gettext_lazy("Time zone"))

    class Meta:
        model = Employee
        fields = ("name", "time_zone", "away_until")
        labels = {"name": gettext_lazy("Name"), "away_until": gettext_lazy("Away until")}
        help_texts = {"away_until": gettext_lazy("Your last day away. Nothing new comes to you in turn until then.")}
        widgets = {"away_until": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        account = self.instance.account
        zones = sorted(zoneinfo.available_timezones())
        same = _("As the company: %(zone)s") % {"zone": account.time_zone}
        self.fields["time_zone"].choices = [("", same), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]
        self.fields["language"].choices = [("", _("As the browser")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["language"].initial = self.instance.preferences.get("language", "")


def preferences(request: Request) -> HttpResponse:
    """GET and POST /settings: name, language, time zone."""
    form = ProfileForm(request.POST or None, instance=request.employee)
    if request.method == "POST" and form.is_valid():
        language = form.cleaned_data["language"]
        form.instance.save(update_fields=["name", "time_zone", "away_until"])
        prefer(request.employee, language=language)
        with override(language or settings.LANGUAGE_CODE):
            messages.success(request, _("Saved."))
        return redirect("settings")
    status = 422 if form.errors else 200
    return render(request, "web/settings/profile.html", {"area": "settings", "form": form}, status=status)


def appearance(request: Request) -> HttpResponse:
    """GET and POST /settings/appearance: what is in the form is kept, the rest stays; `next` leads back."""
    if request.method != "POST":
        return render(request, "web/settings/appearance.html", {"area": "appearance"})
    _prefer(request, LOOKS)
    if not request.POST.get("next"):
        messages.success(request, _("Saved."))
    answer = redirect(next_of(request) if request.POST.get("next") else "appearance")
    return _remember_theme(request, answer)


def _prefer(request: Request, names: tuple[str, ...]) -> None:
    wishes = {name: request.POST[name] for name in names if name in request.POST}
    try:
        prefer(request.employee, **wishes)
    except NotAChoice:
        raise Http404 from None


def _remember_theme(request: Request, answer: HttpResponse) -> HttpResponse:
    """On this device, for the pages before the sign-in."""
    theme = request.employee.preferences.get("theme", "")
    if theme:
        answer.set_cookie("theme", theme, max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    else:
        answer.delete_cookie("theme")
    return answer


def keyboard(request: Request) -> HttpResponse:
    """GET and POST /settings/keyboard: on, off or with Alt+Shift, and which key does what."""
    if request.method != "POST":
        return _keyboard(request)
    if "reset" in request.POST:
        prefer(request.employee, keymap={})
        messages.success(request, _("The keys are as they were."))
        return redirect("keyboard")
    typed = {name: str(key) for name, key in request.POST.items()}
    wanted = {name.removeprefix("key-"): key for name, key in typed.items() if name.startswith("key-")}
    try:
        prefer(request.employee, keymap=remapped(wanted))
    except ClashingKeys as error:
        return _keyboard(request, wanted=wanted, clash=error)
    _prefer(request, ("keys",))
    messages.success(request, _("Saved."))
    return redirect("keyboard")


def _keyboard(
    request: Request, *, wanted: dict[str, str] | None = None, clash: ClashingKeys | None = None
) -> HttpResponse:
    rows = keys_shown(request.employee)
    for row in rows:
        row["typed"] = (wanted or {}).get(row["command"].name, row["key"])
    facts = {"area": "keyboard", "rows": rows, "clash": clash, "choices": CHOICES["keys"]}
    return render(request, "web/settings/keyboard.html", facts, status=422 if clash else 200)


@require_POST
def folds(request: Request) -> HttpResponse:
    """POST /settings/folds: fold a mailbox in the sidebar, or open it."""
    visible = Mailbox.objects.visible_to(request.employee)
    mailbox = get_object_or_404(visible, public_id=request.POST.get("mailbox", ""))
    fold(request.employee, mailbox.public_id, folded=request.POST.get("folded") == "yes")
    return HttpResponse(status=204) if request.htmx else redirect(next_of(request))


@require_POST
def checklist(request: Request) -> HttpResponse:
    """POST /settings/checklist: the first steps are not shown any more, or again."""
    prefer(request.employee, checklist="" if request.POST.get("show") == "yes" else "done")
    return redirect(next_of(request))
