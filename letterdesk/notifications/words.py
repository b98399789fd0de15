"""What a line says: what happened, which names no letter and no task; and apart from it what that says."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.tasks.models import Notice, Task

from .models import CRM_ASKS, CRM_UNREADABLE, Kind, Notification


def words(row: Notification, sender: str, subject: str, *, is_guest: bool = False, polled: str = "") -> tuple[str, str]:
    """Title and detail. `sender` and `subject` of its conversation, as far as the reader may know them now.

    `is_guest`: they read this conversation alone, so of its mailbox they know the address that its letters name.
    `polled`: the address of the mailbox for CRM alone that it is about.
    """
    mailbox = (row.mailbox.address if is_guest else row.mailbox.name or row.mailbox.address) if row.mailbox else ""
    if row.mailbox is None and row.delivery is not None:  # it went through a verified sender
        mailbox = row.delivery.sender
    nobody = _("A guest") if row.kind == Kind.TASK_COMMENT else _("Somebody")
    who = row.by.name if row.by else nobody
    if row.kind == Kind.LETTERS:
        told = ngettext("%(count)s new letter in %(mailbox)s", "%(count)s new letters in %(mailbox)s", row.count)
        return told % {"count": f"{row.count:,}", "mailbox": mailbox}, _pair(sender, subject)
    if row.kind == Kind.PLAN:
        told = ngettext("Your plan ends in %(count)d day", "Your plan ends in %(count)d days", row.count)
        return told % {"count": row.count}, _("What follows takes something away. Look what, and choose.")
    if row.about.startswith((CRM_ASKS, CRM_UNREADABLE)):
        return _of_crm(row, polled)
    title = _TITLES[Kind(row.kind)]() % {"mailbox": mailbox, "who": who}
    if row.task is not None:
        return title, of_task(row.task)
    if row.delivery is not None:
        return title, row.delivery.subject or _("(no subject)")
    return title, _pair(sender, subject)


def _of_crm(row: Notification, mailbox: str) -> tuple[str, str]:
    """Of letters beside Webmail that wait for a person; `mailbox`: the address of the one that was polled."""
    one = _("A letter for CRM waits for you to say whose it is")
    more = _("Letters for CRM wait for you to say whose they are")
    if row.about == CRM_ASKS:
        return one if row.count == 1 else more, ""
    if not mailbox:
        told = ngettext("A letter for CRM cannot be read", "%(count)d letters for CRM cannot be read", row.count)
    else:
        told = ngettext(
            "A letter of %(mailbox)s for CRM cannot be read",
            "%(count)d letters of %(mailbox)s for CRM cannot be read",
            row.count,
        )
    what_to_do = _("The original is kept. Try again there, or say that it is not for CRM.")
    return told % {"count": row.count, "mailbox": mailbox}, what_to_do


def notice_words(row: Notice) -> tuple[str, str]:
    """Title and detail of a notice of tasks."""
    if row.task is not None:
        return _("You wanted to be reminded"), of_task(row.task)
    told = ngettext("%(count)d task of yours is overdue", "%(count)d tasks of yours are overdue", row.count)
    return told % {"count": row.count}, ""


def of_task(task: Task) -> str:
    """A task by number and title."""
    return f"#{task.number} {task.title}"


def _pair(sender: str, subject: str) -> str:
    if not sender and not subject:
        return ""
    return _("%(sender)s: %(subject)s") % {"sender": sender, "subject": subject or _("(no subject)")}


_TITLES = {
    Kind.ANSWER: lambda: _("Answer in a conversation of yours in %(mailbox)s"),
    Kind.ASSIGNED: lambda: _("%(who)s assigned you a conversation in %(mailbox)s"),
    Kind.DEPARTMENT: lambda: _("%(who)s gave your department a conversation in %(mailbox)s"),
    Kind.MENTION: lambda: _("%(who)s mentioned you in %(mailbox)s"),
    Kind.COMMENT: lambda: _("%(who)s commented on a conversation in %(mailbox)s"),
    Kind.SHOWN: lambda: _("%(who)s showed you a conversation"),
    Kind.UNANSWERED: lambda: _("Nobody has answered in a conversation of yours in %(mailbox)s"),
    Kind.HELD_BACK: lambda: _("A letter from %(mailbox)s was held back: its conversation has moved on"),
    Kind.NOT_SENT: lambda: _("A letter could not be sent from %(mailbox)s"),
    Kind.PERHAPS_SENT: lambda: _("A letter was perhaps sent from %(mailbox)s: look, and say whether it was"),
    Kind.NOT_REACHED: lambda: _("A letter from %(mailbox)s did not reach everybody"),
    Kind.TASK: lambda: _("%(who)s gave you a task"),
    Kind.TASK_COMMENT: lambda: _("%(who)s wrote in a task"),
    Kind.ASKED: lambda: _("A letter waits for your word"),
    Kind.SIGN_IN: lambda: _("%(mailbox)s needs you to sign in again: until then nothing comes in"),
    Kind.NOT_LINKED: lambda: _("CRM could not look at a letter in %(mailbox)s: it is tried again"),
    Kind.ACCESS_ASKED: lambda: _("%(who)s asks for access to %(mailbox)s"),
    Kind.ACCESS_GIVEN: lambda: _("%(who)s gave you access to %(mailbox)s"),
    Kind.SUSPENDED: lambda: _("%(mailbox)s is suspended: the plan has no place for it"),
}
