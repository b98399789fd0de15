"""An operator switches off what links in an account's tracked letters lead to: at once, for ever or until on again.

They lead over this installation, so whoever runs it answers for where they lead. It holds whatever the account deletes,
and after its purge: an address names its account, and the account's row stays (decision 0036).
"""

from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Account
from letterdesk.events.record import record

from .models import TrackedLetter


@transaction.atomic
def switch_links(account: Account, *, off: bool, operator: str, now: datetime) -> bool:
    """Links of its letters lead nowhere from now on, or where they led again. `operator` names who says so.

    Nothing of it is counted meanwhile, and what it writes leaves as it was written. Returns whether it is news.
    """
    here = Account.objects.filter(pk=account.pk, links_off_at__isnull=off)
    if here.update(links_off_at=now if off else None) != 1:
        return False
    record("links.switched", account=account, is_on=int(not off), operator=operator)
    return True


def is_off(letter: TrackedLetter | None, account_id: str) -> bool:
    """Whether a link leads nowhere: of this letter, which may be forgotten, or of the account of this public id."""
    if letter is not None:
        return letter.account.links_off_at is not None
    return bool(account_id) and Account.objects.filter(public_id=account_id, links_off_at__isnull=False).exists()
