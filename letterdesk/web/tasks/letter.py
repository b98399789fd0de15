"""The tasks of a letter, as Webmail shows them: chips for who may see the task, who reads it there for the owner."""

from collections.abc import Sequence

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.reading import ReadLetter
from letterdesk.tasks.reading import LinkedTask, tasks_of_letters


def tasks_beside(letters: Sequence[ReadLetter], mailbox: Mailbox, employee: Employee) -> dict[int, list[LinkedTask]]:
    """The tasks in which these letters are, by letter; asked for held ones alone. The owner learns who reads them."""
    held = [letter.message.pk for letter in letters if letter.message.is_held]
    is_owner = mailbox.owner_id == employee.pk
    return tasks_of_letters(held, employee=employee, with_readers=is_owner) if held else {}
