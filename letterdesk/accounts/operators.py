"""Who runs the installation: given and taken by command line alone, no role of an account, and on record there."""

from django.db import transaction

from .history import tell
from .models import Employee


class NotAtWork(ValueError):
    """Only somebody who can sign in can be an operator."""

    def __init__(self) -> None:
        super().__init__("This person was dismissed.")


@transaction.atomic
def appoint(person: Employee, *, is_operator: bool) -> None:
    """Make the person an operator, or end that. Raises NotAtWork."""
    if not Employee.objects.filter(pk=person.pk, is_active=True).update(is_operator=is_operator):
        raise NotAtWork
    kind = "operator.granted" if is_operator else "operator.revoked"
    tell(kind, account=person.account, subject=f"employee:{person.public_id}")
