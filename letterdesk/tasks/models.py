"""Tasks, what is written in them, and the letters they are about."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.models import Record
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.outbound.models import VerifiedSender
from letterdesk.tasks.access import KEPT, OfTaskQuerySet, PersonalQuerySet, TaskLetterQuerySet, TaskQuerySet


class Status(models.TextChoices):
    """How far a task has come."""

    TODO = "todo", _("To do")
    DOING = "doing", _("In progress")
    DONE = "done", _("Done")


class Numbering(models.Model):
    """The number of the account's latest task: no number comes twice, also after a purge."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="+")
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account_id}: #{self.last}"


class Task(models.Model):
    """A task. In the bin from `deleted_at` on, for 30 days (R29)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    number = models.PositiveIntegerField()  # shown as #214
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    creator = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    responsible = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+")
    participants = models.ManyToManyField(
        Employee, through="Participant", through_fields=("task", "employee"), related_name="tasks_taken_part_in"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.TODO)
    deadline = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="task_number_once")]
        indexes = [
            models.Index(fields=["account", "status", "deadline"], name="task_by_deadline"),
            models.Index(
                fields=["deadline"],
                name="task_overdue",
                condition=models.Q(done_at=None, deleted_at=None, deadline__isnull=False),
            ),
            models.Index(fields=["deleted_at"], name="task_in_bin", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def reference(self) -> str:
        """What holds, events and blob references call this task."""
        return f"task:{self.number}"

    @property
    def topic(self) -> str:
        """Whom its events concern live: all of the account hear that some task changed, and not which one."""
        return f"tasks:{self.account.public_id}"

    @property
    def is_done(self) -> bool:
        return self.status == Status.DONE

    @property
    def purges_at(self) -> datetime | None:
        """When the bin lets it go; None: it is in no bin."""
        return None if self.deleted_at is None else self.deleted_at + KEPT

    def is_overdue(self, now: datetime) -> bool:
        """Whether its deadline has passed and it is not done."""
        return self.deadline is not None and not self.is_done and now > self.deadline


class Participant(models.Model):
    """Somebody takes part in a task: sees it, changes it, reads its letters."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="taking_part", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    added_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "employee"], name="participant_once")]

    def __str__(self) -> str:
        return f"{self.employee_id} in {self.task_id}"


class ChecklistItem(models.Model):
    """A line of a task's checklist."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="checklist")
    text = models.CharField(max_length=300)
    is_done = models.BooleanField(default=False)
    done_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    done_at = models.DateTimeField(null=True)

    objects = OfTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.text


class Guest(models.Model):
    """Somebody outside takes part in a task by e-mail, at a signed address of their own (`guests.py`).

    Who invited them wrote from `mailbox` or `verified_sender`. A removed guest stays as the author of what they wrote.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="guests")
    name = models.CharField(max_length=200, blank=True, default="")
    address = models.CharField(max_length=320)
    key = models.CharField(max_length=320)  # the address, folded
    words = models.TextField(blank=True, default="")  # what the invitation said
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    verified_sender = models.ForeignKey(
        VerifiedSender, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    message_id = models.TextField(blank=True, default="")  # of the invitation: what follows answers it
    invited_by = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="+", db_index=False)
    invited_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    unreachable_at = models.DateTimeField(null=True)  # a letter to them came back; None: not, or they wrote since
    unreachable_why = models.TextField(blank=True, default="")  # the server's words

    objects = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "key"], name="guest_once", condition=models.Q(removed_at=None))
        ]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def reference(self) -> str:
        """What events and letters on their way call this guest."""
        return f"guest:{self.public_id}"


class Comment(models.Model):
    """What somebody wrote in a task: one of us, or a guest by e-mail.

    What one of us wrote is internal, and goes to no guest, unless it is `for_guests`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="comments")
    by = models.ForeignKey(Employee, on_delete=models.PROTECT, null=True, related_name="+")
    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, null=True, related_name="comments")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    for_guests = models.BooleanField(default=False)
    message_id = models.TextField(blank=True, default="")  # of the guest's letter: the same one is no second comment
    rest = models.TextField(blank=True, default="")  # what else that letter says: the quote, or its other form
    letter = models.CharField(max_length=64, blank=True, default="")  # its bytes as they came, which the task holds
    from_address = models.CharField(max_length=320, blank=True, default="")  # where it is not the guest's own
    confirmed_by = models.ForeignKey(  # nothing proved who sent it, and this colleague took it
        Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    objects = OfTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(by=None) ^ models.Q(guest=None), name="comment_has_one_author")
        ]

    def __str__(self) -> str:
        return f"{self.author} in {self.task_id}"

    @property
    def author(self) -> Employee | Guest:
        """The one of the two."""
        author = self.by or self.guest
        assert author is not None  # noqa: S101  the database holds it
        return author


class TaskFile(models.Model):
    """A file of the task's own: it lives and dies with the task, whatever becomes of any letter (R4)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="files")
    blob = models.CharField(max_length=64)
    filename = models.CharField(max_length=300)
    content_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    by = models.ForeignKey(Employee, on_delete=models.PROTECT, null=True, related_name="+")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, related_name="files")  # a guest's
    at = models.DateTimeField(default=timezone.now)

    objects = OfTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.filename

    @property
    def author(self) -> Employee | Guest | None:
        """Who brought it: one of us, or a guest with what they wrote."""
        return self.by or (self.comment.author if self.comment else None)


class TaskLetter(models.Model):
    """A task is about this letter, in this one mailbox (R4): there is a Hold as long as there is this row."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="letters", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="task_links")
    linked_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    linked_at = models.DateTimeField(default=timezone.now)

    objects = TaskLetterQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "message"], name="task_letter_once")]

    def __str__(self) -> str:
        return f"{self.message_id} in {self.task_id}"


class TaskRecord(models.Model):
    """A task is about this record of CRM."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="record_links", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="task_links")
    linked_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    linked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "record"], name="task_record_once")]

    def __str__(self) -> str:
        return f"{self.task_id} about {self.record_id}"


class Reminder(models.Model):
    """Somebody wants to be reminded of a task: minutes before its deadline, or at a moment of their choice."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="reminders", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    minutes_before = models.PositiveIntegerField(null=True)  # None: at that moment, whatever the deadline
    due_at = models.DateTimeField(null=True)  # None: the task has no deadline now
    told_at = models.DateTimeField(null=True)

    objects = PersonalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "employee", "minutes_before"],
                name="reminder_before_once",
                condition=models.Q(minutes_before__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["task", "employee", "due_at"],
                name="reminder_at_once",
                condition=models.Q(minutes_before__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="reminder_due", condition=models.Q(told_at=None))]

    def __str__(self) -> str:
        return f"{self.employee_id} of {self.task_id}"


class Notice(models.Model):
    """Somebody was told of a task, or how many are overdue; `key` is what makes it come once."""

    class Kind(models.TextChoices):
        """What it is about."""

        REMINDER = "reminder", _("Reminder")
        OVERDUE = "overdue", _("Overdue")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, null=True, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=1)  # of tasks
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True)  # these two by `notifications`, as of its own lines
    mailed_at = models.DateTimeField(null=True)

    objects = PersonalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "key"], name="notice_once")]
        indexes = [
            models.Index(fields=["employee", "at"], name="notice_unseen", condition=models.Q(seen_at=None)),
            models.Index(fields=["at"], name="notice_to_forget"),
        ]

    def __str__(self) -> str:
        return self.key
