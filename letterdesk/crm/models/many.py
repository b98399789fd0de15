"""Changes of many records at once: what was asked for, and what became of each of them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import OfOnePersonQuerySet
from letterdesk.lib.ids import new_public_id

from .labels import Label
from .records import Kind, Record, Stage


class ChangeOfMany(models.Model):
    """What somebody did with many records of one kind; kept for 30 days, so long it can be taken back."""

    class What(models.TextChoices):
        RESPONSIBLE = "responsible", _("Responsible person")
        LABEL = "label", _("Label added")
        UNLABEL = "unlabel", _("Label taken off")
        STAGE = "stage", _("Stage")
        BIN = "bin", _("Into the bin")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    what = models.CharField(max_length=11, choices=What.choices)
    responsible = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    label = models.ForeignKey(Label, on_delete=models.SET_NULL, null=True, related_name="+")
    stage = models.ForeignKey(Stage, on_delete=models.SET_NULL, null=True, related_name="+")
    said = models.CharField(max_length=300, blank=True, default="")  # what that was called
    total = models.PositiveIntegerField()
    is_over = models.BooleanField(default=False)  # nothing is left to do, or to put back
    undone_at = models.DateTimeField(null=True)  # from then on it is put back
    at = models.DateTimeField(default=timezone.now)

    objects = OfOnePersonQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "-at"], name="many_latest_first"),
            models.Index(fields=["id"], name="many_not_over", condition=models.Q(is_over=False)),
        ]

    def __str__(self) -> str:
        return f"{self.what} of {self.total}"


class OneOfMany(models.Model):
    """A record of such a change, and what became of it."""

    class State(models.TextChoices):
        WAITING = ""
        DONE = "done"
        SAME = "same"  # it was so before
        REFUSED = "refused"  # it may not be changed, or is gone
        BACK = "back"  # it was put back
        STAYS = "stays"  # somebody went on from there: it was not put back

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    change = models.ForeignKey(ChangeOfMany, on_delete=models.CASCADE, related_name="rows", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, blank=True, default=State.WAITING)
    was = models.BigIntegerField(null=True)  # key of the person, or of the stage, before

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "record"], name="one_of_many_once")]
        indexes = [models.Index(fields=["change", "state", "id"], name="one_of_many_state")]

    def __str__(self) -> str:
        return f"{self.record_id} of {self.change_id}"
