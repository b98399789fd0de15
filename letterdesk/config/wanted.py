"""Who says whether a letter is still wanted, by what it is about. The only page where it says so."""

from letterdesk.outbound.wanted import Ask
from letterdesk.tasks.guest_reach import takes_part

WANTED: dict[str, Ask] = {"guest": takes_part}
