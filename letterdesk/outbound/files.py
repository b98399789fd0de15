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
from letterdesk.mail.names import safe_filename
from letterdesk.mailboxes import collect

from .drafts import BadDraft, lock
from .models import Draft, DraftFile

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
    if sum(len(each.raw) for each in given) > LARGEST:
        raise BadDraft(too_large())
    raws = {blobs.hash_of(each.raw): each.raw for each in given}
    collect.announce(draft.mailbox.account_id, list(raws), now=now)
    blobs.put(draft.mailbox.account_id, raws)
    with transaction.atomic():
        row = lock(draft)
        _check_room(row, given)
        collect.hold(row.account_id, list(raws), holder=row.holder, now=now)
        return [_keep(row, each, now) for each in given]


def detach(file: DraftFile, *, now: datetime) -> None:
    """Take a file out of its draft; its bytes go unless something else holds them. Raises OnItsWay."""
    with transaction.atomic():
        row = lock(file.draft)
        DraftFile.objects.filter(pk=file.pk).delete()
        if not row.files.filter(blob=file.blob).exists():
            collect.let_go_of_all(row.account_id, row.holder, now=now, hashes=[file.blob])


def read(file: DraftFile) -> bytes:
    """The file's exact bytes. Raises BlobMissing, BlobDamaged."""
    return blobs.get(file.account_id, file.blob)


def too_large() -> str:
    """What to say of files that are larger than LARGEST together."""
    return _("The files of a letter may have %(size)d MB together.") % {"size": LARGEST // 1_000_000}


def _check_room(draft: Draft, given: Sequence[Given]) -> None:
    there = draft.files.aggregate(size=Sum("size"))["size"] or 0
    if there + sum(len(each.raw) for each in given) > LARGEST:
        raise BadDraft(too_large())
    if draft.files.count() + len(given) > MOST:
        raise BadDraft(_("A letter has %(most)d files at the most.") % {"most": MOST})


def _keep(draft: Draft, each: Given, now: datetime) -> DraftFile:
    return DraftFile.objects.create(
        account_id=draft.account_id, draft=draft, blob=blobs.hash_of(each.raw), size=len(each.raw), at=now,
        filename=safe_filename(each.filename, each.content_type)[:300], content_type=each.content_type[:255],
        content_id=each.content_id[:255],
    )  # fmt: skip
