"""What people write at a record themselves: notes, and calls with what came of them."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import KEPT, NoteQuerySet
from letterdesk.lib.ids import new_public_id

from .activities import Direction
from .records import Record


class Note(models.Model):
    """A note, or a call with its direction. Its author changes and deletes it: in the bin it has `deleted_at`."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="notes", db_index=False)
    by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction.choices, blank=True, default="")  # of a call
    minutes = models.PositiveSmallIntegerField(null=True)  # how long a call was; None: nobody said
    text = models.TextField(blank=True, default="")
    at = models.DateTimeField()  # when it was written, or when the call was
    written_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["record", "-at", "-id"], name="note_timeline"),
            models.Index(fields=["deleted_at"], name="note_in_bin", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{'call' if self.is_call else 'note'} of {self.by_id} at {self.record_id}"

    @property
    def is_call(self) -> bool:
        """Whether it is a call."""
        return bool(self.direction)

    @property
    def purges_at(self) -> datetime | None:
        """When the bin lets it go; None: it is in no bin."""
        return None if self.deleted_at is None else self.deleted_at + KEPT
