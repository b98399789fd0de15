"""Writing a letter: begun by a button or a key, saved while one types, taken over, thrown away (ux.md 1.3, W3)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.writing.write import is_hidden, record_of
from letterdesk.lib.blobs import BlobDamaged, BlobMissing
from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import Conversation, FolderRole, Mailbox
from letterdesk.outbound import answering, drafts, files, take_in
from letterdesk.outbound.composing import refused_recipients, undeliverable
from letterdesk.outbound.identities import Identity, identities_for, identities_of
from letterdesk.outbound.models import Draft, Kind, Template
from letterdesk.outbound.tracking import is_on
from letterdesk.plans.models import Channel
from letterdesk.web.mail.awaiting import reminding
from letterdesk.web.mail.collision import address_of, collision_facts, conversation_address, known_in, place_of_answered
from letterdesk.web.mail.letters import letters_to_link
from letterdesk.web.mail.snoozing import presets
from letterdesk.web.mail.words import translated
from letterdesk.web.request import Request
from letterdesk.web.security import set_writing_policy
from letterdesk.web.templatetags.letterdesk import file_size, short_moment, short_time
from letterdesk.web.writing.form import FIELDS, Written, line_of, with_addresses, written
from letterdesk.web.writing.quota import quota_state

ANSWERS = {"reply": answering.reply, "reply_all": answering.reply_all, "forward": answering.forward}
RESTORES = "drafts-"  # before the id of a draft, where an undo names what it takes back
MOST_TEMPLATES = 50  # in the menu
CANNOT_TAKE_UP = (BlobMissing, BlobDamaged, OSError)
REFUSALS = (drafts.BadDraft, drafts.NotYours, drafts.OnItsWay, drafts.BeingWritten, MailError)


@require_POST
def compose(request: Request) -> HttpResponse:
    """POST /mail/compose: begin a letter from `mailbox`, or an answer of this `kind` to `letter`."""
    kind, named = request.POST.get("kind", ""), request.POST.get("letter", "")
    if named:
        answer = ANSWERS.get(kind)
        letter = get_object_or_404(
            letters_to_link(request.employee).select_related("mailbox__account"), public_id=named
        )
        if answer is None:
            raise Http404
        return _begin(request, lambda: answer(letter, by=request.employee, now=timezone.now()))
    identity = _first_identity(request)
    if identity is None or identity.mailbox is None:
        messages.error(request, _("There is no mailbox from which you may write. Connect one, or ask for access."))
        return redirect("drafts")
    mailbox, signature = identity.mailbox, identity.signature_html
    return _begin(request, lambda: _new(request, mailbox, signature))


def _begin(request: Request, make: Any) -> HttpResponse:
    try:
        made = make()
    except REFUSALS as error:
        messages.error(request, translated(str(error)))
        return redirect("drafts")
    except CANNOT_TAKE_UP:
        messages.error(request, _("This letter cannot be read now. Try again later."))
        return redirect("drafts")
    return redirect("draft", made.public_id)


def _new(request: Request, mailbox: Mailbox, signature: str) -> Draft:
    """An empty letter that was begun and left is taken up again, so that none pile up."""
    mine = Draft.objects.editable_by(request.employee).open()
    left = mine.filter(author=request.employee, mailbox=mailbox, about="", kind="new", version=1, files=None).first()
    to = request.POST.get("to", "").strip()[:300]
    if left is not None and not to:
        return left  # type: ignore[no-any-return]
    html = f"<div><br></div>{signature}" if signature else ""
    return drafts.start(mailbox, by=request.employee, now=timezone.now(), body_html=html, to=[("", to)] if to else ())


def _first_identity(request: Request) -> Identity | None:
    """Of the mailbox that the reader was in, else their first one."""
    found = identities_of(request.employee)
    here = [each for each in found if each.public_id == request.POST.get("mailbox", "")]
    return next(iter([*here, *found]), None)


def draft_or_404(request: Request, public_id: str) -> Draft:
    """A draft that this employee may write; Http404: foreign, gone, or of a record that they may not see any more."""
    mine = Draft.objects.editable_by(request.employee).select_related(
        "account", "mailbox__account", "verified_sender", "writer", "author"
    )
    found: Draft = get_object_or_404(mine, public_id=public_id)
    if found.about and is_hidden(found, request.employee):
        raise Http404
    return found


def draft(request: Request, draft_id: str) -> HttpResponse:
    """GET /drafts/<id>: the page. POST: save what is written; for our script as JSON, with the new version."""
    found = draft_or_404(request, draft_id)
    if found.sent_at is not None:
        messages.info(request, _("This letter is on its way. As long as it has not left, it can be stopped here."))
        return redirect("outbox")
    if request.method != "POST":
        return writing_page(request, found)
    said = written(request, found)
    try:
        saved = keep(request, found, said)
    except drafts.DraftChanged as error:
        return _changed(request, found, said, error.draft)
    except REFUSALS as error:
        return _refused(request, found, said, translated(str(error)))
    if request.htmx:
        return JsonResponse({"version": saved.version, "told": saved_words(saved)})
    messages.success(request, saved_words(saved))
    return _after_collision(request, saved) or redirect("draft", saved.public_id)


def _after_collision(request: Request, saved: Draft) -> HttpResponse | None:
    """“Review” goes to the conversation, whose changes are read from then on; “Keep as draft” goes there alone."""
    if "review" in request.POST:
        drafts.read_on(saved, known_in(request.POST["review"]))
    elif "keep" not in request.POST:
        return None
    return redirect(conversation_address(request, saved) or "drafts")


def keep(request: Request, found: Draft, said: Written) -> Draft:
    """Save a form. Raises as `drafts.save`, and BadDraft for what the form itself is wrong in."""
    if said.problem:
        raise drafts.BadDraft(said.problem)
    return drafts.save(found, by=request.employee, seen=said.seen, now=timezone.now(), **said.fields)


def saved_words(saved: Draft) -> str:
    """“Draft saved 10:42”."""
    return _("Draft saved %(time)s") % {"time": short_time(saved.updated_at)}


def _changed(request: Request, found: Draft, said: Written, newer: Draft) -> HttpResponse:
    """Somebody saved another version: named, and what was written here is still in the form."""
    who = newer.writer.name if newer.writer and newer.writer_id != request.employee.pk else _("You, elsewhere,")
    told = _("%(who)s saved another version at %(time)s.") % {"who": who, "time": short_time(newer.updated_at)}
    if request.htmx:
        return JsonResponse({"newer": newer.version, "told": told}, status=409)
    problem = told + " " + _("Nothing was overwritten. Save again to keep yours instead.")
    return writing_page(request, newer, said=said, problem=problem, status=409)


def _refused(request: Request, found: Draft, said: Written, problem: str) -> HttpResponse:
    if request.htmx:
        return JsonResponse({"told": problem}, status=409)
    return writing_page(request, found, said=said, problem=problem, status=409)


def draft_news(request: Request, draft_id: str) -> HttpResponse:
    """GET /drafts/<id>/news: what has happened in its conversation since, for the page that is open."""
    found = draft_or_404(request, draft_id)
    return render(request, "web/compose/news.html", {"draft": found, **collision_facts(request, found)})


@require_POST
def writer(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/writer: take over a draft in which a colleague was writing."""
    found = draft_or_404(request, draft_id)
    try:
        drafts.take(found, by=request.employee, now=timezone.now(), over=True)
    except drafts.OnItsWay as error:
        messages.error(request, str(error))
    return redirect("draft", found.public_id)


