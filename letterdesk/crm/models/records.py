"""Whom the company deals with: contacts, companies, leads, deals. One table, so that whatever lists, binds, hands over,
merges or bins records does it once for all kinds."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import KEPT, OfRecordQuerySet, RecordQuerySet, StageQuerySet
from letterdesk.lib.ids import new_public_id


class Kind(models.TextChoices):
    """What a record is."""

    CONTACT = "contact", _("Contact")
    COMPANY = "company", _("Company")
    LEAD = "lead", _("Lead")
    DEAL = "deal", _("Deal")


class Source(models.TextChoices):
    """Where a record came from."""

    PERSON = "person", _("Entered by a colleague")
    LETTER = "letter", _("Made from a letter")  # R28
    IMPORT = "import", _("Imported")


class Pipeline(models.Model):
    """The way of leads or of deals, stage by stage."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pipelines", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "name"], name="pipeline_name_once")]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """How far a lead or a deal has come; an outcome ends it."""

    class Outcome(models.TextChoices):
        OPEN = "", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages", db_index=False)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=4, choices=Outcome.choices, blank=True, default=Outcome.OPEN)

    objects = StageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pipeline", "name"], name="stage_name_once")]

    def __str__(self) -> str:
        return self.name


class Record(models.Model):
    """A contact, company, lead or deal. In CRM's bin from `deleted_at` on, for 30 days (R8)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="records", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=300)
    responsible = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.PERSON)
    note = models.TextField(blank=True, default="")
    position = models.CharField(max_length=200, blank=True, default="")  # a contact's place in the company
    # A contact's, lead's or deal's company, and a deal's contact.
    company = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="of_company")
    contact = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="of_contact")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, null=True, related_name="records")  # leads, deals
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    active_at = models.DateTimeField(default=timezone.now)  # its latest activity, or its making: a list's order
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "kind", "-active_at", "-id"], name="record_latest_first"),
            models.Index(fields=["deleted_at"], name="record_in_bin", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        """What events call this record."""
        return f"{self.kind}:{self.public_id}"

    @property
    def purges_at(self) -> datetime | None:
        """When the bin lets it go; None: it is in no bin."""
        return None if self.deleted_at is None else self.deleted_at + KEPT


class EmailAddress(models.Model):
    """An address of a record; deals have none, they are reached through their contact and company."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="addresses", db_index=False)
    email = models.CharField(max_length=320)  # as people write it
    key = models.CharField(max_length=320)  # as letters are compared with it: folded
    position = models.PositiveIntegerField(default=0)

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "key"], name="email_address_once")]
        indexes = [models.Index(fields=["account", "key"], name="email_address_known")]

    def __str__(self) -> str:
        return self.email


class Phone(models.Model):
    """A telephone number of a record."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=60)
    position = models.PositiveIntegerField(default=0)

    objects = OfRecordQuerySet.as_manager()

    def __str__(self) -> str:
        return self.number
