"""Sign-in, with the employee's account and plan in one query."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from letterdesk.accounts.models import Employee


class EmployeeBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is not typed
    """Signs in as allauth does; a request's employee comes together with account and subscription."""

    def get_user(self, user_id: Any) -> Employee | None:
        """Return the employee of a session; None when dismissed or deleted, or locked out of a closed account."""
        found = Employee.objects.select_related("account__subscription").filter(pk=user_id, is_active=True)
        employee: Employee | None = found.first()
        return None if employee is None or employee.is_locked_out else employee
