"""A person writes: drafts are started, saved, taken over by a colleague, and thrown away.

Who saves says which version they saw; what a colleague has saved since is never overwritten in silence. One person
writes at a time; the lock lapses two minutes after the last saving, and can be taken over.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.models import Mailbox

from . import moved_on
from .identities import may_write
from .models import Draft, Kind, VerifiedSender
from .server_copies import withdraw
from .words import LONGEST, clean, text_of

RESTORABLE = timedelta(seconds=30)  # after it was discarded; then the next round removes it
AT_ONCE = 200
WRITING_FOR = timedelta(minutes=2)
MOST_RECIPIENTS = 500
People = Sequence[tuple[str, str]]  # name, address


class BadDraft(ValueError):
    """This cannot be written so; the text says why, in words for people."""


class DraftChanged(Exception):
    """Somebody has saved another version since; `draft` is that one. Nothing was overwritten."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(_("This draft has been changed meanwhile."))
        self.draft = draft


class BeingWritten(Exception):
    """A colleague is writing in this draft; `draft.writer` says who. It can be taken over."""

    def __init__(self, draft: Draft) -> None:
        name = draft.writer.name if draft.writer else ""
        super().__init__(_("%(name)s is writing in this draft.") % {"name": name})
        self.draft = draft


class OnItsWay(Exception):
    """The draft has been sent, or waits to be: undo the sending first."""

    def __init__(self) -> None:
        super().__init__(_("This letter is on its way."))


class Gone(Exception):
    """A discarded draft that is removed: it cannot be restored any more."""

    def __init__(self) -> None:
        super().__init__(_("This draft is gone: it was discarded too long ago."))


class NotYours(PermissionError):
    """This employee may not write from this mailbox."""

    def __init__(self) -> None:
        super().__init__(_("You may not write from this mailbox."))


@transaction.atomic
def start(
    mailbox: Mailbox,
    *,
    by: Employee,
    now: datetime,
    to: People = (),
    cc: People = (),
    subject: str = "",
    body_html: str = "",
    body_text: str = "",
) -> Draft:
    """A new letter, written from this mailbox; `body_html` empty: plain text. Raises NotYours, BadDraft."""
    draft = Draft(mailbox=mailbox, kind=Kind.NEW, to=people(to), cc=people(cc), subject=subject.replace("\0", ""))
    write(draft, body_html, body_text)
    return begin(draft, by=by, now=now)


def begin(draft: Draft, *, by: Employee, now: datetime) -> Draft:
    """Keep a draft that was just made. Raises NotYours. Inside the caller's transaction."""
    if not may_write(draft, by):
        raise NotYours
    draft.account_id, draft.author, draft.writer = draft.outlet.account_id, by, by
    draft.created_at = draft.updated_at = now
    draft.writing_until = now + WRITING_FOR
    draft.seen = moved_on.seen_in(draft)
    draft.save(force_insert=True)
    _tell(draft, "draft.saved", by=by)
    return draft


class Fields(TypedDict, total=False):
    """What can be written in a draft; what is missing stays. With one of the bodies both are written."""

    mailbox: Mailbox
    verified_sender: VerifiedSender
    to: People
    cc: People
    bcc: People
    subject: str
    body_html: str
    body_text: str
    remind: str
    is_tracked: bool


@transaction.atomic
def save(draft: Draft, *, by: Employee, seen: int, now: datetime, **fields: Unpack[Fields]) -> Draft:
    """Keep what is given. `seen`: the version that the writer began with. Returns the new one.

    Raises DraftChanged, BeingWritten, OnItsWay, NotYours (another mailbox), BadDraft.
    """
    row = _mine(draft, by, now)
    if row.version != seen:
        raise DraftChanged(row)
    outlet = fields.get("verified_sender") or fields.get("mailbox")
    if outlet is not None and outlet != row.outlet:
        _move(row, outlet, by)
    row.to = people(fields["to"]) if "to" in fields else row.to
    row.cc = people(fields["cc"]) if "cc" in fields else row.cc
    row.bcc = people(fields["bcc"]) if "bcc" in fields else row.bcc
    row.subject = fields.get("subject", row.subject).replace("\0", "")
    row.remind = fields.get("remind", row.remind).replace("\0", "")[:32]
    row.is_tracked = fields.get("is_tracked", row.is_tracked)
    if "body_html" in fields or "body_text" in fields:
        write(row, fields.get("body_html", ""), fields.get("body_text", ""))
    touch(row, by, now)
    reach("draft.before_commit")
    return row


def touch(row: Draft, by: Employee, now: datetime) -> None:
    """Save the locked row as a new version, and keep its writer's lock."""
    row.version += 1
    row.updated_at, row.writer, row.writing_until = now, by, now + WRITING_FOR
    row.save()
    _tell(row, "draft.saved", by=by)


@transaction.atomic
def take(draft: Draft, *, by: Employee, now: datetime, over: bool = False) -> Draft:
    """Begin to write in a draft; `over`: although a colleague is at it. Raises BeingWritten, OnItsWay."""
    row = lock(draft)
    if not over:
        _check_writer(row, by, now)
    row.writer, row.writing_until = by, now + WRITING_FOR
    row.save(update_fields=["writer", "writing_until"])
    return row


