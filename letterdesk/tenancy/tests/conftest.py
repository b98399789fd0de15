"""The company of the pages' tests, with one of everything in it, and another beside it."""

import pytest

from letterdesk.accounts.models import Role
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.web.tests.conftest import (  # noqa: F401  fixtures
    account,
    archive,
    blobs_folder,
    browser,
    deliver,
    inbox,
    ines,
    jonas,
    mailbox,
    now,
    people,
    sign_in,
    sold_plans,
    stranger,
    things,
    trash,
)


@pytest.fixture
def boss(people):  # noqa: F811
    return people["administrator"]


@pytest.fixture
def operator(stranger):  # noqa: F811
    """Runs the installation; works in another account."""
    person = employ(stranger.account, "Olga", Role.EMPLOYEE)
    person.is_operator = True
    person.save(update_fields=["is_operator"])
    return person
