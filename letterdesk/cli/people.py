"""`letterdesk account …`, `letterdesk employee …`: tenants and their people."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.close import purges_at
from letterdesk.accounts.invite import invite, send
from letterdesk.accounts.models import Account, Department, Employee, Role
from letterdesk.plans.open import open_account

from .output import AsJson, answer, fail, table
from .secret import PasswordStdin, read_secret

accounts = typer.Typer(help="Accounts: the companies that use this installation.", no_args_is_help=True)
employees = typer.Typer(help="The people of an account.", no_args_is_help=True)


@accounts.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The company's name.")],
    *,
    administrator: Annotated[str, typer.Option(help="E-mail address with which the first administrator signs in.")],
    administrator_name: Annotated[str, typer.Option("--name", help="The administrator's name.")] = "",
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    plan: Annotated[
        str, typer.Option(help="Key of a plan in the catalogue; the catalogue's first choice without.")
    ] = "",
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Open an account with its first administrator. The password: --password-stdin or LETTERDESK_PASSWORD."""
    account = open_account(
        name,
        time_zone=time_zone,
        plan=plan,
        administrator_email=administrator,
        administrator_name=administrator_name or administrator,
        password=read_secret(stdin=password_stdin, what="administrator's password"),
        now=timezone.now(),
    )
    answer(
        {"account": account.public_id, "name": account.name, "administrator": administrator.lower()},
        as_json=as_json,
        text=f"{account.name} is open. {administrator} can sign in.",
    )


@accounts.command("list")
def list_accounts(*, as_json: AsJson = False) -> None:
    """All accounts of this installation."""
    rows = [
        {
            "account": account.public_id,
            "name": account.name,
            "time_zone": account.time_zone,
            "plan": account.subscription.plan,
            "people": account.employees.filter(is_active=True).count(),
            "mailboxes": account.mailboxes.count(),
            "deleted_on": purges_at(account),
        }
        for account in Account.objects.filter(purged_at=None).select_related("subscription").order_by("name")
    ]
    table(rows, as_json=as_json, empty="No account yet: `letterdesk account create`.")


@employees.command("invite")
def invite_employee(
    email: Annotated[str, typer.Argument(help="The address to invite.")],
    *,
    by: Annotated[str, typer.Option(help="Address of the administrator who invites.")],
    role: Annotated[Role, typer.Option(help="What the person may administer.")] = Role.EMPLOYEE,
    department: Annotated[str, typer.Option(help="Name of a department; made when it is new.")] = "",
    mail: Annotated[bool, typer.Option("--mail", help="Send the invitation by e-mail too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Invite a person; prints the link that lets them in (once, within 72 hours)."""
    inviter = employee_of(by)
    group = None
    if department:
        group, _ = Department.objects.get_or_create(account=inviter.account, name=department)
    invited = invite(email, by=inviter, role=role.value, department=group, now=timezone.now())
    if mail:
        send(invited)
    answer(
        {"email": invited.invitation.email, "link": invited.link, "expires_at": invited.invitation.expires_at},
        as_json=as_json,
        text=f"{invited.invitation.email} can join with this link, once, within three days:\n{invited.link}",
    )


def employee_of(address: str) -> Employee:
    """The active employee who signs in with this address; ends the command with words where there is none."""
    found: Employee | None = (
        Employee.objects.filter(email=address.strip().lower(), is_active=True).select_related("account").first()
    )
    if found is None:
        raise fail("no_such_employee", f"Nobody signs in with {address}.")
    return found
