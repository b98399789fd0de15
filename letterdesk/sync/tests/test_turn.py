"""A turn of a watched mailbox: what it does beside the pass."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from letterdesk.mailboxes.models import Placement
from letterdesk.sync import claims
from letterdesk.sync.connections import Connections
from letterdesk.sync.models import FolderCursor
from letterdesk.sync.once import sync_once
from letterdesk.sync.turn import Watched, hang_up, take_turn
from tests.rig.boxes import letter
from tests.rig.world import make_mailbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dovecot]


@pytest.fixture
def mailbox(dovecot, allow_loopback, blob_folder):
    user = dovecot.add_user()
    for number in range(3):
        dovecot.deliver(user, letter(number))
    made = make_mailbox(dovecot, user)
    sync_once(made)
    return made


def take_one(mailbox) -> Watched:
    """One turn over all folders."""
    fence = claims.claim("here", limit=5, seconds=30)[mailbox.pk]
    watched, connections = Watched(mailbox.pk, fence), Connections()
    take_turn(watched, connections, 60)
    assert not watched.ended
    hang_up(watched, connections)
    return watched


@pytest.mark.case("A28")
def test_once_a_day_every_folder_is_audited_and_a_letter_that_was_lost_here_comes_back(mailbox):
    with database.cursor() as cursor:  # as if an old letter had never been stored, and the books said it had
        cursor.execute("DELETE FROM mailboxes_placement WHERE uid = 2")
    type(mailbox).objects.update(first_sync_done_at=timezone.now() - timedelta(hours=25))
    take_one(mailbox)
    assert sorted(Placement.objects.values_list("uid", flat=True)) == [1, 2, 3]
    assert not FolderCursor.objects.filter(audited_at=None).exists()


def test_a_mailbox_that_was_audited_today_is_not_audited_again(mailbox):
    type(mailbox).objects.update(first_sync_done_at=timezone.now() - timedelta(hours=25))
    today = timezone.now() - timedelta(hours=2)
    FolderCursor.objects.update(audited_at=today)
    take_one(mailbox)
    assert set(FolderCursor.objects.values_list("audited_at", flat=True)) == {today}
