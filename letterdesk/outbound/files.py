"""Files of a draft: held by it until it is sent or thrown away, then by the letter (their bytes are in it)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib import blobs
from letterdesk.mail.compose import is_id
from letterdesk.mail.letters import Part
from letterdesk.mail.names import safe_filename
from letterdesk.mail.parse import read_part
from letterdesk.mailboxes import collect

from .drafts import BadDraft, lock
from .models import Draft, DraftFile, Template, TemplateFile

LARGEST = 25_000_000  # bytes of all files together: what most servers take, after base64
MOST = 100  # files


@dataclass(frozen=True, slots=True)
class Given:
    """A file as it comes in. With a `content_id` it stands in the text (`cid:`)."""

    filename: str
    content_type: str
    raw: bytes
    content_id: str = ""


def attach(
    draft: Draft, raw: bytes, *, filename: str, content_type: str, by: Employee, now: datetime, inline: bool = False
) -> DraftFile:
    """Add a file; `inline`: an image that stands in the text by the `content_id` it is given.

    Outside any transaction: the bytes are durable before their row is written. The version of the draft stays.
    Raises BadDraft (too large, too many), OnItsWay, OSError for a full disk, StaleBatch where that took half an hour.
    """
    content_id = f"{secrets.token_hex(8)}@inline" if inline else ""
    [made] = attach_all(draft, [Given(filename, content_type, raw, content_id)], by=by, now=now)
    return made


def attach_all(draft: Draft, given: Sequence[Given], *, by: Employee, now: datetime) -> list[DraftFile]:
    """As `attach`, for several; all or none."""
    write_bytes(draft.account_id, given, now=now)
    with transaction.atomic():
        row = lock(draft)
        made = keep_all(row, given, now)
        Draft.objects.filter(pk=row.pk).update(updated_at=now)
        return made


def write_bytes(account_id: int, given: Sequence[Given], *, now: datetime) -> None:
    """Make the bytes durable, before `keep_all` writes their rows. Outside any transaction. Raises as `attach`."""
    if not given:
        return
    if sum(len(each.raw) for each in given) > LARGEST:
        raise BadDraft(too_large())
    raws = {blobs.hash_of(each.raw): each.raw for each in given}
    collect.announce(account_id, list(raws), now=now)
    blobs.put(account_id, raws)


def keep_all(row: Draft, given: Sequence[Given], now: datetime) -> list[DraftFile]:
    """Write the rows of files whose bytes are written. Inside the caller's transaction. Raises BadDraft, StaleBatch."""
    if not given:
        return []
    _check_room(row, [len(each.raw) for each in given])
    collect.hold(row.account_id, [blobs.hash_of(each.raw) for each in given], holder=row.holder, now=now)
    return [_keep(row, each, now) for each in given]


def drop_all(row: Draft, *, now: datetime) -> None:
    """Take all files out of the locked draft. Inside the caller's transaction."""
    row.files.all().delete()
    collect.let_go_of_all(row.account_id, row.holder, now=now)


def of_part(part: Part, raw: bytes) -> Given:
    """A file of a letter as a draft takes it."""
    content_id = part.content_id if part.inline and is_id(part.content_id) else ""
    return Given(part.filename, part.content_type, read_part(raw, part.index), content_id)


def detach(file: DraftFile, *, now: datetime) -> None:
    """Take a file out of its draft; its bytes go unless something else holds them. Raises OnItsWay."""
    with transaction.atomic():
        row = lock(file.draft)
        DraftFile.objects.filter(pk=file.pk).delete()
        Draft.objects.filter(pk=row.pk).update(updated_at=now)
        if not row.files.filter(blob=file.blob).exists():
            collect.let_go_of_all(row.account_id, row.holder, now=now, hashes=[file.blob])


def give_template(row: Template, given: Sequence[Given], *, now: datetime) -> None:
    """Add files whose bytes are written. Inside the transaction that wrote the row. Raises BadDraft, StaleBatch."""
    if not given:
        return
    _check_room(row, [len(each.raw) for each in given])
    collect.hold(row.account_id, [blobs.hash_of(each.raw) for each in given], holder=row.holder, now=now)
    for each in given:
        TemplateFile.objects.create(
            account_id=row.account_id, template=row, blob=blobs.hash_of(each.raw), size=len(each.raw), at=now,
            filename=safe_filename(each.filename, each.content_type)[:300], content_type=each.content_type[:255],
        )  # fmt: skip


@transaction.atomic
def take_from_template(file: TemplateFile, *, now: datetime) -> None:
    """Take a file out of its template; letters that have it keep it."""
    row = Template.objects.select_for_update().get(pk=file.template_id)
    TemplateFile.objects.filter(pk=file.pk).delete()
    if not row.files.filter(blob=file.blob).exists():
        collect.let_go_of_all(row.account_id, row.holder, now=now, hashes=[file.blob])


def read(file: DraftFile | TemplateFile) -> bytes:
    """The file's exact bytes. Raises BlobMissing, BlobDamaged."""
    return blobs.get(file.account_id, file.blob)


def too_large() -> str:
    """What to say of files that are larger than LARGEST together."""
    return _("The files of a letter may have %(size)d MB together.") % {"size": LARGEST // 1_000_000}


@transaction.atomic
def take_over(draft: Draft, template: Template, *, now: datetime) -> None:
    """The files of a template go along with this letter, each once.

    Raises BadDraft where they have no room, or the template was removed meanwhile; OnItsWay.
    """
    row = lock(draft)
    if Template.objects.select_for_update().filter(pk=template.pk).first() is None:  # locked, it holds the bytes for us
        raise BadDraft(_("This template was removed meanwhile. Choose another one."))
    there = set(row.files.values_list("blob", "filename"))
    wanted = [each for each in template.files.order_by("pk") if (each.blob, each.filename) not in there]
    if not wanted:
        return
    _check_room(row, [each.size for each in wanted])
    collect.share(row.account_id, [(each.blob, row.holder) for each in wanted], now=now)
    for each in wanted:
        DraftFile.objects.create(
            account_id=row.account_id, draft=row, blob=each.blob, filename=each.filename, size=each.size, at=now,
            content_type=each.content_type,
        )  # fmt: skip


def _check_room(row: Draft | Template, sizes: Sequence[int]) -> None:
    there = row.files.aggregate(size=Sum("size"))["size"] or 0
    if there + sum(sizes) > LARGEST:
        raise BadDraft(too_large())
    if row.files.count() + len(sizes) > MOST:
        raise BadDraft(_("A letter has %(most)d files at the most.") % {"most": MOST})


def _keep(draft: Draft, each: Given, now: datetime) -> DraftFile:
    return DraftFile.objects.create(
        account_id=draft.account_id, draft=draft, blob=blobs.hash_of(each.raw), size=len(each.raw), at=now,
        filename=safe_filename(each.filename, each.content_type)[:300], content_type=each.content_type[:255],
        content_id=each.content_id[:255],
    )  # fmt: skip
