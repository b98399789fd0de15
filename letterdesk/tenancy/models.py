"""Exports that administrators asked for."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.lib.ids import new_public_id

KEPT = timedelta(days=7)


class ExportState(models.TextChoices):
    """How far an export is."""

    ASKED = "asked", _("Waits to be made")
    RUNNING = "running", _("Is being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Could not be made")


class ExportQuerySet(models.QuerySet[Any]):
    """Exports, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """That there are such: all of the account, for an administrator at work."""
        working = Employee.objects.filter(pk=employee.pk, account=employee.account_id, is_active=True)
        administrator = working.filter(role=Role.ADMINISTRATOR, dismissed_at=None)
        return self.filter(Exists(administrator), account=employee.account_id)

    def fetched_by(self, employee: Employee, *, now: datetime) -> Self:
        """Those that this employee may download: asked for by themselves, ready, and not over."""
        own = self.visible_to(employee).filter(by=employee.pk)
        return own.filter(state=ExportState.READY, asked_at__gt=now - KEPT)


class Export(models.Model):
    """An export: its file lies in `parcels`, for seven days from the asking."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes
    failure = models.CharField(max_length=16, blank=True, default="")  # "disk_full", "lost", "not_allowed", "error"

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="export_one_at_a_time",
                condition=models.Q(state__in=["asked", "running"]),
            )
        ]
        indexes = [models.Index(fields=["account", "-asked_at"], name="export_of_account")]

    def __str__(self) -> str:
        return f"{self.public_id}: {self.state}"

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.public_id}.zip"

    @property
    def ends_at(self) -> datetime:
        """When it is removed."""
        return self.asked_at + KEPT

    @property
    def is_going_on(self) -> bool:
        """Whether it waits or is being made."""
        return self.state in {ExportState.ASKED, ExportState.RUNNING}
