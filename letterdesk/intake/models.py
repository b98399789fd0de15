"""Letters that came in by SMTP, from the moment of the 250 until it is known what becomes of them."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.lib.ids import new_public_id

FAILED_TRIES = 5  # from then on people see that a letter could not be looked at; it is still tried
KEPT = timedelta(days=30)  # how long it is shown what became of a letter that is needed no more


class State(models.TextChoices):
    """How far a letter is."""

    WAITING = "waiting", "Not looked at yet"
    DONE = "done", "Taken"
    ASKED = "asked", "A person has to say what it is"
    LEFT_OUT = "left_out", "Not taken"
    UNREADABLE = "unreadable", "Cannot be read"


class Arrived(models.Model):
    """A letter for one address. Its bytes are held by a BlobReference, "arrived:<public id>", until it is done.

    `door` and `address` say whom it is for: the room that answers for such addresses, and its name for this one.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    door = models.CharField(max_length=12)
    address = models.CharField(max_length=16)
    blob = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    sender = models.CharField(max_length=320, blank=True, default="")  # of the envelope; empty: a report
    arrived_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # when it is looked at; once it was: when it may be forgotten
    tries = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    why = models.CharField(max_length=20, blank=True, default="")  # a code of the door's
    facts = models.JSONField(default=dict)  # what the door notes to ask a person: subject, names, addresses

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "blob"], name="arrived_once")]
        indexes = [
            models.Index(fields=["due_at"], name="arrived_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["account", "state", "-arrived_at"], name="arrived_of_account"),
            models.Index(
                fields=["due_at"], name="arrived_to_forget", condition=models.Q(state__in=["done", "left_out"])
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def holder(self) -> str:
        """Its name among the holders of bytes."""
        return f"arrived:{self.public_id}"
