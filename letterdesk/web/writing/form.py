"""What the form of a letter says, both ways: people as a line, pictures by our own addresses or by `cid:`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from letterdesk.mail.addresses import read_addresses
from letterdesk.mail.html import clean_html
from letterdesk.mailboxes.models import Mailbox
from letterdesk.outbound.drafts import NotYours, too_many_recipients
from letterdesk.outbound.models import Draft, DraftFile, VerifiedSender
from letterdesk.web.mail.awaiting import AT
from letterdesk.web.request import Request

FIELDS = ("to", "cc", "bcc")
LONGEST_LINE = 100_000  # characters of To, Cc or Bcc
OUR_PICTURE = re.compile(r'(\ssrc=")(?:https?://[^/"]+)?/draft-files/([A-Za-z0-9_-]+)(")')
ADDRESS_LIKE = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")
QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
PLAIN_NAME = re.compile(r"[^\W_][\w .'-]*")


@dataclass(frozen=True)
class Written:
    """A form that was sent: what `drafts.save` takes, and the version its writer saw.

    `problem`: why it cannot be saved, in words for people.
    """

    seen: int
    fields: dict[str, Any]
    problem: str = ""


def written(request: Request, draft: Draft) -> Written:
    """What somebody wrote. Raises Http404 for a form that is none of ours."""
    said = request.POST
    fields: dict[str, Any] = {name: people_of(said.get(name, "")) for name in FIELDS}
    fields["subject"] = " ".join(said.get("subject", "").split())[:900]
    sender = _sender(request, draft)
    fields |= (sender or {}) | _body(said, draft)
    if "remind" in said:
        fields["remind"] = (said.get("remind_at") or AT) if said["remind"] == AT else said["remind"]
    if "tracking" in said:
        fields["is_tracked"] = said.get("is_tracked") == "yes"
    is_cut = any(len(said.get(name, "")) > LONGEST_LINE for name in FIELDS)
    problem = str(NotYours()) if sender is None else too_many_recipients() if is_cut else ""
    try:
        return Written(int(said.get("seen", "")), fields, problem)
    except ValueError:
        raise Http404 from None


def _sender(request: Request, draft: Draft) -> dict[str, Any] | None:
    """None: one that they may not use, or not any more."""
    wanted = request.POST.get("sender", "")
    if not wanted or wanted == draft.outlet.public_id:
        return {}
    mailbox = Mailbox.objects.editable_by(request.employee).filter(public_id=wanted).select_related("account").first()
    if mailbox is not None:
        return {"mailbox": mailbox}
    sender = VerifiedSender.objects.usable_by(request.employee).filter(public_id=wanted).first()
    return {"verified_sender": sender} if sender is not None else None


def _body(said: Any, draft: Draft) -> dict[str, str]:
    """Rich or plain. "text": no script ran, so what was not touched stays as rich as it was."""
    if said.get("format") == "html" and said.get("html"):  # the editor always has a line: without one it was not there
        return {"body_html": with_cids(said.get("html", ""), draft.files.all()), "body_text": ""}
    text = said.get("text", "").replace("\r\n", "\n")
    if said.get("format") != "plain" and draft.body_html and text.strip() == draft.body_text.strip():
        return {}
    return {"body_html": "", "body_text": text}


def people_of(line: str) -> list[tuple[str, str]]:
    """A line as somebody typed it, as names and addresses; what is no address stays, so that sending can name it.

    Nobody in it is lost: where a comma is missing, what reads like another address is one of its own.
    """
    line = line[:LONGEST_LINE]  # what is longer is not saved (`Written.problem`)
    read = read_addresses([line.encode("utf-8", "replace")])
    found = [(each.name, each.address) if each.address else ("", each.name) for each in read]
    known = " ".join(address.casefold() for _name, address in found)
    missed = [each for each in ADDRESS_LIKE.findall(QUOTED.sub("", line)) if each.casefold() not in known]
    named = [("" if name in missed else name, address) for name, address in found]
    return named + [("", address) for address in dict.fromkeys(missed)]


def line_of(people: Iterable[list[str]]) -> str:
    """Names and addresses as a line that `people_of` reads again."""
    return ", ".join(one_of(name, address) for name, address in people)


def one_of(name: str, address: str) -> str:
    """One of them: `Amara Okafor <amara@okafor.example>`."""
    if not name:
        return address
    shown = name if PLAIN_NAME.fullmatch(name) else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))
    return f"{shown} <{address}>"


def with_cids(html: str, files: Iterable[DraftFile]) -> str:
    """The editor's HTML with its pictures as they travel in the letter."""
    cids = {file.public_id: file.content_id for file in files if file.content_id}
    return OUR_PICTURE.sub(lambda found: _by_cid(found, cids), html)


def _by_cid(found: re.Match[str], cids: dict[str, str]) -> str:
    cid = cids.get(found[2])
    return f"{found[1]}cid:{cid}{found[3]}" if cid else found[0]


def with_addresses(html: str, files: Iterable[DraftFile]) -> SafeString:
    """The draft's HTML for the editor, cleaned at this moment (hard rule 8), its pictures by our own addresses."""
    known = {
        f"cid:{file.content_id}": reverse("draft_file", args=[file.public_id]) for file in files if file.content_id
    }
    return mark_safe(clean_html(html, image_url=known.get).html)  # noqa: S308  cleaned by nh3 just now
