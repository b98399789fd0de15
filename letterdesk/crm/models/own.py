"""Own fields: what a company wants to know of its records beside what every company does."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.access import OfAccountQuerySet
from letterdesk.accounts.models import Account
from letterdesk.crm.access import OfRecordQuerySet
from letterdesk.lib.alphabet import LONGEST_KEY
from letterdesk.lib.ids import new_public_id

from .records import Kind, Record


class OwnType(models.TextChoices):
    """What an own field holds. It never changes: what was said would mean something else."""

    TEXT = "text", _("Text, one line")
    LONG = "long", _("Text, several lines")
    NUMBER = "number", _("Number, whole or with decimals")
    MONEY = "money", _("Amount of money")
    DATE = "date", _("Date")
    YES_NO = "yes_no", _("Yes or no")
    CHOICE = "choice", _("One of several options")
    CHOICES = "choices", _("Any of several options")
    LINK = "link", _("Link to a web page")


class OwnField(models.Model):
    """A field that administrators gave one kind of record. Retired: shown nowhere, and what it holds is kept."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=60)
    key = models.CharField(max_length=180)  # the name, folded: no two that differ in case alone
    type = models.CharField(max_length=8, choices=OwnType.choices)
    is_required = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=False)  # shown in the list of records
    is_on_card = models.BooleanField(default=False)  # shown on the cards of the board: leads, deals
    is_retired = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "key"], name="own_field_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def has_options(self) -> bool:
        """Whether one chooses what it says."""
        return self.type in {OwnType.CHOICE, OwnType.CHOICES}


class OwnOption(models.Model):
    """What can be chosen in an own field. Retired: nobody chooses it any more, and who has it keeps it."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    field = models.ForeignKey(OwnField, on_delete=models.CASCADE, related_name="options", db_index=False)
    name = models.CharField(max_length=100)
    key = models.CharField(max_length=300)
    is_retired = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["field", "key"], name="own_option_name_once")]

    def __str__(self) -> str:
        return self.name


class OwnValue(models.Model):
    """What an own field says at a record: a row, of several options one for each (docs/decisions/0034)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="own_values")
    field = models.ForeignKey(OwnField, on_delete=models.CASCADE, related_name="values", db_index=False)
    text = models.TextField(blank=True, default="")  # texts and links
    text_key = models.CharField(max_length=LONGEST_KEY, null=True, blank=True)  # `sort_key`; None: it is no text
    number = models.DecimalField(max_digits=19, decimal_places=4, null=True)  # of 15 digits: own/values.py
    currency = models.CharField(max_length=3, blank=True, default="")
    day = models.DateField(null=True)
    is_true = models.BooleanField(null=True)
    option = models.ForeignKey(OwnOption, on_delete=models.CASCADE, null=True, related_name="values")

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["field", "record"], name="own_value_once", condition=models.Q(option=None)),
            models.UniqueConstraint(
                fields=["field", "record", "option"],
                name="own_option_chosen_once",
                condition=models.Q(option__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["field", "number", "record"],
                name="own_value_by_number",
                condition=models.Q(number__isnull=False),
            ),
            models.Index(
                fields=["field", "day", "record"], name="own_value_by_day", condition=models.Q(day__isnull=False)
            ),
            models.Index(
                fields=["field", "is_true", "record"],
                name="own_value_by_truth",
                condition=models.Q(is_true__isnull=False),
            ),
            models.Index(
                fields=["field", "text_key", "record"],
                name="own_value_by_text",
                condition=models.Q(text_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} says of {self.field_id}"
