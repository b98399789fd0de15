"""The store's small company, with people of every kind around a task."""

import pytest

from letterdesk.accounts.models import Department, Role
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.conftest import (  # noqa: F401  fixtures
    account,
    blobs_folder,
    employ,
    inbox,
    ines,
    jonas,
    mailbox,
    now,
    sold_plans,
    stranger,
)
from letterdesk.tasks.create import create


@pytest.fixture
def administrator(account):  # noqa: F811
    return employ(account, "Maria", Role.ADMINISTRATOR)


@pytest.fixture
def supervisor(account, ines):  # noqa: F811
    """Of the department in which Ines works."""
    department = Department.objects.create(account=account, name="Sales")
    ines.department = department
    ines.save(update_fields=["department"])
    return employ(account, "Sam", Role.SUPERVISOR, department=department)


@pytest.fixture
def make(ines, now):  # noqa: F811
    """Make a task of Ines with letters."""

    def made(*letters, title="Renew contract", by=ines, **fields):
        return create(title, by=by, now=now, letters=letters, **fields)

    return made


def there(letter):
    return Message.objects.filter(pk=letter.pk).exists()
