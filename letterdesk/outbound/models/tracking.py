"""Letters whose opens and clicks are counted: numbers, and nothing about whoever reads (decision 0036)."""

from django.db import models

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id

from .deliveries import Delivery


class Tracking(models.Model):
    """Whether opens and clicks of letters written in CRM may be counted; without a row: no."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    is_on = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.account_id}: {'counted' if self.is_on else 'not counted'}"


class TrackedLetter(models.Model):
    """A letter with a picture and links that tell when it is read, and how often they did.

    `holder` is who keeps the letter once its delivery is forgotten, as holders of bytes are called ("activity:7"); with
    it the numbers go. `machines`: how often it was fetched by which machine, by name.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    delivery = models.OneToOneField(Delivery, on_delete=models.SET_NULL, null=True, related_name="tracked")
    holder = models.CharField(max_length=40, blank=True, default="")
    about = models.CharField(max_length=40)  # where it was written, as events name it: "deal:…"
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    left_at = models.DateTimeField(null=True)  # when it left, as soon as that was asked for
    opens = models.PositiveIntegerField(default=0)  # by people
    opened_at = models.DateTimeField(null=True)  # by a person, the last time
    machines = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["account", "holder"], name="tracked_of_holder", condition=~models.Q(holder="")),
            models.Index(
                fields=["id"], name="tracked_of_nobody", condition=models.Q(delivery__isnull=True, holder="")
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.public_id}: opened {self.opens} times"


class TrackedLink(models.Model):
    """A link of such a letter: where it leads, and how often it was followed."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    letter = models.ForeignKey(TrackedLetter, on_delete=models.CASCADE, related_name="links", db_index=False)
    position = models.PositiveSmallIntegerField()  # in the letter, from 1 on
    address = models.TextField()
    clicks = models.PositiveIntegerField(default=0)  # by people
    clicked_at = models.DateTimeField(null=True)  # by a person, the last time
    by_machines = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["letter", "position"], name="tracked_link_once")]

    def __str__(self) -> str:
        return self.address


class Fetch(models.Model):
    """The picture (`link` 0) or a link was fetched, and nobody has judged yet by whom: kept for some seconds."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    letter = models.ForeignKey(TrackedLetter, on_delete=models.CASCADE, related_name="fetches")
    link = models.PositiveSmallIntegerField(default=0)
    machine = models.CharField(max_length=16, blank=True, default="")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.link} of {self.letter_id} at {self.at}"
