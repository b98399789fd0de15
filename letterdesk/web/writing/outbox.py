"""Drafts, and letters on their way: what waits, what failed and why, and what to do with each."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.outbound import send, tracking
from letterdesk.outbound.again import edit_again, send_again
from letterdesk.outbound.drafts import NotYours
from letterdesk.outbound.models import OPEN, Delivery, Draft, RecipientState, State
from letterdesk.outbound.resolve import NotSo, as_sent
from letterdesk.outbound.take_in import with_gone
from letterdesk.outbound.trouble import dismiss
from letterdesk.outbound.wanted import NotWanted
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request
from letterdesk.web.writing.form import FIELDS
from letterdesk.web.writing.sending import open_again

PER_PAGE = 100
MOST = 200  # letters on their way


def drafts(request: Request) -> HttpResponse:
    """GET /drafts?page=: letters that are being written, those changed last first."""
    mine = with_gone(
        Draft.objects.editable_by(request.employee).open().select_related("mailbox", "verified_sender", "author")
    )
    page = Paginator(mine.order_by("-updated_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    lines = [{"draft": each, "people": _people(each), "is_own": each.author_id == request.employee.pk} for each in page]
    return render(request, "web/outbox/drafts.html", {"area": "mail", "view": "drafts", "page": page, "lines": lines})


def _people(draft: Draft) -> str:
    return ", ".join(name or address for field in FIELDS for name, address in getattr(draft, field)[:5])


def outbox(request: Request) -> HttpResponse:
    """GET /outbox: what has not left yet, or not for certain, and what did not arrive; what needs a word first."""
    shown = Q(state__in=OPEN) | Q(trouble_at__isnull=False)
    found = (
        Delivery.objects.visible_to(request.employee).filter(shown).select_related("mailbox", "verified_sender", "by")
    )
    found = found.prefetch_related("recipients").order_by(F("trouble_at").desc(nulls_last=True), "due_at", "pk")
    here = list(found[:MOST])
    mailboxes = set(Delivery.objects.editable_by(request.employee).filter(shown).values_list("pk", flat=True))
    now = timezone.now()
    lines = [_line(each, now, may_act=each.pk in mailboxes) for each in here]
    is_counting = any(each.plain_blob for each in here) and tracking.is_on(request.employee.account_id)
    facts = {"area": "mail", "view": "outbox", "lines": lines, "is_counting": is_counting}
    return render(request, "web/outbox/outbox.html", facts)


def _line(each: Delivery, now: Any, *, may_act: bool) -> dict[str, Any]:
    people = sorted(each.recipients.all(), key=lambda one: one.pk)
    kind = "later" if each.state == State.QUEUED and (each.due_at - now).total_seconds() > 60 else each.state
    return {
        "letter": each,
        "kind": kind,
        "tone": {"failed": "danger", "unknown": "warn", "deferred": "warn", "sent": "danger"}.get(each.state, ""),
        "people": ", ".join(one.name or one.address for one in people[:5]),
        "answers": [one for one in people if one.bounce or (one.text and one.state != RecipientState.ACCEPTED)],
        "may_act": may_act,
        "has_no_sent": each.state == State.UNKNOWN and each.mailbox is None,
        "can_stop": each.state in {State.QUEUED, State.DEFERRED} and each.sent_at is None,
        "can_give_up": each.state == State.DEFERRED and each.sent_at is not None,
    }


def _delivery(request: Request, delivery_id: str) -> Delivery:
    mine = Delivery.objects.editable_by(request.employee).select_related("account", "mailbox__account")
    found: Delivery = get_object_or_404(mine, public_id=delivery_id)
    return found


@require_POST
def stopping(request: Request, delivery_id: str) -> HttpResponse:
    """POST /outbox/<id>/stopping: undo, as long as it has not left; the letter is a draft again."""
    found = _delivery(request, delivery_id)
    try:
        draft = send.stop(found, by=request.employee, now=timezone.now())
    except send.TooLate:
        messages.error(request, _("Too late: this letter has left already."))
        return redirect("outbox")
    if found.may_have_left:
        messages.success(request, _("Stopped. It is not sent again; whether it left before, nobody knows."))
        return redirect("outbox")
    if draft is None:  # it was composed without one, such as a comment for a guest
        messages.success(request, _("Not sent."))
        return redirect("outbox")
    open_again(request, found)
    messages.success(request, _("Not sent. The letter is a draft again."))
    return _to_draft(request, draft)


def _to_draft(request: Request, draft: Draft | None) -> HttpResponse:
    if draft is None or not Draft.objects.editable_by(request.employee).filter(pk=draft.pk).exists():
        return redirect("outbox")
    return redirect("draft", draft.public_id)


@require_POST
def resolution(request: Request, delivery_id: str) -> HttpResponse:
    """POST /outbox/<id>/resolution: what a person decides `as`: "sent", "again", or "edit", a failed one as a draft."""
    found = _delivery(request, delivery_id)
    me, now = request.employee, timezone.now()
    try:
        match request.POST.get("as", ""):
            case "sent":
                as_sent(found, by=me, now=now)
                messages.success(request, _("It counts as sent."))
            case "again":
                send_again(found, by=me, now=now)
                messages.success(request, _("It is tried again."))
            case "rest":
                send.give_up_rest(found, by=me, now=now)
                messages.success(request, _("Nobody is asked again."))
            case "edit":
                return _to_draft(request, edit_again(found, by=me, now=now))
            case _:
                raise Http404
    except (NotSo, send.TooLate):
        messages.error(request, _("This letter has moved on meanwhile. Look at its line again."))
    except (NotInPlan, LimitReached, NotYours, NotWanted) as error:  # R22, R24
        messages.error(request, str(error))
    return redirect("outbox")


@require_POST
def dismissal(request: Request, delivery_id: str) -> HttpResponse:
    """POST /outbox/<id>/dismissal: its people know; `next` is where they were."""
    dismiss(_delivery(request, delivery_id), by=request.employee)
    return redirect(next_of(request))
