"""Files of records that people take in."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import OfOnePersonQuerySet
from letterdesk.lib.ids import new_public_id

from .records import Kind


class RecordImport(models.Model):
    """A file, how its columns are taken, and how far it is; the file itself is let go when it is done."""

    class State(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        DONE = "done"

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    filename = models.CharField(max_length=200)
    content = models.BinaryField(default=b"")
    mapping = models.JSONField(default=list)  # for each column what it is taken for
    fills = models.BooleanField(default=True)  # what is known already gets what it lacks
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    total = models.PositiveIntegerField(default=0)  # lines
    done = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    filled = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)  # there already, and nothing was lacking
    refused = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    objects = OfOnePersonQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-at"], name="import_latest_first")]

    def __str__(self) -> str:
        return self.filename


class ImportRefusal(models.Model):
    """A line that was not taken in: its number in the file, the heading of the column, and why."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    taken_from = models.ForeignKey(RecordImport, on_delete=models.CASCADE, related_name="refusals")
    row = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True, default="")
    why = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.row}: {self.why}"
