"""What is done with is found by its index, whatever else has come, and all of it is forgotten in time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.intake import jobs
from letterdesk.intake.jobs import _to_forget
from letterdesk.intake.models import KEPT, Arrived, State
from tests.rig.world import make_account


@pytest.mark.django_db
def test_what_is_forgotten_is_found_by_an_index():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite takes no partial index for what is given as parameters.")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert "arrived_to_forget" in _to_forget(timezone.now()).explain()


@pytest.mark.django_db(transaction=True)
def test_all_that_is_old_is_forgotten_the_same_day_however_much_it_is(monkeypatch, settings):
    """What nobody wanted is kept for 30 days (P9): a polled mailbox brings more in a day than one run removes."""
    settings.JOBS_URL = "memory://"
    account = make_account()
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    monkeypatch.setattr(jobs, "SWEEP", -1.0)
    old = {"at": timezone.now() - KEPT - timedelta(days=1), "due": timezone.now() - timedelta(days=1)}
    Arrived.objects.bulk_create(
        Arrived(
            account=account, door="mailbox", address="a", blob=str(number), size=1, arrived_at=old["at"],
            due_at=old["due"] + timedelta(minutes=number), state=State.LEFT_OUT,
        )
        for number in range(50)
    )  # fmt: skip

    jobs.forget_old.now()
    assert not Arrived.objects.exists()
