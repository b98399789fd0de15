"""What a page knows of the account that comes with its request, without a query: what waits for an administrator."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from letterdesk.accounts.close import purges_at
from letterdesk.accounts.models import Employee
from letterdesk.web.templatetags.letterdesk import long_time


@dataclass(frozen=True)
class AccountNotice:
    """What the banner says. `action` is the text of a link to `address`."""

    text: str
    action: str
    address: str


def account_notice(request: HttpRequest) -> dict[str, AccountNotice | None]:
    """Return `account_notice` for the shell; None: nothing waits, or not for this person."""
    user = getattr(request, "user", None)
    return {"account_notice": _of(user) if isinstance(user, Employee) and user.is_administrator else None}


def _of(administrator: Employee) -> AccountNotice | None:
    purged = purges_at(administrator.account)
    if purged is not None:
        words = _("This company is deleted on %(day)s. Everybody but its administrators is locked out.")
        return AccountNotice(words % {"day": long_time(purged)}, _("Take it back"), reverse("company"))
    until = administrator.account.left_behind_until
    if until is None:
        return None
    words = _("Mailboxes of somebody who left are removed here from %(day)s on, unless they are handed over.")
    return AccountNotice(words % {"day": long_time(until)}, _("See whose"), reverse("people"))
