"""Team work of the demo company: what is whose in its shared mailbox, what waits, what is closed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db.models import F

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.models import Conversation, Mailbox, Status
from letterdesk.team.verbs import assigning, closing, waiting

from .company import DOMAIN

NEEDED = 24  # conversations


def links(now: datetime) -> list[Callable[[], bool]]:
    """What is to be done when the letters are here: says whether it is done."""
    return [partial(_shared_out, now)]


def _shared_out(now: datetime) -> bool:
    sales = Mailbox.objects.filter(address=f"sales@{DOMAIN}", first_sync_done_at__isnull=False).first()
    lying = Conversation.objects.filter(mailbox=sales, status=Status.OPEN).order_by("-newest_at", "-pk")
    keys = list(lying.values_list("pk", flat=True)[:NEEDED])
    if sales is None or len(keys) < NEEDED:
        return False
    ines, lea = (Employee.objects.get(email=f"{key}@{DOMAIN}") for key in ("ines", "lea"))
    Conversation.objects.filter(pk__in=keys[:8]).update(waiting_since=F("newest_at"))
    wish = Wish("", ines, now)
    act(_chosen(keys[0:1]), assigning(ines, wish))
    act(_chosen(keys[2:4]), assigning(lea, Wish("", lea, now)))
    act(_chosen(keys[4:5]), assigning(Department.objects.get(account=sales.account, name="Sales"), wish))
    act(_chosen(keys[6:8]), assigning(lea, wish))
    act(_chosen(keys[8:11]), waiting(wish))
    act(_chosen(keys[14:NEEDED]), closing(wish))
    return True


def _chosen(keys: list[int]) -> list[Chosen]:
    return [Chosen(key, None) for key in keys]
