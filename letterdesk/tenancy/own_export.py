"""An administrator's export: asked for, made by a worker, fetched by who asked alone, gone after seven days.

What is in it says own_parts.py (docs/decisions/0010). Each change of state is a conditional update: a worker that
comes late, or after the account's purge, finds nothing to finish and takes its file away again.
"""

import errno
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record

from . import parcels
from .models import KEPT, Export, ExportState
from .own_parts import write

logger = logging.getLogger(__name__)

LOST = timedelta(hours=6)  # a worker that has not finished by then is taken for dead


class AlreadyGoingOn(ValueError):
    """An export of the account waits or is being made."""

    def __init__(self) -> None:
        super().__init__(_("An export is being made already. Ask again once it is done."))


def ask(*, by: Employee, now: datetime) -> Export:
    """Ask for an export of one's account. Raises AlreadyGoingOn, NotAllowed."""
    must_administrate(by, by.account_id)
    try:
        with transaction.atomic():
            made = Export.objects.create(account=by.account, by=by, asked_at=now)
            record("export.asked", account=by.account, by=by, subject=f"export:{made.public_id}")
    except IntegrityError:
        raise AlreadyGoingOn from None
    return made


def exports_of(employee: Employee, *, now: datetime) -> Sequence[Export]:
    """What was asked for in the last seven days, the latest first, as an administrator sees it."""
    found = Export.objects.visible_to(employee).filter(asked_at__gt=now - KEPT)
    return list(found.select_related("by").order_by("-asked_at", "-pk")[:20])


def make(export_id: int, *, now: datetime) -> None:
    """Make it, unless somebody does or did. A failure is kept for the page, and nothing of the file."""
    waiting = Export.objects.filter(pk=export_id, state=ExportState.ASKED, account__purge_began_at=None)
    if not waiting.update(state=ExportState.RUNNING, began_at=now):
        return
    export = Export.objects.select_related("account", "by").get(pk=export_id)
    if not Export.objects.visible_to(export.by).filter(pk=export.pk).exists():
        _fail(export, "not_allowed")  # no administrator any more
        return
    try:
        _make(export, now)
    except Exception as error:  # told on the page, whatever it is; the text could quote a letter
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        logger.error("An export failed: %s", type(error).__name__)
        parcels.remove(export.account_id, export.name)
        _fail(export, "disk_full" if full else "error")


def _make(export: Export, now: datetime) -> None:
    with parcels.scratch() as file:
        packed = write(export.by, file, now=now)
        size = file.tell()
        parcels.keep(export.account_id, export.name, file)
    with transaction.atomic():
        mine = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING, account__purge_began_at=None)
        done = mine.update(state=ExportState.READY, size=size)
        if done:
            record("export.made", account=export.account, by=export.by, subject=f"export:{export.public_id}",
                   letters=packed.letters, bytes=size, missing=len(packed.missing))  # fmt: skip
    if not done:
        parcels.remove(export.account_id, export.name)


def downloaded(export: Export, *, by: Employee) -> None:
    """Write down that its download began."""
    record("export.downloaded", account=export.account, by=by, subject=f"export:{export.public_id}")


def follow(*, now: datetime) -> list[int]:
    """Remove what is over, fail what nobody finishes; returns the keys of those that still wait for a worker."""
    for lost in Export.objects.filter(state=ExportState.RUNNING, began_at__lte=now - LOST).select_related("account"):
        parcels.remove(lost.account_id, lost.name)
        _fail(lost, "lost")
    for over in Export.objects.filter(asked_at__lte=now - KEPT).exclude(state=ExportState.RUNNING):
        parcels.remove(over.account_id, over.name)
        over.delete()
    return list(Export.objects.filter(state=ExportState.ASKED).values_list("pk", flat=True))


@transaction.atomic
def _fail(export: Export, why: str) -> None:
    going_on = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING)
    if going_on.update(state=ExportState.FAILED, failure=why):
        record("export.failed", account=export.account, by=export.by, subject=f"export:{export.public_id}", why=why)
