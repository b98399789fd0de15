"""That an employee looks at a conversation, so that the page can say the next time what came since."""

from datetime import datetime

from letterdesk.accounts.models import Employee

from .models import Conversation, Look


def look(conversation: Conversation, *, by: Employee, now: datetime) -> None:
    """Remember that they look at it now; `reading.find_conversation` tells when they did before."""
    row = Look(account_id=by.account_id, employee=by, conversation=conversation, at=now)
    Look.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["conversation", "employee"], update_fields=["at"]
    )
