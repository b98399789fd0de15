"""The places where a person is signed in."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from .models import Employee


def sessions_of(employee: Employee) -> QuerySet[Any]:
    """The sessions of this person, the latest first: since when, from where, with which browser."""
    sessions: QuerySet[Any] = UserSession.objects.filter(user=employee)
    return sessions.order_by("-last_seen_at")


def end_sessions(employee: Employee, *, keep: str = "") -> int:
    """Sign the person out everywhere, but for the session of that key; returns how many sessions ended."""
    ended = 0
    for session in sessions_of(employee).exclude(session_key=keep):
        session.end()
        ended += 1
    return ended
