"""How long a look at a polled mailbox may take, and the letters of it: large ones get time of their own (R30)."""

import time
from dataclasses import dataclass, field
from datetime import datetime

from letterdesk.mail.imap import Connection

AT_A_TIME = 60.0  # seconds after which a look ends, to go on in its turn
LONGEST = 180.0  # seconds after which the connection is closed, whatever comes;
LONGEST_AFTER_FAILURE = 90.0  # seconds
FOR_AN_ANSWER = 30.0  # seconds of silence
TO_BEGIN = 60.0  # seconds that letters have at least, and
SLOWEST = 64 << 10  # bytes a second that are waited for: 14 minutes for 50 MB


@dataclass(slots=True)
class Patience:
    """Of one look, which began at `now`, at the monotonic clock's `began`."""

    now: datetime
    began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether others have their turn now."""
        return time.monotonic() > self.began + AT_A_TIME

    def wait_for(self, size: int, connection: Connection) -> None:
        """So many bytes are asked for: where less time than they may need is left, the look may take longer."""
        needed = TO_BEGIN + size / SLOWEST
        if connection.lasts < needed:
            connection.end_within(needed)
