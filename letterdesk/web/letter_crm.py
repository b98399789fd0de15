"""The line that Webmail shows at a letter of which CRM has a copy: at which records it stands (ux.md 1.6, R6)."""

from collections.abc import Sequence

from letterdesk.accounts.models import Employee
from letterdesk.crm.beside import Standing, standings
from letterdesk.mailboxes.reading import ReadLetter


def crm_beside(letters: Sequence[ReadLetter], employee: Employee) -> dict[int, Standing]:
    """Where each of these letters stands in CRM, by letter; no query where none does."""
    return standings([letter.message for letter in letters], employee)
