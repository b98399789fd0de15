"""The one table of what happened: audit trail, source of reactions and of live updates."""

from typing import Any, Self

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee


class EventQuerySet(models.QuerySet[Any]):
    """Events, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """The audit trail: all of the account for an administrator, what they did themselves for others."""
        ours = self.filter(account=employee.account_id)
        return ours if employee.is_administrator else ours.filter(by=employee)


class Event(models.Model):
    """Something that happened, in the past tense ("message.received"), written in the transaction that did it.

    `topic` says whom it concerns live ("mailbox:<public id>"); `subject` what it was about;
    `facts` holds ids and counts, never the content of a letter.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=64)
    topic = models.CharField(max_length=64, blank=True, default="")
    subject = models.CharField(max_length=96, blank=True, default="")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    dispatched_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "-at"], name="event_of_account"),
            models.Index(fields=["account", "kind", "-at"], name="event_of_kind"),
            models.Index(fields=["account", "subject", "-at"], name="event_on", condition=~models.Q(subject="")),
            models.Index(fields=["account", "id"], name="event_to_dispatch", condition=models.Q(dispatched_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class FailedReaction(models.Model):
    """A reaction that raised: tried again when due, kept with `given_up_at` after the third time (G14).

    `reaction` is its dotted name, empty where the event killed the worker itself; `error` its kind and place,
    never its text.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="failures")
    reaction = models.CharField(max_length=200, blank=True, default="")
    error = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "reaction"], name="failed_reaction_once")]
        indexes = [models.Index(fields=["due_at"], name="failed_to_retry", condition=models.Q(given_up_at=None))]

    def __str__(self) -> str:
        return f"{self.reaction}: {self.error}"