@transaction.atomic
def leave(draft: Draft, *, by: Employee) -> None:
    """Stop writing, so that a colleague need not wait."""
    Draft.objects.filter(pk=draft.pk, writer=by).update(writer=None, writing_until=None)


@transaction.atomic
def read_on(draft: Draft, known: Collection[int]) -> None:
    """The writer has been told of these letters of the conversation: they are news no more. Raises OnItsWay."""
    row = lock(draft)
    Draft.objects.filter(pk=row.pk).update(seen=sorted({*row.seen, *known}), held_back_at=None)


@transaction.atomic
def discard(draft: Draft, *, by: Employee, now: datetime) -> None:
    """Throw a draft away with its files; for half a minute it can be restored. Raises BeingWritten, OnItsWay."""
    row = _mine(draft, by, now)
    row.discarded_at, row.discarded_by, row.writer, row.writing_until = now, by, None, None
    row.save(update_fields=["discarded_at", "discarded_by", "writer", "writing_until"])
    _tell(row, "draft.discarded", by=by)
    reach("discard.before_commit")


@transaction.atomic
def restore(draft: Draft, *, by: Employee) -> None:
    """Undo of `discard`. Raises Gone where it is removed already."""
    if Draft.objects.filter(pk=draft.pk, discarded_at__isnull=False).update(discarded_at=None, discarded_by=None) != 1:
        raise Gone
    _tell(draft, "draft.restored", by=by)


def remove_discarded(*, now: datetime, mailbox: Mailbox | None = None) -> int:
    """What was discarded half a minute ago goes, with its copies on the server; returns how many drafts.

    `mailbox`: of that one all that was discarded, however lately.
    """
    discarded = Draft.objects.filter(discarded_at__isnull=False)
    due = discarded.filter(discarded_at__lte=now - RESTORABLE) if mailbox is None else discarded.filter(mailbox=mailbox)
    done = 0
    for pk in list(due.order_by("discarded_at").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            for row in due.filter(pk=pk).select_for_update(of=("self",)).select_related("mailbox", "discarded_by"):
                remove(row, by=row.discarded_by, now=now)
                reach("discarded.before_commit")
                done += 1
    return done


def remove(draft: Draft, *, now: datetime, by: Employee | None = None) -> None:
    """Delete a draft and give back the bytes of its files. Inside the caller's transaction.

    `by`: who discarded or sent it, which takes its copy on the server along; nothing else does (R26).
    """
    if by is not None:
        withdraw(draft, list(draft.copies.select_related("mailbox")), by=by, now=now)
    collect.let_go_of_all(draft.account_id, draft.holder, now=now)
    Draft.objects.filter(pk=draft.pk).delete()


def lock(draft: Draft) -> Draft:
    """The draft's row, locked until the transaction ends. Raises OnItsWay; Draft.DoesNotExist: gone, or discarded."""
    row: Draft = (
        Draft.objects.filter(discarded_at=None)
        .select_for_update(of=("self",))
        .select_related("account", "mailbox", "verified_sender", "writer", "author")
        .get(pk=draft.pk)
    )
    if row.sent_at is not None:
        raise OnItsWay
    return row


def _mine(draft: Draft, by: Employee, now: datetime) -> Draft:
    row = lock(draft)
    _check_writer(row, by, now)
    return row


def _check_writer(row: Draft, by: Employee, now: datetime) -> None:
    is_held = row.writer_id is not None and row.writing_until is not None and row.writing_until > now
    if is_held and row.writer_id != by.pk:
        raise BeingWritten(row)


def _move(row: Draft, outlet: Mailbox | VerifiedSender, by: Employee) -> None:
    row.mailbox = outlet if isinstance(outlet, Mailbox) else None
    row.verified_sender = outlet if isinstance(outlet, VerifiedSender) else None
    if outlet.account_id != row.account_id or not may_write(row, by):
        raise NotYours
    row.is_teams = False


def write(draft: Draft, body_html: str, body_text: str, *, is_clean: bool = False) -> None:
    """Put text into the draft, cleaned; of rich text the plain one is made. Raises BadDraft.

    `is_clean`: it was put together here of pieces that were cleaned (`words.quoted`), each whole in itself.
    """
    if max(len(body_html), len(body_text)) > LONGEST:
        raise BadDraft(_("This letter is too long."))
    draft.body_html = body_html if is_clean or not body_html else clean(body_html)
    draft.body_text = text_of(draft.body_html) if draft.body_html else body_text.replace("\0", "")


def people(given: Iterable[tuple[str, str]]) -> list[list[str]]:
    """As the columns keep them: an address once, in the order given. Raises BadDraft for too many."""
    pairs = [(name.replace("\0", "").strip(), address.replace("\0", "").strip()) for name, address in given]
    found = {address.casefold(): [name, address] for name, address in pairs if address}
    if len(found) > MOST_RECIPIENTS:
        raise BadDraft(too_many_recipients())
    return list(found.values())


def too_many_recipients() -> str:
    """What to say of more than MOST_RECIPIENTS."""
    return _("A letter has %(most)d recipients at the most.") % {"most": MOST_RECIPIENTS}


def _tell(draft: Draft, kind: str, *, by: Employee) -> None:
    record(kind, account=by.account, by=by, topic=draft.topic, subject=f"draft:{draft.public_id}",
           version=draft.version)  # fmt: skip
