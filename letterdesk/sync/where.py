"""Where is my mail? A Message-ID, subject or sender goes in; out comes where each match is, and why.

    here(mailbox, sought)          what our own rows say: here, hidden, on its way, in quarantine
    on_server(mailbox, sought)     what the mail server says, asked anew: held, left out by which rule, still to come

The server is asked on a connection of its own, outside of any transaction, and nothing is changed on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from time import monotonic

from django.db.models import Q, QuerySet

from letterdesk.lib.blobs import hash_of
from letterdesk.mail.errors import MailError, ServerSaysNo
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection
from letterdesk.mail.letters import Fetched, Letter
from letterdesk.mail.parse import parse_many
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.attachments import raw
from letterdesk.mailboxes.models import Folder, Mailbox, Message, Placement, Quarantined, Tombstone
from letterdesk.mailboxes.retention.letters import period_of_letter, shown
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Periods, of_mailbox

from .connections import guard as default_guard
from .connections import sign_in
from .models import FolderCursor
from .state import left_out

AT_MOST = 20  # matches of a folder that are told, the newest
LOOKED_INTO = 10  # letters that are not here, of which the server is asked for the head
HEAD = 1 << 20  # bytes of a letter that are taken for its head
SHELF = 50  # quarantined letters whose bytes are looked through


class Fate(Enum):
    """Where a letter is."""

    HERE = "here"
    ON_ITS_WAY = "on its way"  # a move that was made here waits for the server
    PUT_AWAY = "put away"  # the reader has hidden it from themselves alone (R27)
    HIDDEN = "hidden"  # the server says that it is gone; the brake keeps it (P5)
    HELD = "held"  # no longer in any folder; a task holds it (R4, R27)
    BINNED = "binned"  # in the bin with the last of its tasks: what it says is not shown (R29)
    OVER = "over"  # on the server; its period here has ended (R9, R20)
    QUARANTINED = "quarantined"
    TOO_OLD = "too_old"
    REFUSED = "refused"  # deleted here for good: a tombstone keeps it out
    FOLDER_OFF = "folder_off"
    TO_COME = "to_come"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. An empty `kind` looks for all three: "message_id", "subject", "sender"."""

    text: str
    kind: str = ""

    @property
    def headers(self) -> list[str]:
        """The headers that the server is asked about."""
        names = {"message_id": "Message-ID", "subject": "Subject", "sender": "From"}
        if self.kind in names:
            return [names[self.kind]]
        if "@" not in self.text or " " in self.text:
            return ["Subject", "From"]
        return ["Message-ID"] if self.text.startswith("<") else ["Message-ID", "From"]

    @property
    def message_id(self) -> str:
        """As it stands in the header, without the angle brackets."""
        return self.text.strip().removeprefix("<").removesuffix(">")


@dataclass(frozen=True, slots=True)
class Finding:
    """One match. `deleted_at` and `rule` for what was deleted here; `place`: folder, UIDVALIDITY, UID."""

    fate: Fate
    folder: Folder | None = None
    message: Message | None = None
    quarantined: Quarantined | None = None
    subject: str = ""
    sender: str = ""
    at: datetime | None = None
    size: int = 0
    rule: str = ""
    deleted_at: datetime | None = None
    place: tuple[int, int, int] | None = None


@dataclass(slots=True)
class Answer:
    """What the server said. `unasked`: folders for which there was no time or which it refused."""

    periods: Periods
    now: datetime
    findings: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    error: MailError | None = None


def here(mailbox: Mailbox, sought: Sought, *, now: datetime) -> list[Finding]:
    """Matches among our own rows, the newest first."""
    found: list[Finding] = []
    for message in _messages(mailbox, sought, now)[:AT_MOST]:
        told = _of_message(message)
        places = [_place(told, placement) for placement in message.placements.all()]
        found += places or ([replace(told, fate=Fate.HELD)] if message.is_held else [])
    binned = Message.objects.filter(_wanted(sought), mailbox=mailbox, binned_at__isnull=False)
    found += [_binned(message, None) for message in binned.order_by("-received_at")[:AT_MOST]]
    return found + list(_in_quarantine(mailbox, sought))


