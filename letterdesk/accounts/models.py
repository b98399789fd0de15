"""Accounts (tenants) and their people."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.access import DepartmentQuerySet, EmployeeQuerySet, InvitationQuerySet
from letterdesk.lib.ids import new_public_id


class Account(models.Model):
    """A company that uses Letterdesk: the tenant that every other row belongs to."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    left_behind_until = models.DateTimeField(null=True)  # administrators are warned: mailboxes of somebody who left go
    closed_at = models.DateTimeField(null=True)  # its deletion was asked for: close.py
    closed_by = models.ForeignKey("Employee", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    purge_began_at = models.DateTimeField(null=True)  # from here on nothing brings it back
    purged_at = models.DateTimeField(null=True)
    links_off_at = models.DateTimeField(null=True)  # an operator has switched off where links in its letters lead

    def __str__(self) -> str:
        return self.name

    @property
    def is_closed(self) -> bool:
        """Whether only its administrators get in, to take its deletion back or to export it."""
        return self.closed_at is not None


class Department(models.Model):
    """A part of the company; mailboxes can be shared with all its people (R16)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="departments")
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="department_name_once")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What an employee may administer. Nobody reads mail by role: that takes a grant."""

    ADMINISTRATOR = "administrator", _("Administrator")
    SUPERVISOR = "supervisor", _("Supervisor")
    EMPLOYEE = "employee", _("Employee")


class EmployeeManager(BaseUserManager["Employee"].from_queryset(EmployeeQuerySet)):  # type: ignore[misc]
    """Makes people; addresses are compared without regard to case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Employee":
        """Make an employee who signs in with this address. Without a password none works until one is set."""
        employee: Employee = self.model(email=email.strip().lower(), **fields)
        employee.set_password(password)
        employee.save(using=self._db)
        return employee

    def get_by_natural_key(self, username: str | None) -> "Employee":
        employee: Employee = self.get(email=(username or "").strip().lower())
        return employee


class Employee(AbstractBaseUser):
    """A person of one account. The sign-in user of Django."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="employees")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.EMPLOYEE)
    department = models.ForeignKey(
        Department, on_delete=models.SET_NULL, null=True, blank=True, related_name="employees"
    )
    time_zone = models.CharField(max_length=64, blank=True, default="")
    preferences = models.JSONField(default=dict, blank=True)  # preferences.py
    is_active = models.BooleanField(default=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True)  # administrators were told that their mailboxes are about to go
    away_until = models.DateField(null=True, blank=True)  # their last day away: absence.py
    is_operator = models.BooleanField(default=False)  # runs the installation: given by command line alone
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EmployeeManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="employee_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def topic(self) -> str:
        """Whom events concern live that are for this person alone."""
        return f"employee:{self.public_id}"

    @property
    def is_administrator(self) -> bool:
        return self.role == Role.ADMINISTRATOR

    @property
    def is_locked_out(self) -> bool:
        """Whether the account is closed for this person; for administrators, only when its purge has begun."""
        account = self.account
        return account.purge_began_at is not None or (account.is_closed and not self.is_administrator)


class Invitation(models.Model):
    """A way in for one address: single use, 72 hours, only its hash is kept (C20)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.EMPLOYEE)
    department = models.ForeignKey(Department, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email


class Pace(models.Model):
    """How often something was done in a span of time, to limit it (C26). `who` is "" for the whole account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=32)
    who = models.CharField(max_length=64, blank=True, default="")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "action", "who", "begins_at"], name="pace_counted_once")
        ]
        indexes = [models.Index(fields=["ends_at"], name="pace_to_forget")]

    def __str__(self) -> str:
        return f"{self.action} {self.who}: {self.times}"


class CacheEntry(models.Model):
    """The table of Django's database cache, which counts sign-in attempts of all processes (C26)."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "cache"

    def __str__(self) -> str:
        return self.cache_key
