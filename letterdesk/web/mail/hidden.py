"""Hidden by me: letters that the reader put away for themselves alone, and a way to have them back (R27)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext

from letterdesk.mailboxes.hide import hidden_letters, show_again
from letterdesk.mailboxes.retention.letters import visible
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shelves

MOST = 200


def hidden(request: Request) -> HttpResponse:
    """GET and POST /mail/hidden: show what is hidden, and show the ticked letters again in their lists."""
    now = timezone.now()
    letters = visible(hidden_letters(request.employee), request.employee.account, now=now)  # R20
    if request.method == "POST":
        chosen = letters.filter(public_id__in=request.POST.getlist("letter"))
        count = show_again(list(chosen.values_list("pk", flat=True)), to=request.employee)
        messages.success(request, ngettext("%d letter is shown again.", "%d letters are shown again.", count) % count)
        return redirect("hidden")
    facts = {"area": "mail", "letters": letters[:MOST], "place": {"shelves": shelves(request.employee, now)}}
    return render(request, "web/inbox/hidden.html", facts)
