"""A small company with one connected mailbox, and a stranger of another account."""

from datetime import UTC, datetime

import pytest

from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.config import environment
from letterdesk.lib import crashpoint
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox
from letterdesk.plans.models import Subscription

from .letters import folder_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def blobs_folder(settings, tmp_path):
    """Bytes lie in the test's own folder."""
    settings.STORAGES = settings.STORAGES | {"blobs": environment.blobs(f"file://{tmp_path}/blobs")}
    yield tmp_path / "blobs"
    crashpoint.disarm()


@pytest.fixture
def now():
    return NOW


def open_account_on(plan, name="Acme", **subscription):
    """An account on a plan of the catalogue, without the ceremony of opening one."""
    account = Account.objects.create(name=name, time_zone="Europe/Berlin")
    Subscription.objects.create(account=account, plan=plan, **subscription)
    return account


@pytest.fixture
def sold_plans(settings):
    """The catalogue with limits, instead of the self-hosted one without."""
    settings.CATALOGUE = "commercial"


@pytest.fixture
def account(db, sold_plans):
    return open_account_on("standard")


def employ(account, name, role=Role.EMPLOYEE, **fields):
    """A person of the account; the address follows from name and account."""
    return Employee.objects.create_user(
        f"{name.lower()}@account{account.pk}.example", account=account, name=name, role=role, **fields
    )


@pytest.fixture
def ines(account):
    """Owner of the mailbox."""
    return employ(account, "Ines")


@pytest.fixture
def jonas(account):
    """A team-mate without any grant."""
    return employ(account, "Jonas")


@pytest.fixture
def stranger(db, sold_plans):
    """Somebody of another account, an administrator there."""
    return employ(open_account_on("standard", name="Other"), "Stranger", Role.ADMINISTRATOR)


@pytest.fixture
def mailbox(account, ines):
    return Mailbox.objects.create(
        account=account,
        owner=ines,
        address="ines@acme.example",
        name="Ines",
        imap_host="imap.acme.example",
        imap_user="ines@acme.example",
        secret={"password": "correct horse"},
    )


@pytest.fixture
def inbox(mailbox):
    return Folder.objects.create(
        account=mailbox.account,
        mailbox=mailbox,
        name="INBOX",
        wire_name="INBOX",
        delimiter="/",
        role=FolderRole.INBOX,
        uidvalidity=1,
    )


@pytest.fixture
def archive(mailbox):
    return folder_of(mailbox, "Archive", FolderRole.ARCHIVE)


@pytest.fixture
def trash(mailbox):
    return folder_of(mailbox, "Trash", FolderRole.TRASH)
