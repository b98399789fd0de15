"""Which letter a worker takes next: the one that has waited longest, and that nobody else has (E09, E10).

Each is taken alone, when its worker is ready for it, so that its lease begins then, and whoever dies holds one letter
up. Workers that ask at the same moment do not wait for each other: PostgreSQL leaves out the rows that another one is
just taking, SQLite lets one transaction write at a time.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, Exists, F, OuterRef
from django.db.models.expressions import RawSQL

from letterdesk.accounts.models import Account

from .models import Delivery, Phase, State

LEASE = timedelta(minutes=15)  # longer than the wait after the final dot
# With the states as parameters SQLite does not see that the index of what is to be sent serves, and reads every letter.
IN_TURN = RawSQL("outbound_delivery.state IN ('queued', 'deferred')", (), output_field=BooleanField())
WITH = ("account", "mailbox__account", "verified_sender", "by", "reservation", "draft")


def claim_next(now: datetime) -> Delivery | None:
    """The next letter that is due, with its fence raised and its lease from `now` on; None: none is free.

    Letters of a closed account wait: they go when its deletion is taken back, and are purged otherwise.
    """
    closed = Account.objects.filter(pk=OuterRef("account"), closed_at__isnull=False)
    due = Delivery.objects.filter(IN_TURN, ~Exists(closed), next_at__lte=now)
    free = due.order_by("next_at", "pk").select_for_update(skip_locked=True, no_key=True)
    with transaction.atomic():
        pk = free.values_list("pk", flat=True).first()
        if pk is None:
            return None
        Delivery.objects.filter(pk=pk).update(
            state=State.SENDING, phase=Phase.CONNECTING, fence=F("fence") + 1, attempts=F("attempts") + 1,
            leased_until=now + LEASE,
        )  # fmt: skip
    taken: Delivery = Delivery.objects.select_related(*WITH).get(pk=pk)
    return taken
