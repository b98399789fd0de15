"""A mailbox gets readers at the moment in which a draft of its owner is put among the server's drafts (R16, R26)."""

from datetime import timedelta

import pytest
from django.db import transaction

from letterdesk.mailboxes.share import grant
from letterdesk.outbound import drafts
from letterdesk.outbound.keep_copies import keep_copy, make_room_for_readers
from letterdesk.outbound.models import DraftCopy
from tests.rig.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 8


def test_whichever_is_first_no_private_draft_is_left_where_others_read(mailbox, ines, jonas, now):
    """The copy is made beside the grant: it is not made, or it is withdrawn in the grant's own transaction."""
    later = now + timedelta(minutes=5)

    @transaction.atomic
    def share():
        grant(mailbox, to=jonas, by=ines, now=later)
        make_room_for_readers(mailbox, now=later)

    for _ in range(TIMES):
        draft = drafts.start(mailbox, by=ines, now=now, to=[("", "bo@client.example")], subject="Private")
        draft = drafts.save(draft, by=ines, seen=1, now=now, body_text="Between us")
        _shared, made = at_once([share, lambda draft=draft: keep_copy(draft, now=later)])
        assert not DraftCopy.objects.filter(draft=draft).exists()
        assert DraftCopy.objects.count() == made
        DraftCopy.objects.all().delete()
        mailbox.grants.all().delete()
