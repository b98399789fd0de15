"""A person leaves: from this second they are signed out everywhere, and nothing lets them in again."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from .history import tell
from .models import Employee, Invitation
from .roles import keep_an_administrator, must_administrate
from .sessions import end_sessions


@transaction.atomic
def dismiss(person: Employee, *, by: Employee, now: datetime) -> None:
    """End this person's access: sessions, password, second factors and open invitations. The row stays, as history.

    What becomes of their mailboxes is decided by a reaction to `employee.dismissed`.
    Raises NotAllowed and LastAdministrator.
    """
    must_administrate(by, person.account_id)
    keep_an_administrator(person)
    person.is_active = False
    person.dismissed_at = now
    person.set_unusable_password()  # changes the session hash: also sessions that no list knows end (C27)
    person.save(update_fields=["is_active", "dismissed_at", "password"])
    Authenticator.objects.filter(user=person).delete()
    Invitation.objects.filter(invited_by=person, accepted_at=None).delete()
    ended = end_sessions(person)
    tell("employee.dismissed", account=person.account, by=by, subject=f"employee:{person.public_id}", sessions=ended)
