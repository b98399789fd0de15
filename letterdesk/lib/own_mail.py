"""Letterdesk's own mails – invitations, passwords, warnings, digests – say that a program wrote them (RFC 3834 5).

So no program answers them, and whoever keeps letters of clients does not take them for one.
"""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp


class EmailBackend(smtp.EmailBackend):
    """The way out by SMTP of all of them."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send them marked; returns how many went. Raises OSError."""
        for each in email_messages:
            each.extra_headers.setdefault("Auto-Submitted", "auto-generated")
        return super().send_messages(email_messages)
