"""What happened since: the source of live pages."""

from collections.abc import Collection
from datetime import datetime, timedelta

from .models import Event

AT_MOST = 500
OVERTAKING = timedelta(seconds=60)


def latest_id() -> int:
    """The number of the newest event; 0 where nothing happened yet."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def since(after_id: int, topics: Collection[str]) -> list[Event]:
    """The events after that number on these topics, oldest first, at most 500.

    On PostgreSQL a transaction that took its number earlier may commit later: use `Feed`, which does not lose it.
    """
    return list(Event.objects.filter(id__gt=after_id, topic__in=topics).order_by("id")[:AT_MOST])


class Feed:
    """A reader of live events that tells each one once, also those that were committed out of their order.

    It looks again at the numbers of the last minute, and leaves out what it has told already.
    """

    def __init__(self, topics: Collection[str], *, now: datetime, after_id: int | None = None) -> None:
        """Begin after that event (the browser's Last-Event-ID), or with what comes next."""
        self.topics = topics
        self._floor = latest_id() if after_id is None else after_id
        recent = Event.objects.filter(id__lte=self._floor, at__gte=now - OVERTAKING, topic__in=topics)
        self._told: dict[int, datetime] = dict(recent.order_by("id").values_list("id", "at"))
        if self._told:
            self._floor = min(self._told) - 1

    def news(self, now: datetime) -> list[Event]:
        """The events that were not told yet, oldest first, at most 500 at once."""
        waiting = Event.objects.filter(id__gt=self._floor, topic__in=self.topics).exclude(id__in=list(self._told))
        fresh = list(waiting.order_by("id")[:AT_MOST])
        self._told.update((event.pk, event.at) for event in fresh)
        self._settle(now)
        return fresh

    def _settle(self, now: datetime) -> None:
        """Forget what is older than a minute: nothing before it can still be on its way."""
        settled = [pk for pk, at in self._told.items() if at < now - OVERTAKING]
        self._floor = max([self._floor, *settled])
        self._told = {pk: at for pk, at in self._told.items() if pk > self._floor}
