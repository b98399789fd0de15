"""The command palette and the list of keys: parts that the page asks for when they are first opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import prefer
from letterdesk.crm.records.views import views_of as list_views_of
from letterdesk.crm.search.records import names_by_words
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox
from letterdesk.mailboxes.search.saved import recent_of, views_of
from letterdesk.mailboxes.search.suggest import people
from letterdesk.web.account.plan_notice import offers_webmail
from letterdesk.web.commands import keys_shown
from letterdesk.web.crm.record_views import address_of
from letterdesk.web.crm.words import BY_KIND, KINDS
from letterdesk.web.request import Request
from letterdesk.web.sidebar import ICONS, shown_name

MOST = 6  # of each kind
ICON_OF = {"archive": "archive", "delete": "trash-2", "spam": "octagon-alert", "star": "star", "snooze": "clock",
           "search": "search", "undo": "undo-2", "go_inbox": "inbox", "go_settings": "settings", "go_sent": "send",
           "go_starred": "star", "go_drafts": "file-text", "go_all": "archive", "keys": "keyboard",
           "read": "mail-open", "unread": "mail", "task": "list-checks", "go_tasks": "list-checks",
           "go_crm": "contact", "go_notifications": "bell"}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """A line of the palette: it leads to an address, or does a command."""

    text: str
    icon: str
    address: str = ""
    command: str = ""
    note: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Options of one kind."""

    name: str
    options: list[Option]


def palette(request: Request) -> HttpResponse:
    """GET /palette: the dialog; with `q` (also empty) the options that fit it."""
    typed = " ".join(request.GET.get("q", "").split())[:100]
    wanted = [
        (_("Commands"), _commands(request.employee)),
        (_("Folders and mailboxes"), _places(request.employee, typed)),
        (_("Settings"), _pages(request.employee)),
        (_("Searches"), _searches(request.employee)),
    ]
    groups = [Group(name, list(islice(_fitting(options, typed), MOST))) for name, options in wanted]
    if len(typed) > 1:
        groups += [
            Group(_("CRM"), list(_records(request.employee, typed))),
            Group(_("People"), list(_people(request, typed))),
            Group(_("Search"), [_search_for(request.employee, typed)]),
        ]
    facts = {"groups": [group for group in groups if group.options]}
    return render(request, "web/palette/options.html" if "q" in request.GET else "web/palette/palette.html", facts)


def keys(request: Request) -> HttpResponse:
    """GET /keys: the dialog with all keys; who saw it has tried the keyboard (first_steps.py)."""
    if not request.employee.preferences.get("tried_keys"):
        prefer(request.employee, tried_keys=True)
    return render(request, "web/palette/keys.html", {"rows": keys_shown(request.employee)})


def _fitting(options: Iterator[Option], typed: str) -> Iterator[Option]:
    words = typed.casefold().split()
    return (each for each in options if all(word in f"{each.text} {each.note}".casefold() for word in words))


def _commands(employee: Employee) -> Iterator[Option]:
    left_out = {"next", "previous", "open"} | (set() if offers_webmail(employee) else {"compose"})  # R2
    for row in keys_shown(employee):
        command = row["command"]
        if not command.fixed and command.name not in left_out:
            icon = ICON_OF.get(command.name, "chevron-right")
            yield Option(str(command.text), icon, command=command.name, keys=tuple(row["parts"]))


def _places(employee: Employee, typed: str) -> Iterator[Option]:
    """Folders, where there is Webmail (R2); without a word typed the inboxes alone."""
    folders = Folder.objects.visible_to(employee).filter(gone_at=None, is_selectable=True).select_related("mailbox")
    if not typed:
        folders = folders.filter(role=FolderRole.INBOX)
    shown = folders if offers_webmail(employee) else ()
    for folder in sorted(shown, key=lambda folder: (folder.mailbox.owner_id != employee.pk, folder.mailbox_id)):
        note = folder.mailbox.name or folder.mailbox.address
        address = reverse("folder", args=[folder.public_id])
        yield Option(shown_name(folder), ICONS[FolderRole(folder.role)], address=address, note=note)
    if typed:
        for mailbox in Mailbox.objects.visible_to(employee):
            name = _("Settings of %(mailbox)s") % {"mailbox": mailbox.name or mailbox.address}
            yield Option(name, "mailbox", address=reverse("mailbox", args=[mailbox.public_id]), note=mailbox.address)


def _pages(employee: Employee) -> Iterator[Option]:
    pages = [
        ("settings", _("Profile, language and time zone"), "settings"),
        ("appearance", _("Appearance: light, dark, density"), "sun-moon"),
        ("keyboard", _("Keyboard"), "keyboard"),
        ("telling", _("How I am told: notifications, digest, pushes"), "bell"),
        ("mfa_index", _("Sign-in and security"), "shield"),
        ("usersessions_list", _("Where you are signed in"), "shield"),
        ("tasks", _("Tasks"), "list-checks"),
        ("activities", _("Letters in CRM"), "activity"),
        ("mailboxes", _("Mailboxes"), "mails"),
        ("connect", _("Connect a mailbox"), "plus"),
        ("plan", _("Plan and usage"), "sliders-horizontal"),
        ("plans", _("Plans"), "layers"),
        ("help", _("Help"), "circle-help"),
    ]
    if not offers_webmail(employee):  # R2
        pages = [page for page in pages if page[0] != "connect"]
    if employee.is_administrator:
        pages.insert(6, ("people", _("People and invitations"), "users"))
    for name, text, icon in pages:
        yield Option(text, icon, address=reverse(name))
    for words in KINDS:
        yield Option(str(words.many), words.icon, address=reverse("records", args=[words.plural]), note=_("CRM"))


def _searches(employee: Employee) -> Iterator[Option]:
    for kept in [*views_of(employee), *recent_of(employee, most=20)]:
        yield Option(kept.name or kept.query, "star" if kept.is_saved else "search", address=_address_of(kept.query))
    for view in list_views_of(employee):
        yield Option(view.name, "star", address=address_of(view), note=str(BY_KIND[view.kind].many))


def _records(employee: Employee, typed: str) -> Iterator[Option]:
    for record in names_by_words(employee, typed, most=MOST):
        words = BY_KIND[record.kind]
        address = reverse("record", args=[record.public_id])
        yield Option(record.name, words.icon, address=address, note=record.get_kind_display())


def _people(request: Request, typed: str) -> Iterator[Option]:
    for name, address in people(request.employee, typed, now=timezone.now(), most=MOST):
        yield Option(name or address, "users", address=_address_of(f"from:{address}"), note=address if name else "")


def _search_for(employee: Employee, typed: str) -> Option:
    """What the palette lists is a few of each; all of it stands on the search page, on every plan."""
    where = _("Search mail and CRM for “%(words)s”") if offers_webmail(employee) else _("Search CRM for “%(words)s”")
    return Option(where % {"words": typed}, "search", address=_address_of(typed))


def _address_of(query: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': query})}"
