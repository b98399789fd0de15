"""Letters that wait are looked at in turn: one account's many hold up no other's few (D13)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.intake import jobs
from letterdesk.intake.models import Arrived
from tests.rig.world import make_account

pytestmark = pytest.mark.django_db


def test_an_account_with_many_older_letters_lets_another_have_its_turn(monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 4)
    many, few = make_account(), make_account()
    now = timezone.now()
    facts = {"door": "mailbox", "size": 1, "sender": "", "arrived_at": now}
    for number in range(60):
        Arrived.objects.create(
            account=many, address="one", blob=f"{number:064}", due_at=now - timedelta(hours=2), **facts
        )
    late = Arrived.objects.create(account=few, address="two", blob="f" * 64, due_at=now - timedelta(hours=1), **facts)
    jobs.take_waiting.now()
    late.refresh_from_db()
    assert (late.tries, Arrived.objects.filter(tries=1).count()) == (1, 4)
