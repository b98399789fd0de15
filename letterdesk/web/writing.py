"""Writing a letter: begun by a button or a key, saved while one types, taken over, thrown away (ux.md 1.3, W3)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import Message
from letterdesk.outbound import answering, drafts, files
from letterdesk.outbound.identities import Identity, identities_of
from letterdesk.outbound.models import Draft
from letterdesk.web.draft_form import FIELDS, Written, line_of, with_addresses, written
from letterdesk.web.letters import letters_to_link
from letterdesk.web.request import Request
from letterdesk.web.security import set_writing_policy
from letterdesk.web.snoozing import presets
from letterdesk.web.templatetags.letterdesk import file_size, short_moment, short_time

ANSWERS = {"reply": answering.reply, "reply_all": answering.reply_all, "forward": answering.forward}
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
    if identity is None:
        messages.error(request, _("There is no mailbox from which you may write. Connect one, or ask for access."))
        return redirect("drafts")
    return _begin(request, lambda: _new(request, identity))


def _begin(request: Request, make: Any) -> HttpResponse:
    try:
        made = make()
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("drafts")
    return redirect("draft", made.public_id)


def _new(request: Request, identity: Identity) -> Draft:
    """An empty letter that was begun and left is taken up again, so that none pile up."""
    mine = Draft.objects.editable_by(request.employee).open()
    left = mine.filter(author=request.employee, mailbox=identity.mailbox, kind="new", version=1, files=None).first()
    to = request.POST.get("to", "").strip()[:300]
    if left is not None and not to:
        return left  # type: ignore[no-any-return]
    html = f"<div><br></div>{identity.signature_html}" if identity.signature_html else ""
    return drafts.start(
        identity.mailbox, by=request.employee, now=timezone.now(), body_html=html, to=[("", to)] if to else ()
    )


def _first_identity(request: Request) -> Identity | None:
    """Of the mailbox that the reader was in, else their first one."""
    found = identities_of(request.employee)
    here = [each for each in found if each.mailbox.public_id == request.POST.get("mailbox", "")]
    return next(iter([*here, *found]), None)


def draft_or_404(request: Request, public_id: str) -> Draft:
    """A draft that this employee may write; Http404: foreign, gone."""
    mine = Draft.objects.editable_by(request.employee).select_related("mailbox__account", "writer", "author")
    found: Draft = get_object_or_404(mine, public_id=public_id)
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
        return _refused(request, found, said, str(error))
    if request.htmx:
        return JsonResponse({"version": saved.version, "told": saved_words(saved)})
    messages.success(request, saved_words(saved))
    return redirect("draft", saved.public_id)


def keep(request: Request, found: Draft, said: Written) -> Draft:
    """Save a form. Raises as `drafts.save`."""
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
    problem = f"{told} {_('Nothing was overwritten. Save again to keep yours instead.')}"
    return writing_page(request, newer, said=said, problem=problem, status=409)


def _refused(request: Request, found: Draft, said: Written, problem: str) -> HttpResponse:
    if request.htmx:
        return JsonResponse({"told": problem}, status=409)
    return writing_page(request, found, said=said, problem=problem, status=409)


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
def discarding(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/discarding: throw it away; one with text or files asks first."""
    found = draft_or_404(request, draft_id)
    if request.POST.get("sure") != "yes" and (found.version > 1 or found.files.exists()):
        return render(request, "web/compose/discard.html", {"area": "mail", "view": "drafts", "draft": found})
    after = conversation_address(request, found)
    try:
        drafts.discard(found, by=request.employee, now=timezone.now())
        messages.success(request, _("The draft is discarded."))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(after or "drafts")


# The page


def writing_page(
    request: Request, found: Draft, *, said: Written | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The page of a draft; `said`: with what was just written instead of what is kept."""
    fields = said.fields if said else {}
    kept = list(found.files.order_by("pk"))
    for name in (*FIELDS, "subject", "body_html", "body_text"):
        if name in fields:
            setattr(found, name, fields[name])
    is_new = found.version == 1 and not found.body_text.strip()
    facts = {
        "area": "mail",
        "view": "drafts",
        "draft": found,
        "kind_text": found.get_kind_display(),
        "senders": [_sender(each) for each in identities_of(request.employee)],
        "recipients": _recipient_rows(found),
        "is_rich": bool(found.body_html) or is_new,
        "letter_html": with_addresses(found.body_html, kept),
        "plain_text": found.body_text,
        "files": kept,
        "largest": files.LARGEST,
        "too_large": _("“{name}” is too large: the files of a letter may have %(size)s together.")
        % {"size": file_size(files.LARGEST)},
        "size_hint": _("Files: up to %(size)s together.") % {"size": file_size(files.LARGEST)},
        "moments": [(each.key, f"{each.name}, {short_moment(each.at)}") for each in presets(timezone.localtime())],
        "saved": saved_words(found) if found.version > 1 else "",
        "other_writer": _other_writer(request, found),
        "answered": conversation_address(request, found),
        **more,
    }
    return set_writing_policy(render(request, "web/compose/page.html", facts, status=status))


def _sender(each: Identity) -> dict[str, Any]:
    shown = f"{each.name} <{each.mailbox.address}>" if each.name else each.mailbox.address
    return {"mailbox": each.mailbox, "shown": shown, "html": each.signature_html, "text": each.signature_text}


def _recipient_rows(found: Draft) -> list[dict[str, str]]:
    labels = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc")}
    return [{"name": name, "label": labels[name], "value": line_of(getattr(found, name))} for name in FIELDS]


def _other_writer(request: Request, found: Draft) -> str:
    is_held = found.writing_until is not None and found.writing_until > timezone.now()
    return found.writer.name if is_held and found.writer and found.writer_id != request.employee.pk else ""


def conversation_address(request: Request, found: Draft) -> str:
    """Where the letter that is answered is read; empty: there is none, or it may not be read any more."""
    letters = Message.objects.visible_to(request.employee).filter(pk=found.answers_id) if found.answers_id else None
    letter = letters.select_related("conversation").first() if letters is not None else None
    place = letter and letter.placements.filter(folder__gone_at=None).select_related("folder").first()
    if not letter or not place:
        return ""
    return reverse("conversation", args=[place.folder.public_id, letter.conversation.public_id])
