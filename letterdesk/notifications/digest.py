"""The digest: what a person was told and has not seen, by e-mail, at the time they chose. Empty ones are not sent.

It goes by the installation's own way out, as invitations do (R23: it uses none of the quota). Each line goes into one
digest. Where a process dies between sending and noting it, the same digest comes twice, under the same Message-ID.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.accounts.zones import zone_of
from letterdesk.lib.crashpoint import reach

from .decide import next_digest
from .lines import Line, lines_of
from .models import Telling
from .seen import mark
from .speaking import speaking

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # from a failure, or a process that died, to the next try
LISTED = 30
SALT = "letterdesk.digest"
SILENT = ("console", "dummy")


class BadLink(ValueError):
    """This link was not made here, or its person is gone."""


def can_mail() -> bool:
    """Whether the installation sends e-mail at all (EMAIL_URL)."""
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in SILENT)


def mail_due(*, now: datetime) -> int:
    """Send the digests that are due; returns how many went. Never inside a transaction."""
    due = Telling.objects.filter(digest_due_at__lte=now).exclude(digest="") if can_mail() else Telling.objects.none()
    due = due.filter(employee__is_active=True, employee__dismissed_at=None, account__closed_at=None)
    return sum(
        _mail(telling, now) for telling in due.select_related("employee__account").order_by("digest_due_at")[:500]
    )


def _mail(telling: Telling, now: datetime) -> bool:
    person, row = telling.employee, Telling.objects.filter(pk=telling.pk, digest_due_at=telling.digest_due_at)
    if not row.update(digest_due_at=now + LEASE):
        return False
    lines = lines_of(person, now, seen_at=None, mailed_at=None)
    if lines:
        try:
            with speaking(person):
                composed(person, lines, hides_content=telling.hides_content).send()
        except OSError as error:  # smtplib's errors are among these; tried again when the lease ends
            logger.warning("A digest could not be sent: %s", type(error).__name__)
            return False
    reach("digest.before_mark")
    mark(lines, mailed_at=now)
    due = next_digest(telling.digest, telling.digest_hour, zone=zone_of(person), after=now)
    Telling.objects.filter(pk=telling.pk, digest_due_at=now + LEASE).update(digest_due_at=due)
    return bool(lines)


def composed(person: Employee, lines: Sequence[Line], *, hides_content: bool) -> EmailMessage:
    """The letter, in the language that is active."""
    title = ngettext("%(count)d notification", "%(count)d notifications", len(lines)) % {"count": len(lines)}
    parts = [_told(each, hides_content=hides_content) for each in lines[:LISTED]]
    if len(lines) > LISTED:
        parts.append(_("… and %(count)d more.") % {"count": len(lines) - LISTED})
    stop = link(person)
    parts += [
        _("All of them: %(address)s") % {"address": settings.BASE_URL + reverse("notifications")},
        _("You get this because you asked for a digest. To stop it, open: %(address)s") % {"address": stop},
    ]
    headers = {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "Message-ID": _message_id(person, lines),
    }
    return EmailMessage(
        f"{title} · {person.account.name}", "\n\n".join(parts) + "\n", None, [person.email], headers=headers
    )


def _message_id(person: Employee, lines: Sequence[Line]) -> str:
    """The same for the same lines, so that a digest that comes twice is one letter; another one for any other lines."""
    told = " ".join(f"{each.name}:{each.row.at.timestamp()}" for each in lines)
    name = salted_hmac("letterdesk.digest", told, algorithm="sha256").hexdigest()[:32]
    return f"<digest.{person.public_id}.{name}@{settings.BASE_URL.partition('://')[2]}>"


def _told(line: Line, *, hides_content: bool) -> str:
    when = date_format(localtime(line.row.at), "D j M, H:i")
    title, detail = line.told(hides_content=hides_content)
    return "\n".join([f"{title} ({when})", *([f"  {detail}"] if detail else []), f"  {settings.BASE_URL}{line.link}"])


def link(person: Employee) -> str:
    """The address that ends this person's digest without a sign-in; it does nothing else, and does not age."""
    token = signing.dumps(person.public_id, salt=SALT)
    return settings.BASE_URL + reverse("digest_ended", args=[token])


def person_of(token: str) -> Employee:
    """Whose digest the link ends. Raises BadLink."""
    found: Employee | None = None
    try:
        found = Employee.objects.filter(public_id=signing.loads(token, salt=SALT), is_active=True).first()
    except signing.BadSignature:
        raise BadLink from None
    if found is None:
        raise BadLink
    return found
