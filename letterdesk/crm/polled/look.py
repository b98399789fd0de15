"""Looks at a mailbox polled for CRM alone, and keeps what is new, before it is understood (R30).

The server is asked to list, to open folders for reading (EXAMINE) and to hand out letters without marking them
(BODY.PEEK): nothing there changes, not even what is recent. Bytes are on disk before the transaction that enters the
letters and what tells them apart, and only then it is noted how far the folder was read (`read.py`): a crash
at any point is made good by the next look.
"""

from datetime import datetime

from django.db import transaction

from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, RemoteFolder
from letterdesk.sync.connections import sign_in

from ..models import PolledFolder, PolledMailbox
from .claim import Looked, NotOurs, PutAside, held
from .folders import bring_folders, note_answers, readable
from .keep import DOOR
from .patience import FOR_AN_ANSWER, LONGEST, LONGEST_AFTER_FAILURE, Patience
from .read import FolderRead
from .renamed import Renamed, find_renamed

__all__ = ["DOOR", "Looked", "NotOurs", "PutAside", "look"]


def look(mailbox: PolledMailbox, *, guard: Guard, now: datetime) -> Looked:
    """Read what is new in its folders. Never inside a transaction. Raises MailError, NotOurs, PutAside."""
    patience = Patience(now)
    found = Looked()
    within = LONGEST_AFTER_FAILURE if mailbox.failures else LONGEST
    with sign_in(mailbox, guard, timeout=FOR_AN_ANSWER, within=within) as connection:
        listed, renamed = _list(mailbox, connection)
        with transaction.atomic():
            bring_folders(held(mailbox), listed, renamed=renamed)
        note_answers(mailbox, _read_folders(mailbox, connection, patience, found))
        connection.logout()
    return found


def _list(mailbox: PolledMailbox, connection: Connection) -> tuple[list[RemoteFolder], Renamed]:
    """What folders there are, and which have another name. One that is missing is asked for again before that is
    believed (hard rule 4).
    """
    known = list(PolledFolder.objects.filter(mailbox=mailbox))
    listed = connection.folders()
    renamed = _renamed(mailbox, listed, known, connection)
    read = {each.wire_name for each in known if each.is_on and each.is_there and each.pk not in renamed.names}
    if read - {each.wire_name for each in listed}:
        listed = list({each.wire_name: each for each in (*listed, *connection.folders())}.values())
        renamed = _renamed(mailbox, listed, known, connection)
    return listed, renamed


def _renamed(
    mailbox: PolledMailbox, listed: list[RemoteFolder], known: list[PolledFolder], connection: Connection
) -> Renamed:
    names = {each.wire_name for each in listed}
    is_lost = any(each.is_on and each.is_there and each.wire_name not in names for each in known)
    # It may have any of the names, also one of those that are not offered.
    among = readable(listed, known, most=len(listed)) if is_lost else readable(listed, known)
    return find_renamed(mailbox, [each.wire_name for each in among], connection)


def _read_folders(
    mailbox: PolledMailbox, connection: Connection, patience: Patience, found: Looked
) -> dict[PolledFolder, ServerSaysNo | None]:
    """One after the other, as far as time allows. To which of them the server said NO: the others are read all the
    same, but where it says so to each the last NO is raised.
    """
    answers: dict[PolledFolder, ServerSaysNo | None] = {}
    folders = PolledFolder.objects.filter(mailbox=mailbox, is_on=True, is_there=True)
    # Sent ones first: a letter that we wrote to ourselves as well is one that we wrote.
    for folder in sorted(folders, key=lambda each: (each.role != "sent", each.role != "inbox", each.pk)):
        answers[folder] = None
        try:
            FolderRead(mailbox, folder, connection, patience, found).read()
        except ServerSaysNo as error:
            answers[folder] = last = error
        if not found.is_whole:
            break
    if answers and all(answers.values()):
        raise last
    return answers