def _messages(mailbox: Mailbox, sought: Sought, now: datetime) -> QuerySet[Message]:
    matching = Message.objects.filter(_wanted(sought), mailbox=mailbox)
    cutoff = of_mailbox(periods_of(mailbox.account, now).cutoff(now), mailbox.pk)
    letters = shown(matching, cutoff)  # R20, R29
    places = ("placements__folder", "placements__pending_changes__target")
    return letters.select_related("conversation").order_by("-received_at").prefetch_related(*places)


def _wanted(sought: Sought) -> Q:
    wanted = Q()
    headers = sought.headers
    if "Message-ID" in headers:
        wanted |= Q(message_id__iexact=sought.message_id)
    if "Subject" in headers:
        wanted |= Q(subject__icontains=sought.text)
    if "From" in headers:
        wanted |= Q(from_address__icontains=sought.text) | Q(from_name__icontains=sought.text)
    return wanted


def _binned(message: Message, folder: Folder | None, place: tuple[int, int, int] | None = None) -> Finding:
    return Finding(Fate.BINNED, folder=folder, at=message.received_at, deleted_at=message.binned_at, place=place)


def _of_message(message: Message) -> Finding:
    sender = message.from_name or message.from_address
    return Finding(
        Fate.HERE, message=message, subject=message.subject, sender=sender, at=message.received_at, size=message.size
    )


def _place(told: Finding, placement: Placement) -> Finding:
    key = (placement.folder_id, placement.uidvalidity, placement.uid)
    if placement.uid < 0:
        return replace(told, fate=Fate.ON_ITS_WAY, folder=placement.folder, place=key)
    if placement.hidden_at is None:
        return replace(told, folder=placement.folder, place=key)
    moving = any(change.target_id for change in placement.pending_changes.all())
    return replace(told, fate=Fate.ON_ITS_WAY if moving else Fate.HIDDEN, folder=placement.folder, place=key)


def _in_quarantine(mailbox: Mailbox, sought: Sought) -> Iterator[Finding]:
    """Nobody could read them, so their bytes are looked through as they are."""
    wanted = sought.message_id.casefold().encode()
    letters = Quarantined.objects.filter(folder__mailbox=mailbox).exclude(blob="").select_related("folder")
    for letter in letters.order_by("-first_seen_at")[:SHELF]:
        if wanted and wanted in raw(letter)[:HEAD].lower():
            yield _unreadable(letter)


def _unreadable(letter: Quarantined) -> Finding:
    place = (letter.folder_id, letter.uidvalidity, letter.uid)
    return Finding(
        Fate.QUARANTINED, folder=letter.folder, quarantined=letter, at=letter.internal_date, size=letter.size,
        place=place,
    )  # fmt: skip


# The server ---------------------------------------------------------------------------------------------------------


def on_server(
    mailbox: Mailbox,
    sought: Sought,
    *,
    now: datetime,
    guard: Guard | None = None,
    seconds: float = 20,
    timeout: float = 10,
) -> Answer:
    """Ask every folder by UID SEARCH HEADER. `seconds` for all, `timeout` for each answer. Never raises MailError."""
    answer, ends_at = Answer(periods=periods_of(mailbox.account, now), now=now), monotonic() + seconds
    folders = list(mailbox.folders.filter(gone_at=None, is_selectable=True).select_related("cursor"))
    folders.sort(key=lambda folder: (folder.role != "inbox", not folder.is_on, folder.name))
    try:
        with sign_in(mailbox, guard or default_guard(), timeout=timeout) as connection:
            for folder in folders:
                if monotonic() > ends_at:
                    answer.unasked.append(folder.name)
                else:
                    _ask(connection, folder, sought, answer)
            connection.logout()
    except MailError as error:
        answer.error = error
        answer.unasked = [folder.name for folder in folders if folder.name not in answer.asked]
    return answer


