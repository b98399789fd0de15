"""What other programs did in the server's folder of drafts: one edited there comes back, one begun there is taken up.

Of two texts none is lost: where only the server's changed, it becomes ours; where both did, both are kept, as two
drafts. A copy that another program removed takes nothing away here; the writer is told.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.turns import in_turn
from letterdesk.mail.compose import is_id
from letterdesk.mail.errors import MailError
from letterdesk.mail.parse import parse_letter, read_body
from letterdesk.mail.same_letter import says_the_same
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.models import FolderRole, Mailbox, Message, PendingChange, Placement

from . import files
from .drafts import BadDraft, NotYours, OnItsWay, begin, lock, people, restore, touch, write
from .keep_copies import said_by
from .models import Draft, DraftCopy, Kind

MOST = 1000
CANNOT_READ = (MailError, blobs.BlobMissing, blobs.BlobDamaged, BadDraft, OSError, collect.StaleBatch, NotYours)


class Step(Enum):
    """What a letter in the folder means for the draft whose copy has its Message-ID."""

    OURS = auto()  # the server wrote our words in other bytes
    TAKE_IN = auto()  # edited there, and not here: theirs is the newer text
    KEEP_BOTH = auto()  # edited there and here


def decide(*, says_the_same: bool, is_newest: bool, changed_here: bool) -> Step:
    """Pure. `is_newest`: the letter was made of the newest copy; `changed_here`: the draft says something else now."""
    if says_the_same:
        return Step.OURS
    return Step.TAKE_IN if is_newest and not changed_here else Step.KEEP_BOTH


def look_at_copies(*, now: datetime) -> int:
    """Look what became of the copies that the server has taken; returns how many drafts changed for it."""
    mine = DraftCopy.objects.filter(stored_at__isnull=False, draft__isnull=False)
    mine = mine.filter(draft__sent_at=None, draft__discarded_at=None)
    mailboxes = mine.order_by("mailbox").values_list("mailbox", flat=True).distinct()
    return sum(_look_in(mine.filter(mailbox=each), now) for each in mailboxes)


def _look_in(mine: QuerySet[DraftCopy], now: datetime) -> int:
    """The newest copies of one mailbox. A draft that cannot be looked at keeps no other waiting."""
    copies = list(mine.select_related("draft__mailbox__account", "draft__author__account").order_by("-pk")[:MOST])
    by_draft: dict[int, list[DraftCopy]] = defaultdict(list)
    for each in copies:
        by_draft[each.draft_id or 0].append(each)
    there = _in_drafts_folders(copies)
    return in_turn(
        by_draft,
        lambda draft: _look(by_draft[draft], there, now),
        failure="The copies of draft %s cannot be looked at",
    )


Here = dict[tuple[int, str, str], list[Message]]


def _named(mailbox_id: int, message_id: str, blob: str) -> tuple[int, str, str]:
    """By what a letter is followed: its Message-ID; where it has none, its bytes, for many letters have none."""
    return mailbox_id, message_id, "" if message_id else blob


def _in_drafts_folders(copies: Iterable[DraftCopy]) -> Here:
    """The letters that lie in the folders of drafts, under their names."""
    named = Q(message__message_id__in={each.message_id for each in copies if each.message_id})
    nameless = Q(message__message_id="", message__blob__in={each.blob for each in copies if not each.message_id})
    among = Q(folder__role=FolderRole.DRAFTS) | Q(folder__in={each.folder_id for each in copies if each.folder_id})
    mailboxes = {each.mailbox_id for each in copies}
    places = Placement.objects.filter(named | nameless, among, folder__mailbox__in=mailboxes)
    found: Here = defaultdict(list)
    for place in places.select_related("message__mailbox"):
        letter = place.message
        found[_named(letter.mailbox_id, letter.message_id, letter.blob)].append(letter)
    return found


def _of(copy: DraftCopy, there: Here) -> list[Message]:
    return there.get(_named(copy.mailbox_id, copy.message_id, copy.blob), [])


def _look(copies: list[DraftCopy], there: Here, now: datetime) -> bool:
    """One draft; its newest copy first."""
    newest, known = copies[0], {each.blob for each in copies}
    changed = False
    for copy in copies:
        for letter in _of(copy, there):
            if letter.blob not in known and not _copies_of(letter).exists():
                changed |= _follow(copy, letter, now, is_newest=copy is newest)
    return changed or _is_gone(newest, there, now)


def _copies_of(letter: Message) -> QuerySet[DraftCopy]:
    """At most one. Without a draft it is one that was let go: no round touches that letter again."""
    known: QuerySet[DraftCopy] = DraftCopy.objects.filter(mailbox=letter.mailbox_id)
    return known.filter(message_id=letter.message_id, blob=letter.blob)


def _follow(copy: DraftCopy, letter: Message, now: datetime, *, is_newest: bool) -> bool:
    try:
        draft = copy.draft
        same = says_the_same(blobs.get(copy.account_id, copy.blob), blobs.get(copy.account_id, letter.blob))
        changed_here = draft is None or said_by(draft) != copy.said
        match decide(says_the_same=same, is_newest=is_newest, changed_here=changed_here):
            case Step.OURS:
                return _rewritten(copy, letter, now)
            case Step.TAKE_IN:
                return draft is not None and _take_in(draft, letter, now)
            case _:
                return draft is not None and adopt(letter, by=draft.author, now=now) is not None
    except CANNOT_READ:
        return False  # it stays a letter in the folder


@transaction.atomic
def _rewritten(copy: DraftCopy, letter: Message, now: datetime) -> bool:
    """The bytes that we wrote are held on: a removal that waits compares with them."""
    collect.hold(copy.account_id, [letter.blob], holder=copy.holder, now=now)
    DraftCopy.objects.filter(pk=copy.pk).update(blob=letter.blob)
    return False


def _is_gone(newest: DraftCopy, there: Here, now: datetime) -> bool:
    """Told once: its letter is known here, and lies in no folder of drafts any more. Its end here says nothing."""
    draft = newest.draft
    if draft is None or newest.gone_at is not None or _of(newest, there):
        return False
    letter = Message.objects.filter(mailbox=newest.mailbox_id, blob=newest.blob).first()
    waits = PendingChange.objects.filter(mailbox=newest.mailbox_id, detail__draft=draft.public_id)
    if letter is None or waits.exists():
        return False
    with transaction.atomic():
        if DraftCopy.objects.filter(pk=newest.pk, gone_at=None).update(gone_at=now) != 1:
            return False
        record("draft.gone", account=draft.account, topic=draft.topic,
               subject=f"draft:{draft.public_id}")  # fmt: skip
    return True


def gone_at(draft: Draft) -> datetime | None:
    """When another program removed the draft's copy; None: it did not, or the draft was written on since."""
    newest = draft.copies.order_by("pk").last()
    return newest.gone_at if newest is not None and said_by(draft) == newest.said else None


