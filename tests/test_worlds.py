"""Whatever happens in whatever order: what is here, shown, and gone is what the rules say (R4, R9–R12, R18–R20, R29).

WORLDS=100000 make worlds      # CI lives through some hundreds; SEED= repeats one database of them
"""

import math
import os
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rig.worlds import Worlds

pytestmark = [pytest.mark.django_db, pytest.mark.case("F06")]
WORLDS, SEED = int(os.environ.get("WORLDS", "500")), int(os.environ.get("SEED", "1"))
SHAPE = {"companies": 4, "mailboxes": 10, "conversations": 25}
SIZE = math.prod(SHAPE.values())


def live(chance, *, steps, acts, **shape):
    """Go through these worlds and leave the database as it was."""
    with transaction.atomic():
        Worlds(chance, **shape).live(steps, acts=acts)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def sold_plans(settings):
    settings.CATALOGUE = "commercial"


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_a_small_world_is_what_the_model_says(chance):  # Hypothesis makes a failing one smaller
    live(chance, companies=1, mailboxes=2, conversations=1, steps=4, acts=4)


@pytest.mark.parametrize("seed", range(SEED, SEED + -(-WORLDS // SIZE)))
def test_many_worlds_are_what_the_model_says(seed):
    live(Random(seed), steps=5, acts=50, **SHAPE)
