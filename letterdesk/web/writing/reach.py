"""Whom letters of ours did not reach, in words: at the letter, and in its conversation."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message
from letterdesk.outbound.models import Bounce, Delivery, DeliveryRecipient, RecipientState, State
from letterdesk.web.templatetags.letterdesk import short_moment

SHOWN = 5  # recipients of a letter that are named; the outbox has them all
TOLD = (State.SENT, State.DEFERRED, State.FAILED, State.UNKNOWN)


@dataclass(frozen=True)
class Reach:
    """What is said of a letter that went out. `tone` as a banner has it; `is_new`: nobody has said that they know."""

    delivery: Delivery
    tone: str
    lines: list[str]
    is_new: bool
    may_act: bool


def reach_of(letters: Iterable[Message], employee: Employee, *, may_act: bool) -> dict[int | None, list[Reach]]:
    """By the key of the letter that lies in Sent; under None answers to one of these letters that lie nowhere."""
    keys = [letter.pk for letter in letters]
    found = Delivery.objects.visible_to(employee).filter(Q(filed__in=keys) | Q(answers__in=keys), state__in=TOLD)
    by_letter: defaultdict[int | None, list[Reach]] = defaultdict(list)
    for each in found.select_related("mailbox").prefetch_related("recipients").order_by("created_at", "pk"):
        if each.filed_id not in keys and each.state == State.SENT and each.trouble_at is None:
            continue
        if lines := reach_lines(each):
            told = Reach(each, tone_of(each), lines, each.trouble_at is not None, may_act)
            by_letter[each.filed_id if each.filed_id in keys else None].append(told)
    return by_letter


def tone_of(each: Delivery) -> str:
    """How loud it is."""
    if each.state == State.UNKNOWN:
        return "warn"
    return "danger" if each.trouble_at is not None else ""


def reach_lines(each: Delivery) -> list[str]:
    """Sentences for people; empty: all is well, as far as anybody knows."""
    people = sorted(each.recipients.all(), key=lambda one: one.pk)
    if each.state == State.FAILED:
        return [_("Not sent. %(reason)s") % {"reason": each.error or _said(people)}]
    if each.state == State.UNKNOWN:
        return [
            _("Perhaps sent: the connection was lost at the one moment at which nobody can know. Decide in the outbox.")
        ]
    lines = [line for line in map(_of_recipient, people) if line]
    if each.state == State.DEFERRED:
        again = {"time": short_moment(each.next_at), "reason": each.error or _said(people)}
        lines.insert(0, _("Not everybody has it yet; it is tried again %(time)s. %(reason)s") % again)
    rest = len(lines) - SHOWN
    more = ngettext("and %(count)d more: see the outbox", "and %(count)d more: see the outbox", rest) % {"count": rest}
    return [*lines[:SHOWN], more] if rest > 0 else lines


def _of_recipient(one: DeliveryRecipient) -> str:
    said = {"address": one.address, "reason": (one.bounce_text or one.text)[:300]}
    if one.state == RecipientState.REFUSED:
        return _("Sent, but not to %(address)s: the server says “%(reason)s”.") % said
    texts = {
        Bounce.HARD: _("Sent, but there is no such address as %(address)s: its server says “%(reason)s”."),
        Bounce.SOFT: _("Sent, but it came back from %(address)s: its server says “%(reason)s”."),
        Bounce.DELAYED: _("Still on its way to %(address)s: a server on the way says “%(reason)s”."),
    }
    return texts[Bounce(one.bounce)] % said if one.bounce else ""


def _said(people: Iterable[DeliveryRecipient]) -> str:
    return next((one.text for one in people if one.text), "")


def reach_facts(letters: list[dict[str, Any]], employee: Employee, *, may_act: bool) -> dict[str, Any]:
    """Put it at the letters of a page, and return what stands above them: what nobody has said yet that they know."""
    found = reach_of([letter["message"] for letter in letters], employee, may_act=may_act)
    for letter in letters:
        letter["reach"] = found.get(letter["message"].pk, [])
    everything = [each for told in found.values() for each in told]
    return {"troubles": [each for each in everything if each.is_new or each.delivery.state != State.SENT]}
