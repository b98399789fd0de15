"""What is done with is found by its index, whatever else has come."""

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.intake.jobs import _to_forget


@pytest.mark.django_db
def test_what_is_forgotten_is_found_by_an_index():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite takes no partial index for what is given as parameters.")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert "arrived_to_forget" in _to_forget(timezone.now()).explain()
