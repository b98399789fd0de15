"""A new password of one's own: the other sessions end (accounts/adapter.py), this browser is pushed to as before."""

from typing import Any

from allauth.account.views import PasswordChangeView, PasswordSetView
from django.http import HttpResponse

from letterdesk.notifications.browsers import follow_session


class StaysHere:
    """The session gets another key when the password changes; what hangs on it follows."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the new password."""
        session = self.request.session  # type: ignore[attr-defined]
        before = session.session_key or ""
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        follow_session(before, session.session_key or "")
        return answer


class PasswordChange(StaysHere, PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """GET and POST /accounts/password/change/."""


class PasswordSet(StaysHere, PasswordSetView):  # type: ignore[misc]
    """GET and POST /accounts/password/set/: for who has none."""


password_change, password_set = PasswordChange.as_view(), PasswordSet.as_view()
