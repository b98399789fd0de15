"""`letterdesk task …`: tasks as one of the people sees them, and what their bin takes along (R29)."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.tasks.bin import consequences, delete, purge, restore
from letterdesk.tasks.lists import STATUSES, VIEWS, task_list
from letterdesk.tasks.models import Task

from .output import AsJson, answer, fail, table
from .people import employee_of

app = typer.Typer(help="Tasks, and the letters they keep (R4, R29).", no_args_is_help=True)


class NoSuchTask(LookupError):
    """There is none of this number that the employee may delete."""


By = Annotated[str, typer.Option("--by", help="Address of the employee who does it.")]
Number = Annotated[int, typer.Argument(help="The task's number, as in #214.")]


@app.command("list")
def list_tasks(
    *,
    of: Annotated[str, typer.Option("--of", help="Address of the employee whose tasks are listed.")],
    view: Annotated[str, typer.Option(help="mine, all (that they may see) or bin.")] = "mine",
    status: Annotated[str, typer.Option(help="open, done or any.")] = "open",
    as_json: AsJson = False,
) -> None:
    """The tasks of an employee, by deadline; with the number of letters that each keeps."""
    if view not in VIEWS or status not in STATUSES:
        raise fail("not_valid", f"--view is one of {', '.join(VIEWS)}; --status of {', '.join(STATUSES)}.", status=2)
    rows = [
        {
            "number": task.number,
            "title": task.title,
            "status": task.status,
            "responsible": task.responsible.email,
            "deadline": task.deadline,
            "letters": task.letter_count,
            "purged": task.purges_at,
        }
        for task in task_list(employee_of(of), view, now=timezone.now(), status=status)
    ]
    table(rows, as_json=as_json, empty="No task.")


@app.command("delete")
def delete_task(number: Number, *, by: By, preview: bool = False, as_json: AsJson = False) -> None:
    """Put a task into the bin with the letters that no other task keeps; --preview only tells which."""
    employee = employee_of(by)
    task = _deletable(number, employee)
    told = consequences(task)
    if not preview:
        delete(task, by=employee, now=timezone.now())
    facts = {"task": task.number, "letters": len(told.going), "staying": len(told.staying), "done": not preview}
    text = f"{task} {'would go' if preview else 'went'} into the bin with {len(told.going)} letters."
    answer(facts, as_json=as_json, text=text)


@app.command("restore")
def restore_task(number: Number, *, by: By, as_json: AsJson = False) -> None:
    """Bring a task back from the bin, and its letters with it; within 30 days."""
    employee = employee_of(by)
    task = _deletable(number, employee)
    count = restore(task, by=employee, now=timezone.now())
    answer({"task": task.number, "letters": count}, as_json=as_json, text=f"{task} is back with {count} letters.")


@app.command("purge")
def purge_task(number: Number, *, by: By, as_json: AsJson = False) -> None:
    """Delete a task in the bin for good, with the letters that have no other. Nothing is changed on a mail server."""
    employee = employee_of(by)
    task = _deletable(number, employee)
    count = purge(task, by=employee, now=timezone.now())
    answer({"task": task.number, "letters": count}, as_json=as_json, text=f"{task} and {count} letters are deleted.")


def _deletable(number: int, employee: Employee) -> Task:
    found: Task | None = Task.objects.deletable_by(employee).filter(number=number).select_related("account").first()
    if found is None:
        raise NoSuchTask(f"{employee.email} may delete no task #{number}.")
    return found