def with_gone(of: QuerySet[Draft]) -> QuerySet[Draft]:
    """The drafts with `is_gone`: as `gone_at`, for a list."""
    newest = DraftCopy.objects.filter(draft=OuterRef("pk")).order_by("-pk").values("gone_at")[:1]
    gone = Q(newest_gone_at__isnull=False, copied_at__gte=F("updated_at"))
    told: QuerySet[Draft] = of.annotate(newest_gone_at=Subquery(newest))
    return told.annotate(is_gone=ExpressionWrapper(gone, output_field=BooleanField()))


@transaction.atomic
def put_back(draft: Draft, *, by: Employee, now: datetime) -> None:
    """The draft is to lie on the server again. Raises OnItsWay."""
    row = lock(draft)
    row.copies.filter(gone_at__isnull=False).update(said="")
    touch(row, by, now)


# Reading a letter as a draft


@dataclass(frozen=True, slots=True)
class _Read:
    draft: Draft  # not saved
    given: list[files.Given]


def adopt(letter: Message, *, by: Employee, now: datetime) -> Draft:
    """Go on writing a letter of the folder of drafts: the draft that it is a copy of, or a new one made of it.

    Once it is saved here its copy takes the letter's place on the server, and the letter goes to Trash if the writer
    may delete there; else it stays beside it. Outside any transaction. Raises NotYours (also for a draft that is
    another's alone), CANNOT_READ.
    """
    copy = _copies_of(letter).select_related("draft__mailbox").first()
    if copy is not None and copy.draft is not None:
        for discarded in Draft.objects.restorable_by(by).filter(pk=copy.draft_id).select_related("mailbox"):
            restore(discarded, by=by)
        if not Draft.objects.editable_by(by).filter(pk=copy.draft_id).exists():
            raise NotYours
        return copy.draft
    read = _read(letter)
    _write_bytes(letter, read.given, now)
    with transaction.atomic():
        Mailbox.objects.select_for_update(no_key=True).get(pk=letter.mailbox_id)  # of two at once, one takes it up
        if _copies_of(letter).filter(draft__isnull=False).exists():
            return adopt(letter, by=by, now=now)
        made = begin(read.draft, by=by, now=now)
        files.keep_all(made, read.given, now)
        _is_copy(made, letter, now)
        reach("adopt.before_commit")
    return made