@require_POST
def taking_up(request: Request, message_id: str) -> HttpResponse:
    """POST /messages/<id>/draft: go on writing a letter that lies in a folder of drafts."""
    found = get_object_or_404(
        letters_to_link(request.employee).select_related("mailbox__account").distinct(),
        public_id=message_id, placements__folder__role=FolderRole.DRAFTS,
    )  # fmt: skip
    return _begin(request, lambda: take_in.adopt(found, by=request.employee, now=timezone.now()))


@require_POST
def storing(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/storing: put a copy on the mail server again that another program removed there."""
    found = draft_or_404(request, draft_id)
    try:
        take_in.put_back(found, by=request.employee, now=timezone.now())
        messages.success(request, _("The draft will lie on the mail server again in a minute."))
    except REFUSALS as error:
        messages.error(request, translated(str(error)))
    return redirect("draft", found.public_id)


@require_POST
def discarding(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/discarding: throw it away; the note beside it takes that back, closing the page does not."""
    found = draft_or_404(request, draft_id)
    after = address_behind(request, found)
    try:
        drafts.discard(found, by=request.employee, now=timezone.now())
        messages.success(request, _("The draft is discarded."), extra_tags=f"{RESTORES}{found.public_id}")
    except REFUSALS as error:
        messages.error(request, translated(str(error)))
    return redirect(after or "drafts")


def address_behind(request: Request, found: Draft) -> str:
    """Where its writer came from: the record or the conversation; empty: neither is there any more."""
    record = record_of(found, request.employee) if found.about else None
    return reverse("record", args=[record.public_id]) if record else conversation_address(request, found)


@require_POST
def restoring(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/restoring: a draft that was discarded a moment ago is there again."""
    mine = Draft.objects.restorable_by(request.employee).select_related("mailbox__account")
    found = get_object_or_404(mine, public_id=draft_id)
    try:
        drafts.restore(found, by=request.employee)
    except drafts.Gone as error:
        messages.error(request, str(error))
        return redirect("drafts")
    return redirect("draft", found.public_id)


# The page


def writing_page(
    request: Request, found: Draft, *, said: Written | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The page of a draft; `said`: with what was just written instead of what is kept."""
    news = collision_facts(request, found, more.pop("moved_on", None))
    fields = said.fields if said else {}
    kept = list(found.files.order_by("pk"))
    for name in (*FIELDS, "subject", "body_html", "body_text", "remind", "is_tracked"):
        if name in fields:
            setattr(found, name, fields[name])
    is_new = found.version == 1 and not found.body_text.strip()
    facts = {
        "area": "crm" if found.about else "mail",
        "view": "drafts",
        "draft": found,
        "kind_text": found.get_kind_display(),
        "record": record_of(found, request.employee) if found.about else None,
        "senders": [_sender(each, found) for each in identities_for(found, request.employee)],
        "recipients": _recipient_rows(found),
        "is_rich": bool(found.body_html) or is_new,
        "letter_html": with_addresses(found.body_html, kept),
        "plain_text": found.body_text,
        "files": kept,
        **_sizes(),
        "moments": [(each.key, f"{each.name}, {short_moment(each.at)}") for each in presets(timezone.localtime())],
        **reminding(found),
        "saved": saved_words(found) if found.version > 1 else "",
        "templates": Template.objects.visible_to(request.employee).order_by("name", "pk")[:MOST_TEMPLATES],
        "may_track": bool(found.about) and is_on(found.account_id),
        "gone_at": take_in.gone_at(found) if said is None else None,
        "other_writer": _other_writer(request, found),
        **_answered(request, found),
        **news,
        "quota": quota_state(request.employee.account, Channel(found.channel), now=timezone.now()),
        "undeliverable": [{"address": each.address, "text": undeliverable(each)} for each in refused_recipients(found)],
        **more,
    }
    return set_writing_policy(render(request, "web/compose/page.html", facts, status=status))


def _sizes() -> dict[str, Any]:
    """How large the files of a letter may be, in words."""
    size = {"size": file_size(files.LARGEST)}
    return {
        "largest": files.LARGEST,
        "too_large": _("“{name}” is too large: the files of a letter may have %(size)s together.") % size,
        "size_hint": _("Files: up to %(size)s together.") % size,
    }


def _answered(request: Request, found: Draft) -> dict[str, Any]:
    """The conversation that is answered; `can_close`: it is a team's."""
    place = place_of_answered(request, found)
    return {
        "answered": address_of(place) if place else "",
        "conversation": place.message.conversation if place else _conversation(request, found),
        "can_close": _is_teams(found),
    }


def _is_teams(found: Draft) -> bool:
    is_answer = found.answers_id is not None and found.kind == Kind.REPLY
    return is_answer and found.mailbox is not None and found.mailbox.grants.exists()


def _conversation(request: Request, found: Draft) -> Conversation | None:
    """The conversation that is answered, for who may read it: there others see that somebody writes."""
    mine = Conversation.objects.visible_to(request.employee)
    return mine.filter(messages=found.answers_id).first() if found.answers_id else None


def _sender(each: Identity, found: Draft) -> dict[str, Any]:
    shown = f"{each.name} <{each.email}>" if each.name else each.email
    signature = {"html": each.signature_html, "text": each.signature_text}
    return {"id": each.public_id, "shown": shown, "is_chosen": each.outlet == found.outlet, **signature}


def _recipient_rows(found: Draft) -> list[dict[str, str]]:
    labels = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc")}
    return [{"name": name, "label": labels[name], "value": line_of(getattr(found, name))} for name in FIELDS]


def _other_writer(request: Request, found: Draft) -> str:
    is_held = found.writing_until is not None and found.writing_until > timezone.now()
    return found.writer.name if is_held and found.writer and found.writer_id != request.employee.pk else ""
