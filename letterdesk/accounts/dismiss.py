"""A person leaves: from this second they are signed out everywhere, and nothing lets them in. Or is taken back.

What they own stays for 30 days (docs/decisions/0009-who-leaves.md); whether it is over is judged by `ends_at`.
"""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from .history import tell
from .models import Employee, Invitation
from .roles import keep_an_administrator, must_administrate
from .sessions import end_sessions

KEPT = timedelta(days=30)
WARNED_BEFORE = timedelta(days=7)


class NotDismissed(ValueError):
    """The person works here: there is nobody to take back, and nothing left behind."""

    def __init__(self) -> None:
        super().__init__(_("This person was not dismissed."))


@transaction.atomic
def dismiss(person: Employee, *, by: Employee, now: datetime) -> None:
    """End this person's access: sessions, password, second factors and open invitations. The row stays, as history.

    Their mailboxes, tasks and grants stay as they are: handing over is another step, before or after.
    Of who left before, nothing changes: their 30 days go on. Raises NotAllowed and LastAdministrator.
    """
    must_administrate(by, person.account_id)
    keep_an_administrator(person)  # locks the account
    if not Employee.objects.filter(pk=person.pk, dismissed_at=None).update(dismissed_at=now, warned_at=None):
        return
    person.is_active = False
    person.is_operator = False
    person.dismissed_at, person.warned_at = now, None
    person.set_unusable_password()  # changes the session hash: also sessions that no list knows end (C27)
    person.save(update_fields=["is_active", "is_operator", "dismissed_at", "warned_at", "password"])
    Authenticator.objects.filter(user=person).delete()
    Invitation.objects.filter(invited_by=person, accepted_at=None).delete()
    ended = end_sessions(person)
    tell("employee.dismissed", account=person.account, by=by, subject=f"employee:{person.public_id}", sessions=ended)


@transaction.atomic
def reinstate(person: Employee, *, by: Employee) -> None:
    """Take a person back: role, department, grants and all that was not handed over are theirs again.

    They choose a new password by "forgotten" and new second factors. Raises NotAllowed, NotDismissed.
    """
    must_administrate(by, person.account_id)
    gone = Employee.objects.filter(pk=person.pk, dismissed_at__isnull=False)
    if not gone.update(is_active=True, dismissed_at=None, warned_at=None):
        raise NotDismissed
    person.refresh_from_db()
    tell("employee.reinstated", account=person.account, by=by, subject=f"employee:{person.public_id}")


def ends_at(dismissed_at: datetime, warned_at: datetime | None) -> datetime:
    """When what a person left behind goes: 30 × 24 h later, and never sooner than 7 × 24 h after the warning."""
    end = dismissed_at + KEPT
    return end if warned_at is None else max(end, warned_at + WARNED_BEFORE)
