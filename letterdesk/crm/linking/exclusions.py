"""Addresses that CRM never saves by itself: one address, a whole domain ("@example.com"), or a pattern with *."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.mail.addresses import MOST_IN_ADDRESS, address_key

from ..models import Exclusion

MOST = 2_000


class BadPattern(ValueError):
    """This excludes nothing, or everything; the text says so, in words for people."""


class Exclusions:
    """The list of an account, for many addresses."""

    def __init__(self, patterns: Iterable[str]) -> None:
        whole = set(patterns)
        self._starred = [pattern.split("*") for pattern in whole if "*" in pattern]
        self._plain = whole

    def has(self, address: str) -> bool:
        """Whether this folded address is excluded."""
        domain = f"@{address.rpartition('@')[2]}"
        return not self._plain.isdisjoint({address, domain}) or any(_fits(parts, address) for parts in self._starred)


def _fits(parts: list[str], address: str) -> bool:
    """Whether an address is these parts with anything between them; in one pass, whatever the pattern."""
    first, *middle, last = parts
    if not address.startswith(first) or not address.endswith(last) or len(address) < len(first) + len(last):
        return False
    place, end = len(first), len(address) - len(last)
    for part in middle:
        found = address.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


@transaction.atomic
def exclude(pattern: str, *, by: Employee, now: datetime, comment: str = "") -> Exclusion:
    """Never save this address, domain or pattern by itself from now on; twice is once. Raises BadPattern."""
    made, is_new = Exclusion.objects.get_or_create(
        account=by.account,
        pattern=_checked(pattern, by),
        defaults={"comment": comment.strip()[:300], "by": by, "at": now},
    )
    if is_new:
        tell("exclusion.added", account=by.account, by=by, subject=f"exclusion:{made.public_id}")
    return made


@transaction.atomic
def allow(exclusion: Exclusion, *, by: Employee) -> None:
    """Take it off the list."""
    if Exclusion.objects.filter(pk=exclusion.pk).delete()[0]:
        tell("exclusion.removed", account=by.account, by=by, subject=f"exclusion:{exclusion.public_id}")


def of_account(account_id: int) -> Exclusions:
    """The account's list."""
    return Exclusions(Exclusion.objects.filter(account=account_id).values_list("pattern", flat=True))


def _checked(pattern: str, by: Employee) -> str:
    folded = address_key(pattern)
    said = folded.replace("*", "").replace("@", "").replace(".", "")
    if "@" not in folded and "*" not in folded:
        folded = f"@{folded}"  # a bare domain
    is_word = not {"@", "*", "."}.intersection(pattern)  # a name, not a domain
    is_long = len(folded) > MOST_IN_ADDRESS or len(pattern.split()) > 1
    if len(said) < 2 or folded.count("@") > 1 or folded.count("*") > 10 or is_word or is_long:
        raise BadPattern(_("Write an address, a domain such as @example.com, or a pattern such as *@news.example.com."))
    if Exclusion.objects.filter(account=by.account).count() >= MOST:
        raise BadPattern(_("The list holds %(most)d entries at most.") % {"most": MOST})
    return folded
