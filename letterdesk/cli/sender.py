"""`letterdesk sender …`: addresses from which an account writes in CRM without a mailbox (R24)."""

from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from letterdesk.mail.imap_types import Login
from letterdesk.outbound import senders
from letterdesk.outbound.models import VerifiedSender
from letterdesk.outbound.senders import named_users

from .output import AsJson, answer, fail, table
from .people import employee_of
from .secret import PasswordStdin, read_secret

app = typer.Typer(help="Addresses from which people write in CRM without a mailbox (R24).", no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="The address that stands in From.")]
By = Annotated[str, typer.Option("--by", help="Address of the administrator who does it.")]


@app.command("list")
def show(
    *, of: Annotated[str, typer.Option("--of", help="Address of the employee who looks.")], as_json: AsJson = False
) -> None:
    """The senders: all for an administrator, for others those from which they may write."""
    found = VerifiedSender.objects.visible_to(employee_of(of)).order_by("address")
    table([_row(each) for each in found], as_json=as_json, empty="There is no sender.")


@app.command("add")
def add(
    address: Address,
    *,
    by: By,
    smtp: Annotated[str, typer.Option(help="The server that lets its letters out: smtp.example.com:465.")],
    security: Annotated[str, typer.Option(help="tls, starttls or none.")] = "tls",
    user: Annotated[str, typer.Option("--smtp-user", help="The user name, where it is not the address.")] = "",
    name: Annotated[str, typer.Option(help="The name in From; the writer's without.")] = "",
    everyone: Annotated[bool, typer.Option("--everyone", help="Everyone of the company may write from it.")] = False,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Try the server, keep the sender, and send the link to its address that its owner has to confirm."""
    person, now = employee_of(by), timezone.now()
    host, _colon, port = smtp.rpartition(":")
    server = Login(
        host,
        int(port) if port.isascii() and port.isdigit() else 0,
        security,
        user or address,
        read_secret(stdin=password_stdin),
    )
    users = senders.Users(is_everyones=everyone)
    made = senders.add(address, server, name=name, users=users, by=person, now=now)
    senders.send_link(made, by=person, now=now)
    answer(_row(made), as_json=as_json, text=f"A link went to {made.address}: its owner has to confirm.")


@app.command("link")
def link(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Send the link once more, unless its owner has confirmed; says whether. Nobody can confirm by command line."""
    person = employee_of(by)
    found = _mine(address, by)
    if found.verified_at is None:
        senders.send_link(found, by=person, now=timezone.now())
    answer(_row(found), as_json=as_json)


@app.command("change")
def change(
    address: Address,
    *,
    by: By,
    name: Annotated[str | None, typer.Option(help="The name in From; empty: the writer's.")] = None,
    a_day: Annotated[int | None, typer.Option("--a-day", min=0, help="Letters a day at the most; 0: no limit.")] = None,
    everyone: Annotated[
        bool | None, typer.Option("--everyone/--named", help="Who may write from it: all, or those named on the page.")
    ] = None,
    reports: Annotated[
        bool | None,
        typer.Option("--reports/--no-reports", help="Reports of letters that did not arrive come to this server."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change how a sender is used; what is not named stays as it is."""
    found = _mine(address, by)
    if reports and not settings.INBOUND.is_on:
        raise fail("not_set_up", "No letters come in by SMTP here: set LETTERDESK_INBOUND_DOMAIN first.")
    senders.change_use(
        found,
        name=found.name if name is None else name,
        users=senders.Users(found.is_everyones if everyone is None else everyone, tuple(named_users(found))),
        daily_most=found.daily_most if a_day is None else a_day or None,
        by=employee_of(by),
        returns_here=reports,
    )
    answer(_row(found), as_json=as_json)


@app.command("remove")
def remove(address: Address, *, by: By, as_json: AsJson = False) -> None:
    """Nothing leaves from it any more; its password is forgotten."""
    found = _mine(address, by)
    senders.remove(found, by=employee_of(by), now=timezone.now())
    answer({"removed": found.address}, as_json=as_json)


def _mine(address: str, by: str) -> VerifiedSender:
    mine = VerifiedSender.objects.editable_by(employee_of(by))
    found: VerifiedSender | None = mine.filter(address=address.strip()).first()
    if found is None:
        raise fail("no_such_sender", f"{by} administers no sender {address}.")
    return found


def _row(each: VerifiedSender) -> dict[str, object]:
    who = ["everyone"] if each.is_everyones else [str(one) for one in named_users(each)]
    return {
        "address": each.address,
        "name": each.name,
        "server": f"{each.smtp_host}:{each.smtp_port}",
        "confirmed": each.verified_at,
        "link until": each.link_expires_at,
        "a day": each.daily_most,
        "reports come here": each.returns_here,
        "users": who,
    }
