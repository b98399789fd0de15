"""Who looks at a polled mailbox, and whether that look is still the one that counts (R30)."""

from dataclasses import dataclass

from .models import PolledMailbox, PolledState


@dataclass(slots=True)
class Looked:
    """What a look brought: how many letters were new, and whether there are more."""

    letters: int = 0
    is_whole: bool = True


class NotOurs(Exception):
    """The mailbox was paused or disconnected meanwhile, or another look is ahead of this one."""


def held(mailbox: PolledMailbox) -> PolledMailbox:
    """The mailbox, locked, as long as it is to be read. Inside the caller's transaction. Raises NotOurs."""
    found = PolledMailbox.objects.select_for_update(no_key=True).filter(pk=mailbox.pk, state=PolledState.CONNECTED)
    row: PolledMailbox | None = found.first()
    if row is None:
        raise NotOurs
    return row
