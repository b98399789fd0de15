"""A task's own files: bytes that the task holds, apart from every letter (R4)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib import blobs
from letterdesk.mailboxes import collect

from .bin import holder_of
from .create import BadTask
from .link import lock
from .models import Task, TaskFile

LARGEST = 50_000_000  # bytes
MOST = 100  # files


def attach(task: Task, raw: bytes, *, filename: str, content_type: str, by: Employee, now: datetime) -> TaskFile:
    """Keep a file in a task. Outside any transaction: the bytes are durable before their row is written.

    Raises BadTask (too large, too many), InBin, OSError for a full disk, StaleBatch where that took half an hour.
    """
    if len(raw) > LARGEST:
        raise BadTask(too_large())
    blob = blobs.hash_of(raw)
    collect.announce(task.account_id, [blob], now=now)
    blobs.put(task.account_id, {blob: raw})
    with transaction.atomic():
        lock(task)
        if task.files.count() >= MOST:
            raise BadTask(_("A task has %(most)d files at the most.") % {"most": MOST})
        collect.hold(task.account_id, [blob], holder=holder_of(task), now=now)
        return TaskFile.objects.create(
            account_id=task.account_id, task=task, blob=blob, filename=filename[:300],
            content_type=content_type[:255], size=len(raw), by=by, at=now,
        )  # fmt: skip


def too_large() -> str:
    """What to say of a file that is larger than LARGEST."""
    return _("A file may have %(size)d MB at the most.") % {"size": LARGEST // 1_000_000}


@transaction.atomic
def detach(file: TaskFile, *, now: datetime) -> None:
    """Remove a file from its task; its bytes go unless something else holds them. Raises InBin."""
    lock(file.task)
    TaskFile.objects.filter(pk=file.pk).delete()
    is_needed = file.task.files.filter(blob=file.blob).exists() or file.task.comments.filter(letter=file.blob).exists()
    if not is_needed:
        collect.let_go_of_all(file.account_id, holder_of(file.task), now=now, hashes=[file.blob])


def read(file: TaskFile) -> bytes:
    """The file's exact bytes. Raises BlobMissing, BlobDamaged."""
    return blobs.get(file.account_id, file.blob)
