"""Sending: what was written is saved, looked at, queued; until it has left it can be stopped (ux.md 1.3, R22–R25)."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.crm.writing.write import check, remember_tracking
from letterdesk.lib.blobs import BlobDamaged, BlobMissing
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.act import NothingChosen, Wish, act, choose
from letterdesk.mailboxes.models import Action, Conversation, Mailbox, Message
from letterdesk.mailboxes.move import CannotMove
from letterdesk.mailboxes.undoing import CannotUndo, take_back
from letterdesk.outbound import drafts, send
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.models import Delivery, Draft
from letterdesk.outbound.moved_on import MovedOn
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.team.verbs import TAKING_BACK, closing
from letterdesk.web.mail.awaiting import remind_of
from letterdesk.web.mail.collision import known_in
from letterdesk.web.mail.snoozing import BadMoment, moment
from letterdesk.web.mail.words import translated
from letterdesk.web.request import Request
from letterdesk.web.templatetags.letterdesk import short_moment
from letterdesk.web.writing.cautions import Letter, cautions
from letterdesk.web.writing.draft import REFUSALS, address_behind, draft_or_404, keep, writing_page
from letterdesk.web.writing.form import FIELDS, written

NOT_SENT = (*REFUSALS, CannotSend, BadMoment, BlobMissing, BlobDamaged, OSError)


def sending(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/sending: save and send it, now or `later`; `sure`: whatever there is to say before;
    `known`: although the conversation has changed by these letters; `anyway`: whatever comes until it is due;
    `close`: and close the team's conversation.
    """
    found = draft_or_404(request, draft_id)
    if request.method != "POST":  # the page of a refusal, loaded anew
        return redirect("draft", found.public_id)
    said = written(request, found)
    try:
        saved = keep(request, found, said)
    except drafts.DraftChanged as error:
        told = _("This draft was changed meanwhile, so it was not sent. Look at it, then send again.")
        return writing_page(request, error.draft, said=said, problem=told, status=409)
    except REFUSALS as error:
        return writing_page(request, found, said=said, problem=translated(str(error)), status=409)
    is_sure = request.POST.get("sure") == "yes" or "known" in request.POST
    warnings = [] if is_sure or not _all(saved) else cautions(_looked_at(request, saved))
    if warnings:
        closes = "close" in request.POST
        return writing_page(request, saved, warnings=warnings, later=_wanted(request), closes=closes, status=422)
    return _send(request, saved)


def _send(request: Request, saved: Draft) -> HttpResponse:
    after = address_behind(request, saved)
    try:
        now = timezone.now()
        if saved.about:
            check(saved, by=request.employee)  # R24: the door is CRM's
        at = _moment(request, now)
        remind = remind_of(saved, timezone.localtime(now))
        known, anyway = known_in(request.POST.get("known", "")), request.POST.get("anyway") == "yes"
        made = send.send(
            saved, by=request.employee, seen=saved.version, now=now, at=at, known=known, anyway=anyway, remind=remind
        )
    except MovedOn as error:
        said: dict[str, Any] = {"later": _wanted(request), "anyway": anyway}
        return writing_page(request, saved, moved_on=error.changes, collision=True, status=409, **said)
    except NotInPlan as error:  # R24: another error than a month that is used up
        return _not_sent(request, saved, str(error), ("plans", _("Compare the plans")))
    except LimitReached as error:  # R22
        return _not_sent(request, saved, str(error), ("plan", _("See what is used")))
    except drafts.DraftChanged:
        return _not_sent(request, saved, _("This draft was changed meanwhile. Look at it, then send again."))
    except NOT_SENT as error:
        return _not_sent(request, saved, str(error))
    if "tracking" in request.POST:
        remember_tracking(request.employee, wanted=saved.is_tracked)
    is_closed = "close" in request.POST and _close(request, made)
    tell(request, made, at, is_closed=is_closed)
    return redirect(after or "home")


def _close(request: Request, made: Delivery) -> bool:
    """Close the conversation that was answered, for everyone; whether there was one of a team."""
    mine = Conversation.objects.editable_by(request.employee).filter(messages=made.answers_id or 0)
    wish = closing(Wish("close", request.employee, made.created_at))
    try:
        action = act(choose([(each, "") for each in mine.values_list("public_id", flat=True)], wish), wish)
    except (NothingChosen, CannotMove):
        return False
    if not any(value for step in action.before for value in step.values()):
        action.delete()  # it was closed already: there is nothing to take back
    return True


def open_again(request: Request, stopped: Delivery) -> None:
    """Undo of “send and close”: what was closed with the letter that is stopped is open again."""
    closed = Action.objects.visible_to(request.employee).filter(kind="close", at=stopped.created_at, undone_at=None)
    for action in closed:
        with suppress(CannotUndo):  # somebody has changed it since: it stays as they left it
            take_back(action, by=request.employee, now=timezone.now(), others=TAKING_BACK)


def _not_sent(request: Request, saved: Draft, told: str, way: tuple[str, str] = ("", "")) -> HttpResponse:
    """The draft is kept, and says why it did not go out."""
    page, action = way
    more: dict[str, Any] = {"problem_address": reverse(page), "problem_action": action} if page else {}
    text = _("Not sent; the draft is kept.") + " " + told
    return writing_page(request, saved, problem=text, status=422, **more)


def tell(request: Request, made: Delivery, at: datetime | None, *, is_closed: bool = False) -> None:
    """The note with its undo, which the server holds: closing the page takes nothing away."""
    text = _("Will be sent %(time)s.") % {"time": short_moment(at)} if at else _("Sent.")
    if is_closed:
        text = _("Sent, and closed for everyone.")
    if (remind_at := made.reminds_at(made.due_at)) is not None:
        text += " " + _("You are reminded %(time)s if nobody answers.") % {"time": short_moment(remind_at)}
    messages.success(request, text, extra_tags=f"{STOPS}{made.public_id}")


STOPS = "letter-"  # before the id of a delivery, where an undo names what it takes back


def _wanted(request: Request) -> str:
    later = request.POST.get("later", "")
    return request.POST.get("later_at", "") if later == "at" else later


def _moment(request: Request, now: datetime) -> datetime | None:
    wanted = _wanted(request)
    if not wanted and request.POST.get("later") != "at":
        return None
    return moment(wanted, timezone.localtime(now))


def _all(saved: Draft) -> list[str]:
    return [address for name in FIELDS for _name, address in getattr(saved, name)]


def _looked_at(request: Request, saved: Draft) -> Letter:
    return Letter(
        subject=saved.subject,
        html=saved.body_html,
        text=saved.body_text,
        has_files=saved.files.filter(content_id="").exists(),
        recipients=tuple(_all(saved)),
        inside=_inside(request, saved),
    )


def _inside(request: Request, saved: Draft) -> frozenset[str]:
    """The domains of the mailboxes in sight, if so far only they wrote in this conversation."""
    if saved.answers_id is None or saved.kind != "reply":
        return frozenset()
    addresses = Mailbox.objects.visible_to(request.employee).values_list("address", flat=True)
    ours = {address_key(each).rpartition("@")[2] for each in addresses}
    letter = Message.objects.visible_to(request.employee).filter(pk=saved.answers_id).first()
    if letter is None:
        return frozenset()
    wrote = [letter.from_address, *(address for rows in letter.recipients.values() for _name, address in rows)]
    domains = {address_key(each).rpartition("@")[2] for each in wrote if each}
    return frozenset(ours) if domains and domains <= ours else frozenset()
