"""What waits for letters of the demo: tasks that take them along, deals at which they stand."""

import time
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError

from . import crm, talk, tasks, team

PATIENCE = 300.0  # seconds until the last letter is here
PAUSE = 0.5


def link_when_they_come(now: datetime) -> None:
    """Link each letter when it is here; returns when all are, or after five minutes."""
    missing = [*tasks.links(now), *crm.links(now), *talk.links(now), *team.links(now)]
    end = time.monotonic() + PATIENCE
    while missing and time.monotonic() < end:
        missing = [linked for linked in missing if not _done(linked)]
        time.sleep(PAUSE)


def _done(linked: Callable[[], bool]) -> bool:
    """Not while the sync holds the database."""
    try:
        return linked()
    except OperationalError:
        return False
