"""`letterdesk sendsave …`: mailboxes polled for CRM alone (R30)."""

from datetime import datetime, time
from typing import Annotated

import typer
from django.utils import timezone
from django.utils.dateparse import parse_date

from letterdesk.accounts.models import Employee
from letterdesk.accounts.zones import zone_of_account
from letterdesk.crm.models import PolledLetter, PolledMailbox, PolledState
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.turn import take_turn
from letterdesk.mail.imap_types import Login

from .output import AsJson, answer, fail, table
from .people import employee_of
from .secret import PasswordStdin, read_secret

app = typer.Typer(help="Mailboxes polled for CRM alone (R30).", no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="The address of the mailbox.")]
By = Annotated[str, typer.Option("--by", help="Address of the administrator who does it.")]
Since = Annotated[str, typer.Option("--since", help="Take older letters, too, from this day on: 2026-01-31.")]
Makes = Annotated[bool, typer.Option("--makes", help="Older letters make leads of unknown people as new ones do.")]


@app.command("list")
def show(*, by: By, as_json: AsJson = False) -> None:
    """The mailboxes that are polled for CRM alone, and how it stands with each."""
    mine = PolledMailbox.objects.visible_to(employee_of(by)).exclude(state=PolledState.DISCONNECTED)
    table([_row(each) for each in mine.order_by("address")], as_json=as_json, empty="There is no such mailbox.")


@app.command("connect")
def connect(
    address: Address,
    *,
    by: By,
    imap: Annotated[str, typer.Option(help="Where it lies: imap.example.com:993.")],
    security: Annotated[str, typer.Option(help="tls, starttls or none.")] = "tls",
    user: Annotated[str, typer.Option("--imap-user", help="The user name, where it is not the address.")] = "",
    unknown: Annotated[str, typer.Option(help="Unknown people become: nothing, lead, contact or deal.")] = "nothing",
    since: Since = "",
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Try the server and connect the mailbox: what comes from now on becomes activities."""
    person = employee_of(by)
    host, _colon, port = imap.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    server = Login(host, number, security, user or address, read_secret(stdin=password_stdin))
    try:
        becomes = polled.Becomes(incoming=unknown, outgoing=unknown)
        becomes.columns()
    except ValueError as error:
        raise fail("bad_word", str(error)) from error
    older = _older(person, since, makes=False)
    made = polled.connect(address, server, by=person, now=timezone.now(), older=older, becomes=becomes)
    said = "What comes from now on goes to CRM."
    if since:
        said = f"What came since {since} goes to CRM, and what comes from now on."
    answer(_row(made), as_json=as_json, text=f"{made.address} is connected. {said}")


@app.command("look")
def look(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Look at it here and now, until nothing is new; says how many letters came. Refused while somebody else looks."""
    found, letters, is_whole = _mine(address, by), 0, False
    while not is_whole:
        now = timezone.now()
        if polled.look_now(found, by=employee_of(by), now=now):
            raise fail("busy", "A look is under way. If it was broken off, this is possible within two minutes.")
        looked = take_turn(found.pk, now=now)
        letters, is_whole = letters + looked.letters, looked.is_whole or looked.is_crowded
    found.refresh_from_db()
    if found.error_code:
        raise fail(found.error_code, found.error_text)
    answer({"letters": letters}, as_json=as_json)


@app.command("older")
def older(address: Address, *, by: By, since: Since = "", makes: Makes = False, as_json: AsJson = False) -> None:
    """Take older letters, too, since a day; without one no more of them."""
    found, person = _mine(address, by), employee_of(by)
    wanted = _older(person, since, makes=makes)
    polled.choose_older(found, wanted, by=person, now=timezone.now())
    found.refresh_from_db()
    answer(_row(found), as_json=as_json)


@app.command("pause")
def pause(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Do not look until it is resumed; what comes meanwhile is taken then."""
    found = _mine(address, by)
    polled.pause(found, by=employee_of(by))
    answer(_row(found), as_json=as_json)


@app.command("resume")
def resume(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Look again, also after it failed."""
    found = _mine(address, by)
    polled.resume(found, by=employee_of(by), now=timezone.now())
    answer(_row(found), as_json=as_json)


@app.command("disconnect")
def disconnect(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Forget the sign-in and stop; what is in CRM stays, and so does the mail on the server."""
    found = _mine(address, by)
    polled.disconnect(found, by=employee_of(by))
    answer({"disconnected": found.address}, as_json=as_json)


def _mine(address: str, by: str) -> PolledMailbox:
    mine = PolledMailbox.objects.editable_by(employee_of(by)).exclude(state=PolledState.DISCONNECTED)
    found: PolledMailbox | None = mine.filter(address=address.strip()).order_by("pk").first()
    if found is None:
        raise fail("no_such_mailbox", f"{by} administers no mailbox {address} that is polled for CRM.")
    return found


def _older(person: Employee, since: str, *, makes: bool) -> polled.Older:
    if not since:
        return polled.Older()
    try:
        day = parse_date(since)
    except ValueError:
        day = None
    if day is None or day.year < 1970:
        raise fail("bad_day", f"{since} is no day: write it as 2026-01-31.")
    return polled.Older(datetime.combine(day, time.min, tzinfo=zone_of_account(person.account)), makes=makes)


def _row(each: PolledMailbox) -> dict[str, object]:
    missing = PolledLetter.objects.put_aside().filter(mailbox=each)
    return {
        "address": each.address,
        "server": f"{each.imap_host}:{each.imap_port}",
        "state": each.state,
        "error": each.error_text,
        "looked at": each.looked_at,
        "older since": each.older_since,
        "not handed over": missing.count(),
    }
