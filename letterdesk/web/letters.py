"""The letters that somebody may read now: access and the plan's cut-off in one place."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention import visible
from letterdesk.web.request import Request


def letters_of(employee: Employee) -> QuerySet[Message]:
    """The letters of this employee's mailboxes that have not left Webmail at this moment (R20)."""
    return visible(Message.objects.visible_to(employee), employee.account, now=timezone.now())


def letter_or_404(request: Request, public_id: str) -> Message:
    """The letter of this id, or 404 for what is foreign, gone, or has left Webmail (C18)."""
    letter: Message = get_object_or_404(letters_of(request.employee), public_id=public_id)
    return letter
