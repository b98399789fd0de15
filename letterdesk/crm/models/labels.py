"""Labels that a company gives its records: names and colours, seen by all who see the record."""

from django.db import models

from letterdesk.accounts.access import OfAccountQuerySet
from letterdesk.accounts.models import Account
from letterdesk.crm.access import OfRecordQuerySet
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Colour

from .records import Record


class Label(models.Model):
    """A label of the account, for records of every kind. Whoever gives it makes it; administrators change it."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    key = models.CharField(max_length=60)  # the name, folded: no two that differ in case alone
    colour = models.CharField(max_length=8, choices=Colour.choices, blank=True, default=Colour.NEUTRAL)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="record_label_name_once")]

    def __str__(self) -> str:
        return self.name


class Labelled(models.Model):
    """A record has a label."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="labelled", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="labelled")

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label", "record"], name="record_labelled_once")]

    def __str__(self) -> str:
        return f"{self.record_id} is {self.label_id}"
