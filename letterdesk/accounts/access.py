"""Who may see and change people: everyone sees the colleagues, administrators change them. QuerySet methods (P9)."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from .models import Employee


class OfAccountQuerySet(models.QuerySet[Any]):
    """Rows that everyone of the account may see."""

    def visible_to(self, employee: "Employee") -> Self:
        """Rows of the employee's own account."""
        return self.filter(account=employee.account_id)

    def editable_by(self, employee: "Employee") -> Self:
        """Rows that this employee may change: an administrator all of the account, others none."""
        return self.visible_to(employee) if employee.is_administrator else self.none()


class DepartmentQuerySet(OfAccountQuerySet):
    """Departments."""


class EmployeeQuerySet(OfAccountQuerySet):
    """People."""

    def working(self) -> Self:
        """Those who were not dismissed."""
        return self.filter(is_active=True)


class InvitationQuerySet(OfAccountQuerySet):
    """Invitations: for administrators alone."""

    def visible_to(self, employee: "Employee") -> Self:
        """Invitations of the account, for an administrator; none for others."""
        return super().visible_to(employee) if employee.is_administrator else self.none()

    def waiting(self) -> Self:
        """Those that were not accepted, whether still valid or not."""
        return self.filter(accepted_at=None)
