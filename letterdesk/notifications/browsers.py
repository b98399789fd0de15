"""The browsers that a person wants to be pushed to, as long as they are signed in there."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib.webpush import Browser

from .models import PushBrowser, Telling

MOST = 10  # browsers of one person


class NotABrowser(ValueError):
    """What was handed in is no address of a push service, or no keys; the text is for people."""

    def __init__(self) -> None:
        super().__init__(_("This browser gave no address to push to. Try another one."))


def subscribe(employee: Employee, *, endpoint: str, p256dh: str, auth: str, session: str, name: str) -> PushBrowser:
    """Push to this browser from now on, as long as that session lives. A browser is of who subscribed it last.

    Raises NotABrowser. Whether the address may be connected to is judged at each connection, not here.
    """
    parts = urlsplit(endpoint)
    try:
        Browser.of(endpoint, p256dh, auth)
        is_address = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:  # BadKeys, an impossible port
        raise NotABrowser from None
    if not is_address or len(endpoint) > 2000 or not session:
        raise NotABrowser
    Telling.objects.get_or_create(employee=employee, defaults={"account_id": employee.account_id})
    made, _is_new = PushBrowser.objects.update_or_create(
        endpoint_hash=hashlib.sha256(endpoint.encode()).hexdigest(),
        defaults={
            "account_id": employee.account_id,
            "employee": employee,
            "keys": {"endpoint": endpoint, "p256dh": p256dh, "auth": auth},
            "session_secret": session,
            "name": name[:80],
            "failures": 0,
        },
    )
    kept = PushBrowser.objects.filter(employee=employee).order_by("-made_at", "-pk")[:MOST]
    PushBrowser.objects.filter(employee=employee).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return made


def live_browsers(employee: Employee, now: datetime) -> list[PushBrowser]:
    """Browsers in which this person is signed in still, those that work first; the others are forgotten."""
    browsers = list(PushBrowser.objects.filter(employee=employee).order_by("failures", "pk"))
    sessions = Session.objects.filter(session_key__in=[each.session_secret for each in browsers], expire_date__gt=now)
    known = {each.session_key for each in sessions if _is_signed_in(employee, each)}
    PushBrowser.objects.filter(pk__in=[each.pk for each in browsers if each.session_secret not in known]).delete()
    return [each for each in browsers if each.session_secret in known]


def _is_signed_in(employee: Employee, session: Session) -> bool:
    """As Django judges it at a request: a session of before a change of password is nobody's (C27)."""
    told = session.get_decoded()
    hashes = (employee.get_session_auth_hash(), *employee.get_session_auth_fallback_hash())
    told_hash = str(told.get(HASH_SESSION_KEY, ""))
    is_valid = any(constant_time_compare(told_hash, each) for each in hashes)
    return is_valid and told.get(SESSION_KEY) == str(employee.pk)


def follow_session(before: str, after: str) -> None:
    """A browser has stayed signed in under another session key: it is pushed to as before."""
    if before and after:
        PushBrowser.objects.filter(session_secret=before).update(session_secret=after)
