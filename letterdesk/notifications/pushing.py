"""Pushes what is not seen to a person's browsers, together, at most four times a minute. Again where a process died.

The address of a browser is written by its person: we connect to it through the guard alone, over TLS, and say nothing
of what it answers (D01, D02). What is sent only that browser can read; its text is made now, with the rights of now.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db.models import F, Min, QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.webpush import LONGEST, BadKeys, Browser, authorization, encrypted, signer
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard, post

from .browsers import live_browsers
from .decide import GAP, push_at, try_again_at
from .lines import Line, lines_of
from .models import PushBrowser, Telling
from .seen import mark
from .speaking import speaking
from .wishes import wishes_of

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # a process that died with a push is followed by another one then
TIMEOUT = 5.0  # seconds for one browser
DEADLINE = 20.0  # seconds for all browsers of one person, far below the lease
LIVES = 12 * 3600  # seconds that a push service keeps it for a browser that is off
TOLD = 5  # lines in one push
GIVE_UP = 10  # failures in a row
GONE = {404, 410}  # RFC 8030 7.3
TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True)
class Message:
    """What a browser shows; `address` is opened by a click. It takes the place of one with the same `topic`."""

    title: str
    body: str
    address: str
    topic: str

    def as_bytes(self) -> bytes:
        """As our worker in the browser reads it, as long as a push may be."""
        facts = {"title": self.title[:200], "body": self.body, "address": self.address, "topic": self.topic}
        while len(text := json.dumps(facts).encode()) > LONGEST:
            facts["body"] = facts["body"][: len(facts["body"]) // 2]
        return text


def due(*, now: datetime) -> list[int]:
    """The keys of those (Telling) to whom something is to be pushed now, who waits longest first."""
    return list(_due(now).order_by("push_due_at").values_list("pk", flat=True)[:500])


def _due(now: datetime) -> QuerySet[Telling]:
    waiting = Telling.objects.filter(push_due_at__lte=now, employee__is_active=True, employee__dismissed_at=None)
    return waiting.filter(account__closed_at=None)


def push_to(key: int, *, now: datetime) -> bool:
    """Push to one person what is not seen, if it is due; returns whether something went. Never inside a transaction.

    Where no browser took it nothing is marked, and it is tried again, each time later.
    """
    telling = _due(now).filter(pk=key).select_related("employee__account").first()
    if telling is None or not _claimed(telling, now):
        return False
    lines = lines_of(telling.employee, now, seen_at=None, pushed_at=None)
    went = bool(lines) and push(telling.employee, lines, hides_content=telling.hides_content, now=now)
    reach("push.before_mark")
    if went:
        mark(lines, pushed_at=now)
        Telling.objects.filter(pk=key).update(pushed_at=now)
    _release(telling, now, waits=bool(lines) and not went)
    return went


def _claimed(telling: Telling, now: datetime) -> bool:
    """Whether it is ours to push now: its person may be pushed to, and no other process has it."""
    row = Telling.objects.filter(pk=telling.pk, push_due_at=telling.push_due_at)
    allowed = push_at(now, wishes_of(telling, telling.employee))
    return bool(row.update(push_due_at=now + LEASE if allowed <= now else allowed)) and allowed <= now


def _release(telling: Telling, now: datetime, *, waits: bool) -> None:
    """When to push next: when to try again, soon where something was told meanwhile, or not at all."""
    fewest = PushBrowser.objects.filter(employee=telling.employee_id).aggregate(fewest=Min("failures"))["fewest"]
    again = try_again_at(now, fewest) if waits and fewest is not None else None
    row = Telling.objects.filter(pk=telling.pk)
    row.filter(wakes=telling.wakes).update(push_due_at=again)
    row.exclude(wakes=telling.wakes).update(push_due_at=again or now + GAP)


def push(employee: Employee, lines: Sequence[Line], *, hides_content: bool, now: datetime) -> bool:
    """Send these lines to all browsers of this person; returns whether one took them."""
    with speaking(employee):
        message = composed(lines, hides_content=hides_content)
    return send_all(employee, message, now=now)


def push_test(employee: Employee, *, now: datetime) -> bool:
    """Push a test to all browsers of this person; returns whether one took it. Never inside a transaction."""
    with speaking(employee):
        text = _("Pushes from Letterdesk reach this browser.")
        message = Message(_("This is a test"), text, reverse("notifications"), topic="test")
    return send_all(employee, message, now=now)


def send_all(employee: Employee, message: Message, *, now: datetime, within: float = DEADLINE) -> bool:
    """Send to one browser after the other, for so many seconds in all; those that are left then are not asked."""
    ends, taken = monotonic() + within, False
    for browser in live_browsers(employee, now):
        left = ends - monotonic()
        if left <= 0:
            break
        taken = send(browser, message, now=now, timeout=min(TIMEOUT, left)) or taken
    return taken


def composed(lines: Sequence[Line], *, hides_content: bool) -> Message:
    """One line as it is, several counted, with the first of them."""
    told = [each.told(hides_content=hides_content) for each in lines]
    if len(lines) == 1:
        return Message(*told[0], lines[0].link, topic_of(lines))
    title = ngettext("%(count)d notification", "%(count)d notifications", len(lines)) % {"count": len(lines)}
    body = "\n".join(f"{what} – {detail}" if detail else what for what, detail in told[:TOLD])
    return Message(title, body, reverse("notifications"), topic_of(lines))


def topic_of(lines: Sequence[Line]) -> str:
    """The name under which a push about the same lines, and no other, takes the place of this one (RFC 8030 5.4)."""
    names = " ".join(sorted(each.name for each in lines))
    return salted_hmac("letterdesk.push", names, algorithm="sha256").hexdigest()[:32]


def send(row: PushBrowser, message: Message, *, now: datetime, timeout: float = TIMEOUT) -> bool:
    """Hand a message to the browser's push service; returns whether it took it. Never inside a transaction.

    A browser that the service does not know any more is forgotten (404, 410), and one that fails ten times in a row.
    """
    guard = Guard(allowed=tuple(settings.PUSH_NETWORKS))
    try:
        browser = Browser.of(row.keys["endpoint"], row.keys["p256dh"], row.keys["auth"])
        key = signer(settings.VAPID_SECRET)
        headers = {
            "Authorization": authorization(key, browser.endpoint, contact=_contact(), now=now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(LIVES),
            "Topic": message.topic,
            "Urgency": "normal",
        }
        status = post(guard, browser.endpoint, encrypted(browser, message.as_bytes()), headers=headers, timeout=timeout)
    except (MailError, BadKeys) as error:
        logger.info("A push service was not reached: %s", type(error).__name__)
        status = 0
    return _judged(row, status)


def _judged(row: PushBrowser, status: int) -> bool:
    ours = PushBrowser.objects.filter(pk=row.pk)
    if status in TAKEN:
        ours.exclude(failures=0).update(failures=0)
        return True
    if status in GONE or row.failures + 1 >= GIVE_UP:
        ours.delete()
    else:
        ours.update(failures=F("failures") + 1)
    return False


def _contact() -> str:
    """Whom a push service may write to (RFC 8292 2.1)."""
    base = str(settings.BASE_URL)
    return (
        base if base.startswith("https://") else f"mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].rstrip('>')}"
    )
