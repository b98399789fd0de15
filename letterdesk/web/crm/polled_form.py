"""What the forms of a mailbox polled for CRM say: its server, older letters, what becomes of letters (R30)."""

from datetime import datetime, time

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.zones import zone_of_account
from letterdesk.crm.models import PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.mail.imap_types import Login
from letterdesk.web.crm.settings import read_saving

TYPED = ("address", "host", "port", "security", "user", "since")


def typed_in(form: QueryDict) -> dict[str, str]:
    """What was typed, but the password."""
    return {name: form.get(name, "").strip()[:320] for name in TYPED}


def server_of(typed: dict[str, str], password: str = "") -> Login:
    """The server as the form names it."""
    port = typed["port"]
    return Login(
        host=typed["host"],
        port=int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0,
        security=typed["security"],
        user=typed["user"] or typed["address"],
        password=password[:1000],
    )


def older_of(form: QueryDict, account: Account) -> polled.Older:
    """What it says of older letters; the day begins as it does for the account, whoever says so. Raises BadPolled for
    what is no day.
    """
    typed = form.get("since", "").strip()
    if form.get("older") != "since":
        return polled.Older()
    try:
        day = parse_date(typed)
    except ValueError:
        day = None
    if day is None or day.year < 1970:
        raise polled.BadPolled(_("Choose the day from which older letters are taken."))
    since = datetime.combine(day, time.min, tzinfo=zone_of_account(account))
    return polled.Older(since, makes=form.get("makes") == "yes")


def becomes_of(form: QueryDict, *, by: Employee, now: PolledMailbox | None = None) -> polled.Becomes:
    """What it says of unknown people; `now`: the mailbox as it is set. Raises Http404 for what it cannot say."""
    said = read_saving(form, by=by, pipeline=now.pipeline if now else None)
    return polled.Becomes(
        incoming=said["unknown_incoming"],
        outgoing=said["unknown_outgoing"],
        returning=said["returning"],
        responsible=tuple(said["responsible"]),
        came_from=said["came_from"],
        pipeline=said["pipeline"],
        reads_cards=said["reads_cards"],
    )


def connected(made: PolledMailbox) -> str:
    """What is said when it was connected: whose letters go to CRM, in words for people."""
    if made.older_since is None:
        return _("%(address)s is connected. What comes from now on goes to CRM.") % {"address": made}
    day = localtime(made.older_since, zone_of_account(made.account))
    facts = {"address": made, "day": date_format(day, _("j M Y"))}
    return _("%(address)s is connected. What came since %(day)s goes to CRM, and what comes from now on.") % facts
