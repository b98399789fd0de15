"""A mailbox of ours and an invented server, side by side."""

import pytest

from tests.rig.copies import Copy
from tests.rig.liar import Liar
from tests.rig.world import make_mailbox


@pytest.fixture
def server(invent):
    """An invented server with INBOX, Sent and Trash, all empty."""
    return invent(Liar)


@pytest.fixture
def copy(transactional_db, allow_loopback, blob_folder, server):
    """A mailbox that points at the server and was never synced."""
    return Copy(server, server.user, make_mailbox(server, server.user))
