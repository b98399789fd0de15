"""Whom the company deals with: contacts, companies, leads, deals. One table, so that whatever lists, binds, hands over,
merges or bins records does it once for all kinds."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.crm.access import KEPT, OfRecordQuerySet, PipelineQuerySet, RecordQuerySet, StageQuerySet
from letterdesk.lib.alphabet import LONGEST_KEY
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
    """The way of leads or of deals, stage by stage. New ones begin in the first of their kind that is there."""

    class Everyone(models.TextChoices):
        """What people who are not chosen for a pipeline may do there, as far as their sight goes."""

        CHANGE = "change", _("Everyone sees and changes what is in it")
        SEE = "see", _("Everyone sees what is in it, those who are chosen change it")
        NOTHING = "", _("Only those who are chosen see what is in it")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pipelines", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0)
    everyone = models.CharField(max_length=6, choices=Everyone.choices, blank=True, default=Everyone.CHANGE)

    objects = PipelineQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind", "name"], name="pipeline_name_once")]

    def __str__(self) -> str:
        return self.name


class PipelineGrant(models.Model):
    """Somebody, or a department, is chosen for a pipeline that is not open to everyone."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="grants", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, null=True, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.CASCADE, null=True, related_name="+")
    may_change = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "employee"], name="pipeline_employee_once", condition=models.Q(department=None)
            ),
            models.UniqueConstraint(
                fields=["pipeline", "department"], name="pipeline_department_once", condition=models.Q(employee=None)
            ),
            models.CheckConstraint(
                condition=models.Q(employee=None, department__isnull=False)
                | models.Q(employee__isnull=False, department=None),
                name="pipeline_grant_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id or self.department_id} in {self.pipeline_id}"


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
    name_key = models.CharField(max_length=LONGEST_KEY, blank=True, default="")  # as lists have it in order: `sort_key`
    responsible = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.PERSON)
    came_from = models.CharField(max_length=200, blank=True, default="")  # in people's words: a fair, a mailbox
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
    merged_into = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="merged")  # in the bin

    objects = RecordQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "kind", "-active_at", "-id"], name="record_latest_first"),
            models.Index(fields=["account", "-active_at", "-id"], name="record_active_last"),
            models.Index(fields=["account", "kind", "name_key", "id"], name="record_by_name"),
            models.Index(fields=["account", "kind", "created_at", "id"], name="record_by_making"),
            models.Index(  # all that sorting by people and stages reads
                fields=["account", "kind", "responsible", "stage", "id"],
                name="record_by_people",
                condition=models.Q(deleted_at=None),
            ),
            models.Index(
                fields=["account", "kind", "amount", "id"],
                name="record_by_amount",
                condition=models.Q(amount__isnull=False),
            ),
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
    domain = models.CharField(max_length=255, default="")  # what stands behind the @ of `key`
    position = models.PositiveIntegerField(default=0)

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "key"], name="email_address_once")]
        indexes = [
            models.Index(fields=["account", "key"], name="email_address_known"),
            models.Index(fields=["account", "domain"], name="email_address_domain"),
        ]

    def __str__(self) -> str:
        return self.email


class Phone(models.Model):
    """A telephone number of a record."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=60)  # as people write it
    key = models.CharField(max_length=60, default="")  # as numbers are compared: `records.phone_key`
    position = models.PositiveIntegerField(default=0)

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "key"], name="phone_known")]

    def __str__(self) -> str:
        return self.number


class NotTheSame(models.Model):
    """Two records that look alike, of which a person said that they are not the same; `first` has the lower key."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    first = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="not_the_same_once")]

    def __str__(self) -> str:
        return f"{self.first_id} is not {self.second_id}"