def _ask(connection: Connection, folder: Folder, sought: Sought, answer: Answer) -> None:
    try:
        selected = connection.select(folder.wire_name, readonly=True)
        found = UidSet()
        for header in sought.headers:
            found |= connection.find_by(header, sought.message_id if header == "Message-ID" else sought.text)
    except ServerSaysNo:  # this folder alone
        answer.unasked.append(folder.name)
        return
    answer.asked.append(folder.name)
    newest = next(found.newest_first(AT_MOST), UidSet())
    findings = [_fate_of(folder, selected.uidvalidity, uid, answer) for uid in sorted(newest, reverse=True)]
    answer.findings += _looked_into(connection, findings, room=LOOKED_INTO - _unknown(answer.findings))


def _unknown(findings: list[Finding]) -> int:
    return sum(_is_foreign(finding) for finding in findings)


def _is_foreign(finding: Finding) -> bool:
    """Whether only the server knows what it says; what lies in the bin is not looked into (R29)."""
    return finding.message is None and finding.quarantined is None and finding.fate is not Fate.BINNED


def _fate_of(folder: Folder, uidvalidity: int, uid: int, answer: Answer) -> Finding:
    """What the ledger knows about a letter that the server has."""
    place = (folder.pk, uidvalidity, uid)
    key = {"folder": folder, "uidvalidity": uidvalidity, "uid": uid}
    placement = Placement.objects.filter(**key).select_related("message__conversation", "folder").first()
    if placement is not None:
        message = placement.message
        if message.binned_at is not None:
            return _binned(message, folder, place)
        period = period_of_letter(message, answer.now, periods=answer.periods)
        if period.is_over(message.received_at, answer.now) and not message.is_held:  # R20, not yet swept
            leaves_at = period.leaves_at(message.received_at)
            return Finding(Fate.OVER, folder=folder, deleted_at=leaves_at, rule="R9", place=place)
        return _place(_of_message(message), placement)
    if (letter := Quarantined.objects.filter(**key).select_related("folder").first()) is not None:
        return _unreadable(letter)
    cursor: FolderCursor | None = getattr(folder, "cursor", None)
    if cursor is not None and cursor.uidvalidity == uidvalidity:
        for reason, uids in left_out(cursor).items():
            if uid in uids:
                return Finding(Fate(reason), folder=folder, place=place)
    return Finding(Fate.TO_COME if folder.is_on else Fate.FOLDER_OFF, folder=folder, place=place)


def _looked_into(connection: Connection, findings: list[Finding], *, room: int) -> list[Finding]:
    """Add what the letters say that are not here, and when those were deleted that were: from their bytes."""
    foreign = [finding for finding in findings if _is_foreign(finding)]
    wanted = UidSet(finding.place[2] for finding in foreign[: max(room, 0)] if finding.place)
    fetched = [item for batch in connection.letters(wanted, max_size=HEAD) for item in batch] if wanted else []
    letters = {item.uid: item for item in fetched if isinstance(item, Fetched)}
    return [
        _told(finding, letters[finding.place[2]])
        if finding.place and finding.message is None and finding.place[2] in letters
        else finding
        for finding in findings
    ]


def _told(finding: Finding, item: Fetched) -> Finding:
    [letter] = parse_many([item.raw])
    told = replace(finding, at=item.internal_date, size=len(item.raw))
    if isinstance(letter, Letter):
        sender = (letter.sender.name or letter.sender.address) if letter.sender else ""
        told = replace(told, subject=letter.subject, sender=sender)
    if finding.fate is not Fate.REFUSED or finding.folder is None:
        return told
    stone = Tombstone.objects.filter(mailbox=finding.folder.mailbox_id, blob=hash_of(item.raw)).first()
    return replace(told, rule=stone.rule, deleted_at=stone.created_at) if stone else told
