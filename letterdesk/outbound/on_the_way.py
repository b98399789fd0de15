"""Letters that were written at a record and are not out yet, or did not arrive as far as we know."""

from django.db.models import Q

from letterdesk.accounts.models import Employee

from .models import Delivery, State

NOT_OUT = (State.QUEUED, State.SENDING, State.DEFERRED, State.FAILED, State.UNKNOWN)
SHOWN = 20


def on_the_way(about: str, employee: Employee) -> list[Delivery]:
    """Those that the employee may see, what is due first; `about`: where they were written, as events name it.

    Where there is none of anybody, as mostly, no right is asked for.
    """
    waiting = Q(state__in=NOT_OUT) | Q(trouble_at__isnull=False)
    found = Delivery.objects.filter(waiting, account=employee.account_id, about=about)
    return list(found.visible_to(employee).order_by("due_at", "pk")[:SHOWN]) if found.exists() else []
