"""What every test of the sync against a rig server has: a real database, its own blobs, loopback allowed."""

import pytest

from tests.rig.copies import Copy
from tests.rig.world import make_mailbox


@pytest.fixture(autouse=True)
def _ground(transactional_db, allow_loopback, blob_folder):
    """Real transactions, blobs of this test, a guard that admits loopback."""


@pytest.fixture
def connected():
    """`connected(server)` makes a user there and a mailbox of ours; `through=` connects by way of a proxy."""

    def connect(server, *, through=None, **fields) -> Copy:
        user = getattr(server, "user", None) or server.add_user()
        return Copy(server, user, make_mailbox(through or server, user, **fields))

    return connect
