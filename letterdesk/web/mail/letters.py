"""The letters that somebody may read now: in Webmail, by access and the plan's cut-off, or in a task; in one place."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention.letters import shown
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.tasks.reading import readable_letters
from letterdesk.team.openings import opened
from letterdesk.team.sharing import shared_letters
from letterdesk.web.request import Request


def letters_of(employee: Employee) -> QuerySet[Message]:
    """The letters of this employee's mailboxes that have not left Webmail at this moment (R20)."""
    return _in_webmail(Message.objects.visible_to(employee), employee)


def letters_to_link(employee: Employee) -> QuerySet[Message]:
    """The letters that this employee may put into a task: of mailboxes in which they may act (R4)."""
    return _in_webmail(Message.objects.editable_by(employee), employee)


def letters_shared_with(employee: Employee) -> QuerySet[Message]:
    """The letters of conversations that are shared with this employee, as long as they are in Webmail (R20)."""
    return _in_webmail(shared_letters(employee), employee)


def _in_webmail(letters: QuerySet[Message], employee: Employee) -> QuerySet[Message]:
    """Where there is no Webmail, none: what a task holds is read in the task (R2, R4)."""
    now = timezone.now()
    cutoff = periods_of(employee.account, now).cutoff(now)
    return letters.none() if cutoff == now else shown(letters, cutoff)


def letter_of(employee: Employee, **named: Any) -> Message:
    """A letter that this employee may read in Webmail, in a task of theirs or in a conversation that was shared.

    Raises Http404: foreign, gone, over (C18).
    """
    for readable in (letters_of(employee), readable_letters(employee)):
        letter = readable.filter(**named).first()
        if letter is not None:
            return letter
    letter = letters_shared_with(employee).filter(**named).first()
    if letter is None:
        raise Http404
    opened(letter.conversation_id, by=employee, now=timezone.now())  # whatever of it: its owner sees who read it
    return letter


def letter_or_404(request: Request, public_id: str) -> Message:
    """The letter of this id, as `letter_of` finds it."""
    return letter_of(request.employee, public_id=public_id)
