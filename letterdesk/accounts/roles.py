"""Who administers the account, and what a person is in it."""

from django.db import transaction
from django.utils.translation import gettext as _

from .history import tell
from .models import Account, Department, Employee, Role


class NotAllowed(Exception):
    """Only administrators of the account may do this."""


class LastAdministrator(Exception):
    """The account would be left without an administrator."""

    def __init__(self) -> None:
        super().__init__("This is the last administrator. Make someone else an administrator first.")


def must_administrate(by: Employee, account_id: int) -> None:
    """Raise NotAllowed unless the person is an administrator at work in that account."""
    if not (by.is_active and by.is_administrator and by.account_id == account_id):
        raise NotAllowed(_("Only administrators of the account may do this."))


def keep_an_administrator(leaving: Employee) -> None:
    """Raise LastAdministrator if none were left without this one. Call it in a transaction: it locks the account."""
    Account.objects.select_for_update(no_key=True).get(pk=leaving.account_id)
    others = Employee.objects.filter(account=leaving.account_id, role=Role.ADMINISTRATOR, is_active=True)
    if leaving.is_administrator and not others.exclude(pk=leaving.pk).exists():
        raise LastAdministrator


@transaction.atomic
def place(person: Employee, *, role: str, department: Department | None, by: Employee) -> None:
    """Give a person this role and department. Raises NotAllowed, LastAdministrator."""
    must_administrate(by, person.account_id)
    if department is not None and department.account_id != person.account_id:
        raise NotAllowed(_("This department is not one of yours."))
    if Role(role) != Role.ADMINISTRATOR:
        keep_an_administrator(person)
    person.role = Role(role)
    person.department = department
    person.save(update_fields=["role", "department"])
    subject = f"employee:{person.public_id}"
    named = department.public_id if department else None
    tell("employee.changed", account=person.account, by=by, subject=subject, role=person.role, department=named)
