"""Searches that a person saved, and those they made lately."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import SavedSearchQuerySet

from .mailboxes import Mailbox


class SavedSearch(models.Model):
    """A search of one employee: a view, saved under a name, or only a recent one.

    A view may be shared with who reads a mailbox, or with everyone; what they find by it are letters of their own.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    query = models.CharField(max_length=1000)
    name = models.CharField(max_length=100, blank=True, default="")
    is_saved = models.BooleanField(default=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, null=True, related_name="+")
    is_everyones = models.BooleanField(default=False)
    used_at = models.DateTimeField(default=timezone.now)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "query"], name="saved_search_once")]
        indexes = [
            models.Index(fields=["account"], name="saved_search_everyones", condition=models.Q(is_everyones=True))
        ]

    def __str__(self) -> str:
        return self.name or self.query

    @property
    def is_shared(self) -> bool:
        """Whether others see it."""
        return self.is_everyones or self.mailbox_id is not None
