"""`letterdesk task …`: the list, and the bin with what it takes along (R29)."""

import pytest
from django.utils import timezone

from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.letters import letter
from letterdesk.tasks.tests.conftest import (  # noqa: F401  fixtures
    account,
    blobs_folder,
    inbox,
    ines,
    jonas,
    mailbox,
    make,
    now,
    sold_plans,
)

from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task(inbox, make):  # noqa: F811
    return make(letter(inbox, received_at=timezone.now()))


def test_the_list_is_what_the_employee_may_see(task, ines, jonas):  # noqa: F811
    [row] = run("task", "list", "--of", ines.email)
    assert (row["number"], row["title"], row["letters"]) == (1, "Renew contract", 1)
    assert run("task", "list", "--of", jonas.email, "--view", "all") == []
    assert run("task", "list", "--of", ines.email, "--view", "nonsense", fails=True)["error"] == "not_valid"


def test_the_preview_changes_nothing_and_says_what_the_deletion_does(task, ines):  # noqa: F811
    whose = ("--by", ines.email)
    told = {"task": 1, "letters": 1, "staying": 0}
    assert run("task", "delete", 1, *whose, "--preview") == told | {"done": False}
    assert len(run("task", "list", "--of", ines.email)) == 1
    assert run("task", "delete", 1, *whose) == told | {"done": True}
    assert run("task", "list", "--of", ines.email) == []
    assert len(run("task", "list", "--of", ines.email, "--view", "bin")) == 1
    assert run("task", "restore", 1, *whose) == {"task": 1, "letters": 1}


def test_only_what_lies_in_the_bin_is_purged_by_who_may_delete_it(task, ines, jonas):  # noqa: F811
    assert run("task", "purge", 1, "--by", ines.email, fails=True)["error"] == "not_in_bin"
    run("task", "delete", 1, "--by", ines.email)
    assert run("task", "purge", 1, "--by", jonas.email, fails=True)["error"] == "no_such_task"
    assert Message.objects.count() == 1
    assert run("task", "purge", 1, "--by", ines.email) == {"task": 1, "letters": 1}
    assert Message.objects.count() == 0
