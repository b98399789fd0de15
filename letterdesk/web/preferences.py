"""The reader's own settings: name, time zone, light or dark, keyboard."""

import zoneinfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letterdesk.accounts.models import Employee
from letterdesk.web.context import KEYS, THEMES
from letterdesk.web.request import Request

A_YEAR = 31_536_000


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not a generic at run time
    """Name and time zone; empty: the account's zone."""

    time_zone = forms.ChoiceField(required=False, label=gettext_lazy("Time zone"))

    class Meta:
        model = Employee
        fields = ("name", "time_zone")
        labels = {"name": gettext_lazy("Name")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        account = self.instance.account
        zones = sorted(zoneinfo.available_timezones())
        same = _("As the company: %(zone)s") % {"zone": account.time_zone}
        self.fields["time_zone"].choices = [("", same), *((zone, zone) for zone in zones)]  # type: ignore[attr-defined]


def preferences(request: Request) -> HttpResponse:
    """Show and change name, time zone, appearance and keys."""
    form = ProfileForm(request.POST or None, instance=request.employee)
    if request.method == "POST" and form.is_valid():
        form.instance.save(update_fields=["name", "time_zone"])
        messages.success(request, _("Saved."))
        return _remember(request, redirect("settings"))
    status = 422 if form.errors else 200
    return render(request, "web/preferences.html", {"area": "settings", "form": form}, status=status)


def _remember(request: Request, answer: HttpResponse) -> HttpResponse:
    """Keep theme and keys on this device."""
    for name, allowed in (("theme", THEMES), ("keys", KEYS)):
        value = request.POST.get(name, "")
        if value in allowed:
            answer.set_cookie(name, value, max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
        else:
            answer.delete_cookie(name)
    return answer
