"""What the search page shows of CRM: records, and letters that stand there, beside or instead of conversations."""

from datetime import datetime
from functools import partial
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Kind
from letterdesk.crm.search.at import letters_at
from letterdesk.crm.search.letters import MOST_LOOKED_AT, FoundLetters, find_letters
from letterdesk.crm.search.parts import Asked
from letterdesk.crm.search.records import FoundRecords, find_records
from letterdesk.mailboxes.retention.periods import Kept
from letterdesk.mailboxes.search.find import Told
from letterdesk.mailboxes.search.query import Node
from letterdesk.team.search import said_in
from letterdesk.web.crm.words import BY_KIND

BESIDE = 3  # of each above the conversations
LOOKED_AT_BESIDE = 5_000  # letters, before the page of CRM alone is pointed to


def told_to(employee: Employee) -> Told:
    """What the operators mean to this reader that ask for what other rooms know of a letter."""
    at = {str(kind): partial(letters_at, employee, str(kind)) for kind in Kind.values}
    return {"comment": partial(said_in, employee), **at}


def crm_beside(employee: Employee, tree: Node | None, *, now: datetime, period: Kept) -> dict[str, Any]:
    """What stands above conversations: a few of each, and of letters not those that stand among these anyway."""
    records = find_records(employee, tree, most=BESIDE)
    letters = find_letters(
        employee, tree, now=now, most=BESIDE, without_mail=True, period=period, look_at=LOOKED_AT_BESIDE
    )
    looked_at = LOOKED_AT_BESIDE if letters.is_cut else 0
    return {**_shown(records, letters), "crm_goes_on": records.more or letters.more, "crm_looked_at": looked_at}


def crm_page(employee: Employee, tree: Node | None, *, now: datetime, most: int, offset: int) -> dict[str, Any]:
    """A page of records and of letters in CRM that fit, and what is not among them."""
    records = find_records(employee, tree, most=most, offset=offset)
    letters = find_letters(
        employee, tree, now=now, most=most, offset=offset, without_mail=False, look_at=MOST_LOOKED_AT
    )
    left_out = records.asked.is_less or letters.asked.is_less
    return {
        **_shown(records, letters),
        "crm_goes_on": records.more or letters.more,
        "crm_looked_at": MOST_LOOKED_AT if letters.is_cut else 0,
        "crm_lacks": _lacking(records.asked, letters.asked) if left_out else "",
    }


def crm_count(employee: Employee, tree: Node | None, *, now: datetime, most: int) -> tuple[int, bool]:
    """How many records and letters in CRM fit at least, of each at most so many, and whether there may be more."""
    records = find_records(employee, tree, most=most)
    letters = find_letters(employee, tree, now=now, most=most, without_mail=False, look_at=LOOKED_AT_BESIDE)
    return len(records.records) + len(letters.letters), records.more or letters.more or letters.is_cut


def _lacking(records: Asked, letters: Asked) -> str:
    """Of which nothing can be found, because the search asks for what they do not have; "some": of a part of it."""
    if records.tree is None:
        return "all" if letters.tree is None else "records"
    return "letters" if letters.tree is None else "some"


def _shown(records: FoundRecords, letters: FoundLetters) -> dict[str, Any]:
    return {
        "crm_records": [{"found": each, "icon": BY_KIND[each.record.kind].icon} for each in records.records],
        "crm_letters": letters.letters,
    }
