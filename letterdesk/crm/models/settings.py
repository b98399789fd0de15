"""What is saved to CRM by itself, and who sees what of it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.access import OfAccountQuerySet
from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import InMailboxQuerySet
from letterdesk.mailboxes.models import Mailbox

from .records import Pipeline


class Scope(models.TextChoices):
    """Which records somebody sees and changes."""

    OWN = "own", _("Their own")
    DEPARTMENT = "department", _("Those of their department")
    ALL = "all", _("All")


class Sight(models.Model):
    """What people of a role see in CRM; without a row: administrators all, supervisors the department's, others own."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = models.CharField(max_length=16, choices=Role.choices)
    scope = models.CharField(max_length=10, choices=Scope.choices)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "role"], name="sight_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.scope}"


class Unknown(models.TextChoices):
    """What a letter from or to an address that nobody knows becomes (R28)."""

    NOTHING = "nothing", _("Nothing")
    LEAD = "lead", _("A lead")
    CONTACT = "contact", _("A contact")
    DEAL = "deal", _("A contact and a deal")


class Returning(models.TextChoices):
    """What a letter of a known client becomes who has nothing open with us (R28)."""

    NOTHING = "nothing", _("Nothing new")
    LEAD = "lead", _("A new lead")
    DEAL = "deal", _("A new deal")


class Making(models.Model):
    """What becomes of letters of unknown people, and what the records that are made of them say.

    Of a mailbox of Webmail, a polled one, or a secret address.
    """

    unknown_incoming = models.CharField(max_length=8, choices=Unknown.choices, default=Unknown.NOTHING)
    unknown_outgoing = models.CharField(max_length=8, choices=Unknown.choices, default=Unknown.NOTHING)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.SET_NULL, null=True, related_name="+")  # of the deals made
    reads_cards = models.BooleanField(default=False)  # visiting cards (vCard) among the files become contacts
    came_from = models.CharField(max_length=200, blank=True, default="")  # what such records say; empty: the mailbox

    class Meta:
        abstract = True


class MailboxSaving(Making):
    """What of a mailbox is saved to CRM; without a row: letters of known addresses, and nothing of unknown ones."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="saving")
    known = models.BooleanField(default=True)  # R5
    returning = models.CharField(max_length=8, choices=Returning.choices, default=Returning.NOTHING)
    considered = models.BigIntegerField(default=0)  # letters of the mailbox up to this key have been looked at

    objects = InMailboxQuerySet.as_manager()

    def __str__(self) -> str:
        return f"saving of {self.mailbox_id}"

    @property
    def makes_something(self) -> bool:
        """Whether records are made of letters (R28)."""
        made = (self.unknown_incoming != Unknown.NOTHING, self.unknown_outgoing != Unknown.NOTHING)
        return any(made) or self.returning != Returning.NOTHING


class Turn(models.Model):
    """Somebody whose turn it is, one after the other, to be responsible for what a mailbox makes (`turns.py`).

    Of a mailbox of Webmail, or of a polled one.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    saving = models.ForeignKey(MailboxSaving, on_delete=models.CASCADE, null=True, related_name="turns", db_index=False)
    polled = models.ForeignKey(
        "crm.PolledMailbox", on_delete=models.CASCADE, null=True, related_name="turns", db_index=False
    )
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(default=0)
    last = models.BigIntegerField(default=0)  # the number of their last turn, of all turns in this mailbox; 0: none yet

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["saving", "employee"], name="turn_once"),
            models.UniqueConstraint(fields=["polled", "employee"], name="turn_of_polled_once"),
            models.CheckConstraint(
                condition=models.Q(saving__isnull=True) ^ models.Q(polled__isnull=True), name="turn_of_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} at {self.saving_id or self.polled_id}"


class Writing(models.Model):
    """To whom letters are written in CRM; without a row: to the addresses of their record alone (R24)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    to_anybody = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.account_id}: {'anybody' if self.to_anybody else 'the record'}"


class Exclusion(models.Model):
    """Addresses that CRM never saves by itself: an address, a domain ("@example.com"), or a pattern with *."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="exclusions", db_index=False)
    pattern = models.CharField(max_length=320)  # folded
    comment = models.CharField(max_length=300, blank=True, default="")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "pattern"], name="exclusion_once")]

    def __str__(self) -> str:
        return self.pattern
