"""Diagnostics of a mailbox, as one text that can be copied into a report: no password, no name, no content."""

from datetime import datetime, timedelta
from importlib.metadata import version

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from letterdesk.accounts.pace import TooFast, spend
from letterdesk.mailboxes.models import Mailbox
from letterdesk.sync.diagnose import PastError, Traced, last_errors, trace_of
from letterdesk.web.request import Request

TRACES_PER_HOUR = 10  # D03


@never_cache
def diagnostics(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>/diagnostics: what is known; POST: with a protocol trace that is recorded now."""
    steered = Mailbox.objects.steered_by(request.employee).select_related("account", "owner")
    mailbox = get_object_or_404(steered, public_id=mailbox_id)
    traced = _trace(request, mailbox) if request.method == "POST" else None
    errors = last_errors(mailbox)
    report = _report(mailbox, errors, traced)
    facts = {"area": "mailboxes", "mailbox": mailbox, "errors": errors, "report": report, "traced": traced}
    return render(request, "web/mailboxes/diagnostics.html", facts)


def _trace(request: Request, mailbox: Mailbox) -> Traced | None:
    me, now = request.employee, timezone.now()
    if not mailbox.imap_host or mailbox.secret is None:
        messages.error(request, _("There is no server to ask: this mailbox is not connected."))
        return None
    try:
        spend(me.account, "mailbox.trace", who=me.public_id, most=TRACES_PER_HOUR, within=timedelta(hours=1), now=now)
    except TooFast as error:
        messages.error(request, str(error))
        return None
    return trace_of(mailbox)


def _report(mailbox: Mailbox, errors: list[PastError], traced: Traced | None) -> str:
    """In English whatever the reader's language: it is for those who help."""
    lines = [
        f"Letterdesk {version('letterdesk')}, {timezone.now():%Y-%m-%d %H:%M} UTC",
        f"mailbox {mailbox.public_id}: {mailbox.state}, fetch_days {mailbox.fetch_days or 'all'}",
        f"imap {mailbox.imap_host or '-'}:{mailbox.imap_port} {mailbox.imap_security}",
        f"smtp {mailbox.smtp_host or '-'}:{mailbox.smtp_port} {mailbox.smtp_security}",
        f"last in step: {_moment(mailbox.last_synced_at)}, first sync done: {_moment(mailbox.first_sync_done_at)}",
        f"error now: {mailbox.error_code or 'none'} since {_moment(mailbox.error_since)}",
        "",
        "last errors:",
        *[f"  {_moment(each.at)} {each.code or 'recovered'}" for each in errors],
    ]
    if traced:
        ended = f"{traced.error.code}: {traced.error.detail[:200]}" if traced.error else "as expected"
        lines += ["", f"offers: {' '.join(traced.offers) or '-'}", f"trial ended {ended}", "", *traced.lines]
    return "\n".join(lines)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "never"
