"""`letterdesk operator …`: who runs the installation. There is no other way to become an operator."""

from typing import Annotated

import typer

from letterdesk.accounts.models import Employee
from letterdesk.accounts.operators import appoint

from .output import AsJson, answer, table
from .people import employee_of

app = typer.Typer(help="Operators: they see all accounts in numbers, at /operator/accounts.", no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="Address with which the person signs in.")]


@app.command("grant")
def grant(address: Address, *, as_json: AsJson = False) -> None:
    """Make a person an operator."""
    person = employee_of(address)
    appoint(person, is_operator=True)
    answer({"operator": person.email}, as_json=as_json, text=f"{person.email} is an operator.")


@app.command("revoke")
def revoke(address: Address, *, as_json: AsJson = False) -> None:
    """End that."""
    person = employee_of(address)
    appoint(person, is_operator=False)
    answer({"operator": person.email}, as_json=as_json, text=f"{person.email} is no operator any more.")


@app.command("list")
def list_operators(*, as_json: AsJson = False) -> None:
    """Who is one."""
    rows = [{"operator": each.email, "account": each.account.name} for each in _operators()]
    table(rows, as_json=as_json, empty="Nobody: `letterdesk operator grant`.")


def _operators() -> list[Employee]:
    return list(Employee.objects.filter(is_operator=True).select_related("account").order_by("email"))
