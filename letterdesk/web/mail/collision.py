"""What has happened in a conversation since somebody began to answer it: who, when, their text (ux.md 1.5, W2)."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mailboxes.models import Conversation, Message, Placement
from letterdesk.outbound.models import Draft
from letterdesk.outbound.moved_on import Change, changes, conversation_of
from letterdesk.web.request import Request
from letterdesk.web.templatetags.letterdesk import short_moment

SHOWN = 3
LONGEST = 600  # characters of a text that has not left yet
KEY = re.compile(r"(?<![^,])-?[0-9]{1,19}(?![^,])")


def collision_facts(request: Request, found: Draft, news: Sequence[Change] | None = None) -> dict[str, Any]:
    """What the page of a draft says about it; nothing where nothing has happened."""
    now = timezone.now()
    told = changes(found) if news is None else news
    if not told:
        return {}
    mine = Message.objects.visible_to(request.employee).filter(pk__in=[each.letter.pk for each in told if each.letter])
    visible = set(mine.values_list("pk", flat=True))
    reads = Conversation.objects.visible_to(request.employee).filter(pk=conversation_of(found)).exists()
    if not reads:  # the right on it was lost: that it moved on is all they learn
        return {
            "news": [{"words": _("The conversation has changed.")}],
            "known": ",".join(str(each.key) for each in told),
        }
    shown = [{"words": words(each, request, now), "text": _text(request, each, visible)} for each in told[-SHOWN:]]
    more = len(told) - len(shown)
    return {
        "news": shown[::-1],
        "more_news": ngettext("%(count)d earlier change", "%(count)d earlier changes", more) % {"count": more}
        if more
        else "",
        "known": ",".join(str(each.key) for each in told),
        "answered": conversation_address(request, found),
    }


def known_in(said: str) -> list[int]:
    """The letters that a form says its writer was told of; what is none of ours counts for nothing."""
    return [int(each) for each in KEY.findall(said)[:1000]]


def words(change: Change, request: Request, now: datetime) -> str:
    """One change as a sentence: “Jonas replied 40 seconds ago.”"""
    who = _("You") if change.sender == request.employee else change.who
    if change.leaves_later(now):
        return _("%(who)s: an answer waits to be sent %(time)s.") % {"who": who, "time": short_moment(change.at)}
    if change.letter is None and change.delivery is not None and change.delivery.sent_at is None:
        return _("%(who)s: an answer is being sent at this moment.") % {"who": who}
    said = _("%(who)s replied %(ago)s.") if change.is_ours else _("%(who)s wrote %(ago)s.")
    return said % {"who": who, "ago": naturaltime(min(change.at, now))}


def _text(request: Request, change: Change, visible: set[int]) -> str:
    """The beginning of the letter, for who may read it; a colleague's that has not left is a draft of theirs."""
    if change.letter is not None:
        return change.letter.snippet if change.letter.pk in visible else ""
    draft = change.delivery.draft if change.delivery else None
    if draft is None or not Draft.objects.visible_to(request.employee).filter(pk=draft.pk).exists():
        return ""
    return draft.body_text.partition("\n>")[0].strip()[:LONGEST]


def conversation_address(request: Request, found: Draft) -> str:
    """Where the letter that is answered is read; empty: there is none, or it may not be read any more."""
    place = place_of_answered(request, found)
    return address_of(place) if place else ""


def address_of(place: Placement) -> str:
    """Where the conversation of a letter is read, in this place."""
    return reverse("conversation", args=[place.folder.public_id, place.message.conversation.public_id])


def place_of_answered(request: Request, found: Draft) -> Placement | None:
    """Where the letter that is answered lies, with its conversation, in one query; None as `conversation_address`."""
    if not found.answers_id:
        return None
    places = Placement.objects.visible_to(request.employee).filter(message=found.answers_id, folder__gone_at=None)
    place: Placement | None = places.select_related("folder", "message__conversation").order_by("pk").first()
    return place
