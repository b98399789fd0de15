"""What an ordinary person can copy into a report: a redacted protocol trace, the last errors, what the server offers.

The trace is recorded on a connection of its own that reads nothing but the list of folders; nobody's name, no
folder's name and no password is in it (hard rules 14, 15).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from letterdesk.events.models import Event
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Trace
from letterdesk.mailboxes.models import Mailbox

from .connections import guard as default_guard
from .connections import sign_in

KEPT_LINES = 300
LAST_ERRORS = 20
PATIENCE = 10.0  # seconds for each answer


@dataclass(frozen=True, slots=True)
class Traced:
    """The lines of a trial connection, and how it ended. `offers`: capabilities after the sign-in, sorted."""

    lines: list[str]
    offers: list[str] = field(default_factory=list)
    error: MailError | None = None


@dataclass(frozen=True, slots=True)
class PastError:
    """When a mailbox began to fail, and by which named error; an empty code: it worked again."""

    at: datetime
    code: str


def trace_of(mailbox: Mailbox, *, guard: Guard | None = None) -> Traced:
    """Sign in, list the folders, look at the inbox, leave; nothing is changed. Never raises MailError."""
    trace, names, offers, error = Trace(KEPT_LINES), [], [], None
    try:
        with sign_in(mailbox, guard or default_guard(), timeout=PATIENCE, trace=trace) as connection:
            offers = sorted(connection.capabilities)
            names = [folder.wire_name for folder in connection.folders()]
            connection.select("INBOX", readonly=True)
            connection.logout()
    except MailError as failure:
        error = failure
    users = (mailbox.imap_user, mailbox.address)
    people = [*users, *(text.partition("@")[0] for text in users)]
    return Traced(redacted(trace.lines(), people=people, folders=names), offers, error)


def redacted(lines: Iterable[str], *, people: Iterable[str], folders: Iterable[str]) -> list[str]:
    """The lines without these users and without these folders, whose names become numbers; INBOX stays."""
    hidden = {text: "‹user›" for text in people if len(text) > 1}
    numbered = enumerate((name for name in folders if name.upper() != "INBOX"), start=1)
    hidden |= {ascii(name)[1:-1]: f"‹folder {number}›" for number, name in numbered if name}
    if not hidden:
        return list(lines)
    longest_first = sorted(hidden, key=len, reverse=True)
    any_of_them = "|".join(map(re.escape, longest_first))
    pattern = re.compile(rf"(?<!\w)(?:{any_of_them})(?!\w)", re.IGNORECASE)
    by_word = {text.casefold(): shown for text, shown in hidden.items()}
    return [pattern.sub(lambda found: by_word[found[0].casefold()], line) for line in lines]


def last_errors(mailbox: Mailbox) -> list[PastError]:
    """The last times that the mailbox began to fail or worked again, newest first."""
    kinds = ("mailbox.failing", "mailbox.recovered")
    told = Event.objects.filter(account=mailbox.account_id, topic=mailbox.topic, kind__in=kinds).order_by("-pk")
    return [PastError(event.at, str(event.facts.get("code", ""))) for event in told[:LAST_ERRORS]]
