"""How a letter came here, in a sentence or two: encrypted or not, and what the receiving server had checked."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from letterdesk.mail.travel import Travel, read_travel
from letterdesk.mailboxes.attachments import raw
from letterdesk.web.mail.letters import letter_or_404
from letterdesk.web.request import Request


def security(request: Request, message_id: str) -> HttpResponse:
    """GET /messages/<id>/security: for htmx a part of the details, else a page of its own."""
    letter = letter_or_404(request, message_id)
    travel = read_travel(raw(letter))
    page = "web/conversation/travel.html" if request.htmx else "web/conversation/travel_page.html"
    return render(request, page, {"area": "mail", "letter": letter, "way": _way(travel), "checks": _checks(travel)})


def _way(travel: Travel) -> str:
    if travel.encrypted is None:
        return _("The letter does not say over which way it came.")
    said = _("Encrypted on its last way") if travel.encrypted else _("Not encrypted on its last way")
    return _("%(said)s, to %(server)s.") % {"said": said, "server": travel.by} if travel.by else f"{said}."


def _checks(travel: Travel) -> str:
    if not travel.checks:
        return _("No server wrote down that it checked the sender.")
    told = ", ".join(f"{name.upper()} {result}" for name, result in travel.checks)
    return _("%(server)s wrote: %(checks)s.") % {"server": travel.checked_by or _("A server"), "checks": told}
