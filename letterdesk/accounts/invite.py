"""Invitations: the only way in for people who are not made with the account.

A link works once, for 72 hours, and for its address alone; of its 32 random bytes only the hash is kept (C20).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from .history import tell
from .join import AddressTaken, add_employee, clean_address
from .models import Department, Employee, Invitation, Role
from .pace import spend
from .roles import NotAllowed, must_administrate

LIFE = timedelta(hours=72)
PER_HOUR = 60  # invitations that an account may send within an hour (C26)


class InvitationInvalid(Exception):
    """The link is wrong, used, withdrawn, too old, or for another address. Which of these, it does not say."""

    def __init__(self) -> None:
        super().__init__("This invitation is no longer valid. Ask an administrator of your company for a new one.")


@dataclass(frozen=True)
class Invited:
    """An invitation together with its token, which is not kept anywhere. `repr` does not show it."""

    invitation: Invitation
    token: str

    def __repr__(self) -> str:
        return f"Invited({self.invitation.email})"

    @property
    def link(self) -> str:
        """The address of the page that accepts it, built from BASE_URL alone (C28)."""
        return f"{settings.BASE_URL}/invitations/{self.token}"


def invite(
    email: str, *, by: Employee, role: str = Role.EMPLOYEE, department: Department | None = None, now: datetime
) -> Invited:
    """Invite an address into the inviter's account; an earlier invitation of it ends. Sends nothing: see `send`.

    Raises NotAllowed, AddressTaken, NotAnAddress, and TooFast beyond 60 an hour.
    """
    must_administrate(by, by.account_id)
    if department is not None and department.account_id != by.account_id:
        raise NotAllowed(_("This department is not one of yours."))
    address = clean_address(email)
    spend(by.account, "invite", most=PER_HOUR, within=timedelta(hours=1), now=now)  # counts refused ones too
    with transaction.atomic():
        if Employee.objects.filter(email=address).exists():
            raise AddressTaken(_("%(address)s is in use already.") % {"address": address})
        Invitation.objects.filter(account=by.account_id, email=address, accepted_at=None).delete()
        return _invite(address, by=by, role=role, department=department, now=now)


def _invite(address: str, *, by: Employee, role: str, department: Department | None, now: datetime) -> Invited:
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        account=by.account,
        email=address,
        role=Role(role),
        department=department,
        token_hash=_hash(token),
        invited_by=by,
        created_at=now,
        expires_at=now + LIFE,
    )
    subject = f"invitation:{invitation.public_id}"
    tell("employee.invited", account=by.account, by=by, subject=subject, role=invitation.role)
    return Invited(invitation, token)


def send(invited: Invited) -> None:
    """Write the invitation's e-mail to its address, if the installation can send (EMAIL_URL)."""
    invitation = invited.invitation
    facts = {
        "inviter": invitation.invited_by.name if invitation.invited_by else _("An administrator"),
        "company": invitation.account.name,
        "address": invitation.email,
    }
    send_mail(
        _("%(inviter)s invites you to %(company)s on Letterdesk") % facts,
        _("Open this address within three days to choose your password:")
        + f"\n\n{invited.link}\n\n"
        + _("It works once, and only for %(address)s. If you did not expect it, do nothing.") % facts
        + "\n",
        None,
        [invitation.email],
    )


def pending(token: str, *, now: datetime) -> Invitation:
    """The invitation of this token, for the page that asks for name and password. Raises InvitationInvalid."""
    found = Invitation.objects.filter(_open(now), token_hash=_hash(token)).select_related("account", "department")
    invitation: Invitation | None = found.first()
    if invitation is None:
        raise InvitationInvalid
    return invitation


@transaction.atomic
def accept(token: str, *, email: str = "", name: str, password: str, now: datetime) -> Employee:
    """Make the employee of this token. `email`, where the page hands one in, must be the address invited.

    Raises InvitationInvalid (also for the second of two at once), AddressTaken, ValidationError (weak password).
    """
    invitation = pending(token, now=now)
    if email and email.strip().lower() != invitation.email:
        raise InvitationInvalid
    mine = Invitation.objects.filter(_open(now), pk=invitation.pk).update(accepted_at=now) == 1
    if not mine:
        raise InvitationInvalid
    return add_employee(
        invitation.account,
        email=invitation.email,
        name=name,
        password=password,
        role=invitation.role,
        department=invitation.department,
        now=now,
    )


def withdraw(invitation: Invitation, *, by: Employee) -> None:
    """End an invitation that was not accepted yet."""
    must_administrate(by, invitation.account_id)
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None).delete()


def _open(now: datetime) -> Q:
    return Q(accepted_at=None, expires_at__gt=now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
