"""The first step after signing in: the inbox, or what to do where there is none."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox, MailboxState
from letterdesk.web.commands import keys_shown
from letterdesk.web.request import Request


def home(request: Request) -> HttpResponse:
    """Go to the reader's own inbox, else to the first inbox shared with them, else say how to begin."""
    inboxes = Folder.objects.visible_to(request.employee).filter(role=FolderRole.INBOX, gone_at=None)
    found = sorted(inboxes.select_related("mailbox"), key=lambda inbox: _rank(inbox, request))
    if found:
        return redirect("folder", found[0].public_id)
    waiting = Mailbox.objects.visible_to(request.employee).exclude(state=MailboxState.DISCONNECTED)
    return render(request, "web/welcome.html", {"area": "mail", "mailboxes": waiting})


def _rank(inbox: Folder, request: Request) -> tuple[bool, bool, int]:
    is_gone = inbox.mailbox.state == MailboxState.DISCONNECTED
    return is_gone, inbox.mailbox.owner_id != request.employee.pk, inbox.mailbox_id


def guide(request: Request) -> HttpResponse:
    """Help: the keys, what the words mean, where shared mailboxes are explained (R17)."""
    return render(request, "web/help.html", {"area": "help", "rows": keys_shown(request.employee)})
