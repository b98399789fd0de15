"""The folders of a polled mailbox as its server lists them; which are read, a person chooses (R30)."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from letterdesk.events.record import record as tell
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.imap import RemoteFolder, Status

from ..models import PolledFolder, PolledMailbox
from .claim import held

READ = ("inbox", "sent")  # by themselves
NEVER = ("drafts", "trash", "spam", "all")  # nobody's letters to clients, or all of them a second time
MOST = 1_000
REFUSED_TOLD = 5  # times in a row that the server says NO to a folder, until administrators are told


def bring_folders(
    mailbox: PolledMailbox, remote: Sequence[RemoteFolder], *, begins: Mapping[str, Status] | None = None
) -> None:
    """Enter what the server lists. `begins`: how far each folder goes when the mailbox is connected; without it, a
    folder is read from its beginning, as far as its letters are new enough. Inside the caller's transaction.
    """
    known = {each.wire_name: each for each in PolledFolder.objects.filter(mailbox=mailbox)}
    listed = [each for each in remote if each.selectable and each.role not in NEVER][:MOST]
    for each in listed:
        status = (begins or {}).get(each.wire_name)
        there = known.pop(each.wire_name, None)
        if there is None:
            _enter(mailbox, each, status)
        elif (there.name, there.role, there.is_there) != (each.name, each.role, True):
            there.name, there.role, there.is_there = each.name, each.role, True
            there.save(update_fields=["name", "role", "is_there"])
    gone = [each for each in known.values() if each.is_there]
    PolledFolder.objects.filter(pk__in=[each.pk for each in gone]).update(is_there=False)
    roles = {each.role for each in listed if each.role}
    if any(each.is_on and each.role not in roles for each in gone):  # renamed perhaps: a person chooses the new one
        tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code="folder_gone")


def note_answers(mailbox: PolledMailbox, answers: Mapping[PolledFolder, ServerSaysNo | None]) -> None:
    """What the server said to reading these folders, and None of those that were read, is noted; administrators hear
    of one that is refused again and again. Raises NotOurs.
    """
    changed = {folder: error for folder, error in answers.items() if error or folder.refused}
    if not changed:
        return
    with transaction.atomic():
        held(mailbox)
        for folder, error in changed.items():
            was, text = folder.refused, error.detail[:500] if error else ""
            now = was + 1 if error else 0
            PolledFolder.objects.filter(pk=folder.pk).update(refused=now, refused_text=text)
            if now == REFUSED_TOLD:
                tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code="folder_refused")
            elif not error and was >= REFUSED_TOLD:
                tell("polled.recovered", account=mailbox.account, subject=mailbox.reference)


def _enter(mailbox: PolledMailbox, remote: RemoteFolder, status: Status | None) -> None:
    is_told = status is not None and status.uidvalidity is not None and status.uidnext is not None
    before = (status.uidnext or 1) - 1 if status is not None and is_told else 0
    PolledFolder.objects.create(
        account_id=mailbox.account_id,
        mailbox=mailbox,
        name=remote.name,
        wire_name=remote.wire_name,
        role=remote.role,
        is_on=remote.role in READ,
        uidvalidity=status.uidvalidity if status is not None and is_told else None,
        begins_after=before if is_told else None,
        read_to=0 if mailbox.older_since else before,
    )
