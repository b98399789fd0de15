"""The people of an account: invite them, give them roles and departments. For administrators."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from letterdesk.accounts.invite import InvitationInvalid, accept, invite, pending, send, withdraw
from letterdesk.accounts.join import AddressTaken, NotAnAddress
from letterdesk.accounts.models import Account, Department, Employee, Invitation, Role
from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.roles import LastAdministrator, place
from letterdesk.crm.records.hand_over import left_behind as records_left_behind
from letterdesk.mailboxes.left import Leaver
from letterdesk.mailboxes.left import left_behind as mailboxes_left_behind
from letterdesk.tasks.hand_over import left_behind as tasks_left_behind
from letterdesk.web.request import Request
from letterdesk.web.templatetags.letterdesk import short_date

Answer = TypeVar("Answer", bound=HttpResponseBase)


def administrators_only(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Refuse everybody who is not an administrator with 403."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> Answer:
        if not request.employee.is_administrator:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class InvitationForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.EMPLOYEE, label=gettext_lazy("Role"))
    department = forms.ModelChoiceField(
        Department.objects.none(),
        required=False,
        label=gettext_lazy("Department"),
        to_field_name="public_id",
        empty_label=gettext_lazy("No department"),
    )

    def __init__(self, account: Account, *args: Any) -> None:
        super().__init__(*args)
        self.fields["department"].queryset = account.departments.order_by("name")  # type: ignore[attr-defined]


class JoiningForm(forms.Form):
    """Name and password of a new colleague."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Your name"))
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 10 characters. Several words are easy to keep and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@administrators_only
def people(request: Request) -> HttpResponse:
    """Everybody of the account; POST invites one more."""
    form = InvitationForm(request.employee.account, request.POST or None)
    if request.method == "POST" and form.is_valid():
        link = _invite(request, form)
        if link:
            return _page(request, InvitationForm(request.employee.account), link=link)
    return _page(request, form)


def _invite(request: Request, form: InvitationForm) -> str:
    """Invite as the form says; return the link, or empty with the reason in the form."""
    wish = form.cleaned_data
    try:
        invited = invite(
            wish["email"],
            by=request.employee,
            role=wish["role"],
            department=wish["department"],
            now=timezone.now(),
        )
    except (AddressTaken, NotAnAddress, TooFast) as error:
        form.add_error("email", str(error))
        return ""
    send(invited)
    return invited.link


def _page(request: Request, form: InvitationForm, *, link: str = "") -> HttpResponse:
    me, now = request.employee, timezone.now()
    facts = {
        "area": "people",
        "form": form,
        "link": link,
        "employees": _employees(me),
        "invitations": Invitation.objects.visible_to(me).waiting().filter(expires_at__gt=now).order_by("-created_at"),
        "departments": Department.objects.visible_to(me).order_by("name"),
        "roles": Role.choices,
    }
    return render(request, "web/people/people.html", facts, status=422 if form.errors else 200)


def _employees(me: Employee) -> list[Employee]:
    """Everybody; `left_behind` says of those who left what waits for somebody, and until when."""
    everybody = list(Employee.objects.visible_to(me).select_related("department").order_by("-is_active", "name"))
    owners, tasks = {each.person.pk: each for each in mailboxes_left_behind(me.account)}, tasks_left_behind(me.account)
    records = records_left_behind(me.account)
    for person in everybody:
        person.left_behind = _waiting(owners.get(person.pk), tasks.get(person.pk, 0), records.get(person.pk, 0))
    return everybody


def _waiting(leaver: Leaver | None, tasks: int, records: int) -> str:
    """“2 mailboxes until 5 Dec · 3 tasks”; empty: nothing waits."""
    told = []
    if leaver is not None:
        words = ngettext("%(n)d mailbox until %(day)s", "%(n)d mailboxes until %(day)s", len(leaver.mailboxes))
        told.append(words % {"n": len(leaver.mailboxes), "day": short_date(leaver.ends_at)})
    if tasks:
        told.append(ngettext("%(n)d task", "%(n)d tasks", tasks) % {"n": tasks})
    if records:
        told.append(ngettext("%(n)d record of CRM", "%(n)d records of CRM", records) % {"n": records})
    return " · ".join(told)


@require_POST
@administrators_only
def withdrawal(request: Request, invitation_id: int) -> HttpResponse:
    """End an invitation that nobody has accepted yet."""
    open_ones = Invitation.objects.editable_by(request.employee).waiting()
    withdraw(get_object_or_404(open_ones, pk=invitation_id), by=request.employee)
    messages.success(request, _("The invitation was withdrawn. Its link no longer works."))
    return redirect("people")


@require_POST
@administrators_only
def departments(request: Request) -> HttpResponse:
    """Make a department."""
    name = request.POST.get("name", "").strip()[:200]
    try:
        if name:
            with transaction.atomic():
                Department.objects.create(account=request.employee.account, name=name)
    except IntegrityError:
        messages.error(request, _("A department of this name exists already."))
    return redirect("people")


@require_POST
@administrators_only
def employee(request: Request, employee_id: str) -> HttpResponse:
    """Change somebody's role and department."""
    people_here = Employee.objects.editable_by(request.employee).working()
    person = get_object_or_404(people_here, public_id=employee_id)
    try:
        done = _place(request, person)
    except LastAdministrator as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("people")


def _place(request: Request, person: Employee) -> str:
    role, chosen = request.POST.get("role", ""), request.POST.get("department", "")
    if role not in Role.values:
        raise Http404
    departments_here = Department.objects.editable_by(request.employee)
    department = get_object_or_404(departments_here, public_id=chosen) if chosen else None
    place(person, role=role, department=department, by=request.employee)
    return _("Saved.")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: choose name and password, and be signed in."""
    now = timezone.now()
    try:
        found = pending(token, now=now)
    except InvitationInvalid as error:
        return render(request, "web/people/invitation_over.html", {"reason": str(error)}, status=404)
    form = JoiningForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = accept(token, name=form.cleaned_data["name"], password=form.cleaned_data["password"], now=now)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            get_adapter().login(request, person)
            return redirect("home")
    facts = {"form": form, "invitation": found}
    return render(request, "web/people/invitation.html", facts, status=422 if form.errors else 200)
