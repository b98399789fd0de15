"""What the search page shows of CRM: records, and letters that stand there, beside or instead of conversations."""

from datetime import datetime
from functools import partial
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Kind
from letterdesk.crm.search import find_letters, find_records, letters_at
from letterdesk.mailboxes.periods import Kept
from letterdesk.mailboxes.search_find import Told
from letterdesk.mailboxes.search_query import Node
from letterdesk.team.search import said_in
from letterdesk.web.crm_words import BY_KIND

BESIDE = 3  # of each above the conversations


def told_to(employee: Employee) -> Told:
    """What the operators mean to this reader that ask for what other rooms know of a letter."""
    at = {str(kind): partial(letters_at, employee, str(kind)) for kind in Kind.values}
    return {"comment": partial(said_in, employee), **at}


def crm_found(
    employee: Employee, tree: Node | None, *, now: datetime, period: Kept, most: int = BESIDE, is_beside: bool = False
) -> dict[str, Any]:
    """Records and letters in CRM that fit; beside conversations not the letters that stand among these anyway."""
    records = find_records(employee, tree, most=most)
    letters = find_letters(employee, tree, now=now, most=most, without_mail=is_beside, period=period)
    return {
        "crm_records": [{"found": each, "icon": BY_KIND[each.record.kind].icon} for each in records],
        "crm_letters": letters,
    }
