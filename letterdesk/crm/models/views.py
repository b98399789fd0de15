"""Views of CRM's lists: filters that people keep under a name."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import ListViewQuerySet
from letterdesk.lib.ids import new_public_id

from .records import Kind


class ListView(models.Model):
    """A list of records with its filters, under a name; may be shared with everyone of the account.

    The query is that of the list's address: whoever opens it sees what they may see, and "mine" is their own.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=1000, blank=True, default="")
    is_everyones = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)

    objects = ListViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "kind", "query"], name="list_view_once")]
        indexes = [
            models.Index(fields=["account"], name="list_view_everyones", condition=models.Q(is_everyones=True)),
        ]

    def __str__(self) -> str:
        return self.name
