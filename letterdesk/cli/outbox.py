"""`letterdesk outbox …`: letters on their way as one of the people sees them; stopping them, deciding unknown ones."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.outbound import again, resolve
from letterdesk.outbound.models import OPEN, Delivery, State
from letterdesk.outbound.send import stop

from . import reach
from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer(help="Letters on their way (R22-R25).", no_args_is_help=True)
app.add_typer(reach.app)
DECISIONS = ("sent", "again", "draft")


class NotOnItsWay(LookupError):
    """There is no letter of this number on its way that the employee may decide about."""


By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
Letter = Annotated[str, typer.Argument(help="The letter's id, as `outbox list` shows it.")]


@app.command("list")
def list_letters(
    *,
    of: Annotated[str, typer.Option("--of", help="Address of the employee whose mailboxes are looked at.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent or stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Letters that wait, are tried again, failed, or were perhaps sent; the latest first."""
    letters = Delivery.objects.visible_to(employee_of(of)).prefetch_related("recipients")
    if not everything:
        letters = letters.filter(state__in=OPEN)
    rows = [
        {
            "id": each.public_id,
            "state": each.state,
            "due": each.due_at,
            "mailbox": each.sender,
            "recipients": len(each.recipients.all()),
            "attempts": each.attempts,
            "error": each.error_code,
            "subject": each.subject,
        }
        for each in letters.order_by("-due_at", "-pk")[:200]
    ]
    table(rows, as_json=as_json, empty="No letter is on its way.")


@app.command("cancel")
def cancel_letter(letter: Letter, *, by: By, as_json: AsJson = False) -> None:
    """Stop a letter that nobody has got yet: its quota comes back, its draft is open again."""
    employee = employee_of(by)
    row = _mine(letter, employee)
    stop(row, by=employee, now=timezone.now())
    state = State.UNKNOWN if row.may_have_left else State.CANCELLED
    answer({"id": row.public_id, "state": state}, as_json=as_json, text=f"Stopped: {row.subject}")


@app.command("resolve")
def resolve_letter(
    letter: Letter,
    *,
    by: By,
    as_: Annotated[str, typer.Option("--as", help="sent, again (send it once more) or draft (a failed one).")],
    as_json: AsJson = False,
) -> None:
    """Decide about a letter that was perhaps sent, or that failed. `again` may reach somebody twice."""
    if as_ not in DECISIONS:
        raise fail("not_valid", f"--as is one of {', '.join(DECISIONS)}.", status=2)
    employee = employee_of(by)
    row = _mine(letter, employee)
    decide = {"sent": resolve.as_sent, "again": again.send_again, "draft": again.edit_again}[as_]
    decide(row, by=employee, now=timezone.now())
    row.refresh_from_db()
    answer({"id": row.public_id, "state": row.state}, as_json=as_json, text=f"{row.get_state_display()}: {row.subject}")


def _mine(public_id: str, employee: Employee) -> Delivery:
    rows = Delivery.objects.editable_by(employee).select_related("account", "mailbox__account")
    found: Delivery | None = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotOnItsWay(f"{employee.email} has no letter {public_id} on its way.")
    return found