def _take_in(draft: Draft, letter: Message, now: datetime) -> bool:
    read = _read(letter)
    _write_bytes(letter, read.given, now)
    with transaction.atomic():
        try:
            row = lock(draft)
        except (OnItsWay, Draft.DoesNotExist):
            return False
        if row.version != draft.version or row.updated_at != draft.updated_at:
            return False  # the next round decides anew
        for name in ("to", "cc", "bcc", "subject", "body_html", "body_text"):
            setattr(row, name, getattr(read.draft, name))
        files.drop_all(row, now=now)
        files.keep_all(row, read.given, now)
        touch(row, row.author, now)
        Draft.objects.filter(pk=row.pk).update(writer=None, writing_until=None)
        _is_copy(row, letter, now)
        reach("take_in.before_commit")
    return True


def _write_bytes(letter: Message, given: list[files.Given], now: datetime) -> None:
    files.write_bytes(letter.account_id, given, now=now)
    collect.announce(letter.account_id, [letter.blob], now=now)


def _is_copy(draft: Draft, letter: Message, now: datetime) -> None:
    """The letter is the draft's newest copy: nothing is stored until somebody writes on.

    One of ours that is about to be removed is not: the draft gets a copy of its own. One that was let go is again.
    """
    known = _copies_of(letter)
    if known.filter(is_foreign=False).exists():
        return
    known.filter(draft=None).delete()
    place = letter.placements.filter(folder__role=FolderRole.DRAFTS).first()
    made = DraftCopy.objects.create(
        account_id=letter.account_id, mailbox=letter.mailbox, folder_id=place.folder_id if place else None,
        draft=draft, is_foreign=True,
        message_id=letter.message_id, blob=letter.blob, said=said_by(draft), created_at=now, stored_at=now,
    )  # fmt: skip
    collect.hold(letter.account_id, [letter.blob], holder=made.holder, now=now)
    Draft.objects.filter(pk=draft.pk).update(copied_at=draft.updated_at)


def _read(letter: Message) -> _Read:
    raw = blobs.get(letter.account_id, letter.blob)
    head, body = parse_letter(raw), read_body(raw)
    thread = head.in_reply_to[0] if head.in_reply_to and is_id(head.in_reply_to[0]) else ""
    answers = Message.objects.filter(conversation=letter.conversation_id, message_id=thread).first() if thread else None
    draft = Draft(
        mailbox=letter.mailbox, kind=Kind.REPLY if thread else Kind.NEW, answers=answers, in_reply_to=thread,
        references=[each for each in head.references if is_id(each)], subject=head.subject, is_teams=True,
        to=people((each.name, each.address) for each in head.to),
        cc=people((each.name, each.address) for each in head.cc),
        bcc=people((each.name, each.address) for each in head.bcc),
    )  # fmt: skip
    write(draft, body.html or "", body.text or "")
    return _Read(draft, [files.of_part(part, raw) for part in head.parts])
