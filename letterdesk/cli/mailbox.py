"""`letterdesk mailbox …`: connect, list, sync, audit, pause, resume, disconnect."""

from typing import Annotated, Any

import typer
from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from letterdesk.mail.imap import Connection, Login
from letterdesk.mailboxes import connect as mailboxes
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.mailboxes.models.signing_in import Security
from letterdesk.sync import ledger
from letterdesk.sync.audit import audit_once
from letterdesk.sync.connections import guard
from letterdesk.sync.once import sync_once
from letterdesk.sync.report import Progress as Told
from letterdesk.sync.report import Report

from .output import AsJson, answer, console, fail, table
from .people import employee_of
from .secret import PasswordStdin, read_secret

app = typer.Typer(help="Mailboxes: connect them, sync them, see that nothing is missing.", no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="Address of the mailbox, or its public id.")]
By = Annotated[str, typer.Option(help="Sign-in address of the person who does it; the owner without.")]


@app.command("connect")
def connect(  # noqa: PLR0913  each is an option of the command
    address: Annotated[str, typer.Argument(help="The mailbox's e-mail address.")],
    *,
    owner: Annotated[str, typer.Option(help="Sign-in address of the employee whose mailbox it is.")],
    imap_host: Annotated[str, typer.Option(help="Name of the IMAP server.")],
    imap_port: Annotated[int, typer.Option(help="993 for TLS, 143 for STARTTLS.")] = 993,
    security: Annotated[Security, typer.Option(help="How the connection is secured.")] = Security.TLS,
    imap_user: Annotated[str, typer.Option(help="The user name, where it is not the address.")] = "",
    name: Annotated[str, typer.Option(help="What the mailbox is called here.")] = "",
    days: Annotated[int, typer.Option(help="Fetch the letters of so many days; 0: all that the plan allows.")] = 0,
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Sign in to the server, and connect the mailbox when that works. Nothing is kept when it does not."""
    person = employee_of(owner)
    password = read_secret(stdin=password_stdin, what="mailbox's password")
    server = mailboxes.Server(
        imap_host=imap_host, imap_port=imap_port, imap_security=security.value, imap_user=imap_user or address
    )
    login = Login(imap_host, imap_port, security.value, imap_user or address, password)
    with Connection.open(login, guard()) as connection:
        connection.folders()
    made = mailboxes.connect(
        person, address=address, server=server, secret={"password": password}, name=name,
        fetch_days=days or None, by=person, now=timezone.now(),
    )  # fmt: skip
    answer(
        {"mailbox": made.public_id, "address": made.address, "owner": person.email},
        as_json=as_json,
        text=f"{made.address} is connected. A running `letterdesk run` fetches it now; else `letterdesk mailbox sync`.",
    )


@app.command("list")
def list_mailboxes(*, as_json: AsJson = False) -> None:
    """All mailboxes of this installation, with their health and ledger."""
    rows = []
    shown = Mailbox.objects.filter(forgotten_at=None).select_related("owner", "account")
    for mailbox in shown.order_by("account__name", "address"):
        sums = ledger.total(ledger.ledgers(mailbox))
        rows.append(
            {
                "mailbox": mailbox.public_id,
                "address": mailbox.address,
                "account": mailbox.account.name,
                "owner": mailbox.owner.email,
                "state": mailbox.state,
                "error": mailbox.error_code,
                "last_synced": mailbox.last_synced_at,
                **_numbers(sums),
            }
        )
    table(rows, as_json=as_json, empty="No mailbox yet: `letterdesk mailbox connect`.")


@app.command("sync")
def sync(
    address: Annotated[str, typer.Argument(help="Address or public id; all connected mailboxes without.")] = "",
    *,
    once: Annotated[bool, typer.Option("--once", help="Sync here and now, until server and copy agree.")] = True,
    as_json: AsJson = False,
) -> None:
    """Sync now, and print the ledger. Exits 0 only when server and copy agree."""
    chosen = [mailbox_of(address)] if address else list(Mailbox.objects.filter(state=MailboxState.CONNECTED))
    reports = {mailbox: sync_shown(mailbox, quiet=as_json) for mailbox in chosen if mailbox.imap_host}
    if as_json:
        answer({mailbox.address: report.as_json() for mailbox, report in reports.items()}, as_json=True)
    else:
        for mailbox, report in reports.items():
            print_ledger(mailbox, report)
    if not all(report.agrees for report in reports.values()):
        raise (
            typer.Exit(2)
            if as_json
            else fail("disagree", "Server and copy do not agree yet: see the ledger.", status=2)
        )


@app.command("audit")
def audit(
    address: Address,
    *,
    repair: Annotated[bool, typer.Option(help="Fetch what is missing and let go what is gone.")] = True,
    as_json: AsJson = False,
) -> None:
    """Ask the server anew for everything it has, compare, and repair. Exits 0 only when nothing is wrong any more."""
    mailbox = mailbox_of(address)
    report = audit_once(mailbox, repair=repair)
    if as_json:
        answer(report.as_json(), as_json=True)
    else:
        rows = [
            {
                "folder": found.folder.name,
                "found": ", ".join(f"{name} {count}" for name, count in found.as_facts().items()) or "nothing",
                "repaired": found.repaired,
                **_numbers(found.ledger or ledger.ledger_of(found.folder)),
                "note": found.unsure,
            }
            for found in report.findings
        ]
        table(rows, as_json=False, title=f"Audit of {mailbox.address}", empty="There is no folder to audit.")
    if not report.agrees:
        raise (
            typer.Exit(2)
            if as_json
            else fail("drift", "Something is still missing or too much: see the table.", status=2)
        )


@app.command("pause")
def pause(address: Address, *, by: By = "", as_json: AsJson = False) -> None:
    """Stop syncing a mailbox until it is resumed."""
    mailbox = mailbox_of(address)
    mailboxes.pause(mailbox, by=employee_of(by) if by else mailbox.owner)
    _say(mailbox, as_json=as_json)


@app.command("resume")
def resume(address: Address, *, by: By = "", as_json: AsJson = False) -> None:
    """Sync a paused or failing mailbox again."""
    mailbox = mailbox_of(address)
    mailboxes.resume(mailbox, by=employee_of(by) if by else mailbox.owner, now=timezone.now())
    _say(mailbox, as_json=as_json)


@app.command("disconnect")
def disconnect(
    address: Address,
    *,
    delete_copies: Annotated[bool, typer.Option("--delete-copies", help="Remove what is here, too.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Forget the sign-in and stop for good. Copies stay until their period ends; the mail server is left as it is."""
    mailbox = mailbox_of(address)
    person = employee_of(by) if by else mailbox.owner
    mailboxes.disconnect(mailbox, by=person, keep_copies=not delete_copies, now=timezone.now())
    _say(mailbox, as_json=as_json)


def mailbox_of(address: str) -> Mailbox:
    """The mailbox of this address or public id; ends the command with words where there is none or more than one."""
    found = list(Mailbox.objects.filter(public_id=address) or Mailbox.objects.filter(address__iexact=address)[:2])
    if len(found) != 1:
        words = "There is no mailbox" if not found else "There is more than one mailbox"
        raise fail("no_such_mailbox", f"{words} {address}: see `letterdesk mailbox list`.")
    mailbox: Mailbox = found[0]
    return mailbox


def sync_shown(mailbox: Mailbox, *, quiet: bool = False) -> Report:
    """Sync with a progress bar for each folder."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet, transient=True) as bars:
        lines: dict[str, Any] = {}

        def show(told: Told) -> None:
            if told.folder not in lines:
                lines[told.folder] = bars.add_task(f"{mailbox.address} {told.folder}", total=told.wanted)
            bars.update(lines[told.folder], completed=told.held, total=told.wanted)

        return sync_once(mailbox, progress=show)


def print_ledger(mailbox: Mailbox, report: Report) -> None:
    """The ledger of each folder after a sync."""
    rows = [
        {
            "folder": each.folder.name,
            **_numbers(each.ledger),
            "note": each.unsettled or each.ledger.note or _why(each.ledger),
        }
        for each in report.folders
        if each.ledger is not None
    ]
    table(rows, as_json=False, title=f"{mailbox.address}: {report.stored} letters stored in this run")


def _numbers(counted: ledger.Ledger) -> dict[str, object]:
    return {
        "expected": counted.expected,
        "held": counted.held,
        "quarantine": counted.quarantined,
        "left_out": sum(counted.left_out.values()),
        "pending": counted.pending,
        "exact": counted.balanced,
    }


def _why(counted: ledger.Ledger) -> str:
    """Why letters were left out, in words: "24 too old"."""
    return ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counted.left_out.items())


def _say(mailbox: Mailbox, *, as_json: bool) -> None:
    text = f"{mailbox.address} is {mailbox.get_state_display().lower()}."
    answer({"mailbox": mailbox.public_id, "state": mailbox.state}, as_json=as_json, text=text)
