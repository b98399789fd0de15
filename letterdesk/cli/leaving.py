"""`letterdesk employee dismiss …`: somebody leaves, hands over, comes back."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.dismiss import dismiss, reinstate
from letterdesk.accounts.models import Employee
from letterdesk.crm.records.hand_over import hand_over as hand_over_records
from letterdesk.crm.records.hand_over import left_behind as records_left_behind
from letterdesk.mailboxes.connect import transfer
from letterdesk.mailboxes.left import left_behind
from letterdesk.mailboxes.models import Mailbox
from letterdesk.tasks.hand_over import hand_over as hand_over_tasks
from letterdesk.tasks.hand_over import left_behind as tasks_left_behind

from .output import AsJson, answer, fail, table
from .people import employee_of

Person = Annotated[str, typer.Argument(help="Address with which the person signs in, or did.")]
By = Annotated[str, typer.Option("--by", help="Address of the administrator who does it.")]


def lay_out(app: typer.Typer) -> None:
    """Add the commands to those of employees."""
    app.command("dismiss")(dismiss_employee)
    app.command("hand-over")(hand_over)
    app.command("reinstate")(reinstate_employee)
    app.command("left")(left)


def dismiss_employee(
    person: Person,
    *,
    by: By,
    mailboxes_to: Annotated[str, typer.Option(help="Address of the colleague who takes over the mailboxes.")] = "",
    tasks_to: Annotated[str, typer.Option(help="Address of the colleague who takes over the tasks.")] = "",
    records_to: Annotated[str, typer.Option(help="Address of the colleague who takes over what CRM has.")] = "",
    as_json: AsJson = False,
) -> None:
    """Sign a person out everywhere, for good. What is not handed over stays for 30 days (tasks and CRM: for ever)."""
    administrator = employee_of(by)
    leaver = _colleague(person, administrator)
    dismiss(leaver, by=administrator, now=timezone.now())
    _hand_over(
        leaver, administrator, mailboxes_to=mailboxes_to, tasks_to=tasks_to, records_to=records_to, as_json=as_json
    )


def hand_over(
    person: Person,
    *,
    by: By,
    mailboxes_to: Annotated[str, typer.Option(help="Address of the colleague who takes over the mailboxes.")] = "",
    tasks_to: Annotated[str, typer.Option(help="Address of the colleague who takes over the tasks.")] = "",
    records_to: Annotated[str, typer.Option(help="Address of the colleague who takes over what CRM has.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hand over what a person left behind. A mailbox beyond the heir's limit is refused (R14)."""
    administrator = employee_of(by)
    _hand_over(
        _colleague(person, administrator),
        administrator,
        mailboxes_to=mailboxes_to,
        tasks_to=tasks_to,
        records_to=records_to,
        as_json=as_json,
    )


def reinstate_employee(person: Person, *, by: By, as_json: AsJson = False) -> None:
    """Take a person back: what was not handed over is theirs again. They set a new password by "forgotten"."""
    administrator = employee_of(by)
    back = _colleague(person, administrator)
    reinstate(back, by=administrator)
    answer(
        {"employee": back.email}, as_json=as_json, text=f"{back.email} is back, and sets a new password by “forgotten”."
    )


def left(*, by: By, as_json: AsJson = False) -> None:
    """What people who left own or answer for, and when their mailboxes go."""
    account = employee_of(by).account
    mailboxes, tasks = {each.person.pk: each for each in left_behind(account)}, tasks_left_behind(account)
    records = records_left_behind(account)
    rows = [
        {
            "employee": person.email,
            "dismissed_at": person.dismissed_at,
            "mailboxes": [each.address for each in mailboxes[person.pk].mailboxes] if person.pk in mailboxes else [],
            "mailboxes_go_at": mailboxes[person.pk].ends_at if person.pk in mailboxes else None,
            "tasks": tasks.get(person.pk, 0),
            "records": records.get(person.pk, 0),
        }
        for person in Employee.objects.filter(account=account, pk__in=[*mailboxes, *tasks, *records]).order_by("email")
    ]
    table(rows, as_json=as_json, empty="Nothing was left behind.")


def _hand_over(
    leaver: Employee, by: Employee, *, mailboxes_to: str, tasks_to: str, records_to: str, as_json: bool
) -> None:
    now, moved, count, records = timezone.now(), 0, 0, 0
    if mailboxes_to:
        heir = _colleague(mailboxes_to, by)
        for mailbox in Mailbox.objects.filter(owner=leaver, forgotten_at=None).select_related("account", "owner"):
            transfer(mailbox, heir, by=by, now=now)
            moved += 1
    if tasks_to:
        count = hand_over_tasks(leaver, to=_colleague(tasks_to, by), by=by, now=now)
    if records_to:
        records = hand_over_records(leaver, to=_colleague(records_to, by), by=by)
    left_there = Mailbox.objects.filter(owner=leaver, forgotten_at=None).count()
    facts = {
        "employee": leaver.email,
        "mailboxes_handed_over": moved,
        "tasks_handed_over": count,
        "records_handed_over": records,
        "mailboxes_left": left_there,
    }
    answer(facts, as_json=as_json)


def _colleague(address: str, administrator: Employee) -> Employee:
    """Somebody of the administrator's account, dismissed or not; ends the command with words where there is none."""
    found: Employee | None = Employee.objects.editable_by(administrator).filter(email=address.strip().lower()).first()
    if found is None:
        raise fail("no_such_employee", f"{administrator.email} administers nobody with the address {address}.")
    return found
