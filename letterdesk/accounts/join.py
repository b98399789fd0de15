"""Makes people of an account."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from .history import tell
from .models import Account, Department, Employee, Role


class AddressTaken(Exception):
    """Someone signs in with this address already, here or in another account."""


class NotAnAddress(ValueError):
    """This is not an e-mail address."""


def clean_address(email: str) -> str:
    """The address as it is kept: trimmed, in lower case. Raises NotAnAddress."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotAnAddress(_("“%(typed)s” is not an e-mail address.") % {"typed": email}) from error
    return address


@transaction.atomic
def add_employee(
    account: Account,
    *,
    email: str,
    name: str,
    password: str | None,
    role: str = Role.EMPLOYEE,
    department: Department | None = None,
    now: datetime,
) -> Employee:
    """Make a person who signs in with this address; without a password, by a new one through "forgotten" alone.

    Raises AddressTaken, NotAnAddress, and Django's ValidationError for a password that is too weak.
    """
    person = Employee(
        account=account,
        email=clean_address(email),
        name=name.strip(),
        role=Role(role),
        department=department,
        created_at=now,
    )
    if password is not None:
        validate_password(password, person)
    person.set_password(password)
    _insert(person)
    tell("employee.joined", account=account, by=person, subject=f"employee:{person.public_id}", role=person.role)
    return person


def _insert(person: Employee) -> None:
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise AddressTaken(_("%(address)s is in use already.") % {"address": person.email}) from error
