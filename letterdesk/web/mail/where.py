"""Where is my mail? The page that looks among our own rows, and asks the mail server for what is not here."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast, spend
from letterdesk.mailboxes.hide import hidden_letters
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.sync.fence import KEPT_IN_STEP
from letterdesk.sync.where import Answer, Fate, Finding, Sought, here, on_server
from letterdesk.web.mail.where_words import Said, said
from letterdesk.web.request import Request

QUESTIONS_PER_HOUR = 60  # to mail servers
MAILBOXES_AT_ONCE = 5  # whose servers are asked by one question
KINDS = ("", "message_id", "subject", "sender")


@dataclass(frozen=True)
class Told:
    """What is known about one mailbox; `answer` only where its server was asked."""

    mailbox: Mailbox
    lines: list[Said]
    answer: Answer | None = None
    can_ask: bool = False


def where(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>/where?q=…: in one mailbox. POST: its server is asked as well."""
    mailbox = get_object_or_404(Mailbox.objects.visible_to(request.employee), public_id=mailbox_id)
    return _page(request, [mailbox], reverse("where", args=[mailbox.public_id]), mailbox=mailbox)


def where_all(request: Request) -> HttpResponse:
    """GET /where?q=…: in all mailboxes that one may read. POST: their servers are asked as well."""
    mine = Mailbox.objects.visible_to(request.employee).select_related("account").order_by("address")
    return _page(request, list(mine), reverse("where_all"))


def _page(request: Request, mailboxes: list[Mailbox], address: str, **facts: Any) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    kind = asked.get("kind", "")
    sought = Sought(asked.get("q", "").strip()[:500], kind if kind in KINDS else "")
    told, error = _answers(request, mailboxes, sought, ask=request.method == "POST") if sought.text else ([], "")
    shown = {
        "area": "mailboxes",
        "address": address,
        "sought": sought,
        "told": told,
        "error": error,
        "was_asked": request.method == "POST",
        "can_ask": any(each.can_ask for each in told),
        "nothing": bool(sought.text) and not any(each.lines for each in told),
        **facts,
    }
    template = "web/where/answer.html" if request.htmx and request.method == "POST" else "web/where/page.html"
    return render(request, template, shown)


def _answers(request: Request, mailboxes: list[Mailbox], sought: Sought, *, ask: bool) -> tuple[list[Told], str]:
    """Our own rows, and where it is asked for what the servers say; an error in words when asked too often."""
    me, now = request.employee, timezone.now()
    error, may_ask = "", ask
    if ask:
        try:
            spend(
                me.account, "where.ask", who=me.public_id, most=QUESTIONS_PER_HOUR, within=timedelta(hours=1), now=now
            )
        except TooFast as refusal:
            error, may_ask = str(refusal), False
    told = []
    left = MAILBOXES_AT_ONCE if may_ask else 0
    for mailbox in mailboxes:
        can_ask = bool(mailbox.imap_host) and mailbox.state in {*KEPT_IN_STEP, MailboxState.PAUSED}
        answer = on_server(mailbox, sought, now=now) if can_ask and left else None
        left -= answer is not None
        findings = _put_away(_merged(here(mailbox, sought, now=now), answer), me)
        told.append(Told(mailbox, [said(each, mailbox) for each in findings], answer, can_ask))
    return told, error


def _put_away(findings: list[Finding], employee: Employee) -> list[Finding]:
    """What the reader has hidden from themselves says so (R27)."""
    messages = [finding.message.pk for finding in findings if finding.message]
    hidden = set(hidden_letters(employee).filter(pk__in=messages).values_list("pk", flat=True))
    return [
        replace(each, fate=Fate.PUT_AWAY) if each.message and each.message.pk in hidden else each for each in findings
    ]


def _merged(ours: list[Finding], answer: Answer | None) -> list[Finding]:
    known = {finding.place for finding in ours if finding.place}
    return ours + [finding for finding in (answer.findings if answer else []) if finding.place not in known]
