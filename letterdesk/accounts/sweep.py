"""Forgets what is over: sessions, counters, cache entries, invitations."""

from datetime import datetime, timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import timezone

from letterdesk.lib.jobs import job

from .models import CacheEntry, Invitation, Pace

INVITATIONS_KEPT = timedelta(days=30)  # so that administrators see which were never accepted


@job(name="accounts.sweep")
def sweep_accounts() -> None:
    """Nightly: forget what is over."""
    sweep(timezone.now())


def sweep(now: datetime) -> None:
    """Delete expired sessions, counters and cache entries, and unaccepted invitations a month after their end."""
    sessions = import_module(settings.SESSION_ENGINE).SessionStore
    sessions.clear_expired()
    for listed in UserSession.objects.filter(last_seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE)):
        listed.purge()
    Pace.objects.filter(ends_at__lt=now).delete()
    CacheEntry.objects.filter(expires__lt=now).delete()
    Invitation.objects.filter(accepted_at=None, expires_at__lt=now - INVITATIONS_KEPT).delete()
