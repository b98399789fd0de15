"""What people were told, how they want to be told, and the browsers that are pushed to."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.crypto import EncryptedJSON
from letterdesk.mailboxes.models import Conversation, Mailbox
from letterdesk.notifications.access import NotificationQuerySet, OwnWishesQuerySet
from letterdesk.outbound.models import Delivery
from letterdesk.tasks.models import Task


class Kind(models.TextChoices):
    """What happened."""

    LETTERS = "letters", _("New letters")
    ANSWER = "answer", _("Answer in a conversation of yours")
    ASSIGNED = "assigned", _("Conversation assigned to you")
    DEPARTMENT = "department", _("Conversation assigned to your department")
    MENTION = "mention", _("Mention")
    COMMENT = "comment", _("Comment in a conversation of yours")
    SHOWN = "shown", _("Conversation shown to you")
    UNANSWERED = "unanswered", _("Nobody has answered")
    HELD_BACK = "held_back", _("Letter held back")
    NOT_SENT = "not_sent", _("Letter not sent")
    PERHAPS_SENT = "perhaps_sent", _("Letter perhaps sent")
    NOT_REACHED = "not_reached", _("Letter did not reach everybody")
    TASK = "task", _("Task for you")
    TASK_COMMENT = "task_comment", _("Comment in a task")
    ASKED = "asked", _("A letter waits for your word")
    SIGN_IN = "sign_in", _("Mailbox needs a new sign-in")
    POLLED = "polled", _("Mailbox for CRM needs you")
    NOT_LINKED = "not_linked", _("CRM cannot look at a letter")
    ACCESS_ASKED = "access_asked", _("Somebody asks for access")
    ACCESS_GIVEN = "access_given", _("Access given to you")
    SUSPENDED = "suspended", _("Mailbox suspended by plan")
    PLAN = "plan", _("Plan ends")


CRM_ASKS = "crm:asked"  # what a line is about whose letters wait on CRM's page of questions, not in a task
CRM_UNREADABLE = "crm:unreadable"  # and whose letters cannot be read; ":<mailbox>" follows where it was polled


class Level(models.TextChoices):
    """Of what in a mailbox somebody is told."""

    ALL = "all", _("All new letters")
    MINE = "mine", _("Mine and mentions")
    NONE = "none", _("Nothing")


class Notification(models.Model):
    """A line that one person was told. It names what it is about; what that says is read when the line is read (R9).

    While it is not seen, what happens again raises its `count`: `about` is what makes two happenings one line.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    about = models.CharField(max_length=64)  # such as "mailbox:<id>", "conversation:<id>", "draft:<id>"
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="+")
    conversation = models.ForeignKey(  # leads nowhere when its last letter is gone from here (visible_to, forget)
        Conversation, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    task = models.ForeignKey(Task, on_delete=models.CASCADE, null=True, related_name="+")
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, null=True, related_name="+")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    count = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()  # of the last that happened
    seen_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)  # in a digest

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "kind", "about"], name="notification_open_once", condition=models.Q(seen_at=None)
            )
        ]
        indexes = [
            models.Index(fields=["employee", "-at"], name="notification_newest_first"),
            models.Index(fields=["at"], name="notification_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


class Digest(models.TextChoices):
    """How often what is not seen is told by e-mail."""

    NEVER = "", _("Never")
    DAILY = "daily", _("Once a day")
    HOURLY = "hourly", _("Once an hour")


class Telling(models.Model):
    """How one person wants to be told beside the page, and how far that has come."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.OneToOneField(Employee, on_delete=models.CASCADE, related_name="telling")
    tells_bulk = models.BooleanField(default=False)  # newsletters and machines as well
    hides_content = models.BooleanField(default=False)  # pushes and digests say what happened, not what it says
    quiet_from = models.TimeField(null=True)  # of the person's day; None: no quiet hours
    quiet_until = models.TimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    present_at = models.DateTimeField(null=True)  # when a page of theirs last asked for news while it was looked at
    digest = models.CharField(max_length=8, choices=Digest.choices, blank=True, default=Digest.NEVER)
    digest_hour = models.PositiveSmallIntegerField(default=8)  # of the person's day
    digest_due_at = models.DateTimeField(null=True)
    push_due_at = models.DateTimeField(null=True)  # None: nothing waits to be pushed
    pushed_at = models.DateTimeField(null=True)
    wakes = models.PositiveBigIntegerField(default=0)  # what is told while a push is on its way is not forgotten

    objects = OwnWishesQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["push_due_at"], name="telling_to_push", condition=models.Q(push_due_at__isnull=False)),
            models.Index(
                fields=["digest_due_at"], name="telling_to_mail", condition=models.Q(digest_due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"How {self.employee_id} is told"


class MailboxTelling(models.Model):
    """Of what in this mailbox one person wants to be told, where that is not the usual (`wishes.py`)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=4, choices=Level.choices)

    objects = OwnWishesQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "mailbox"], name="mailbox_telling_once")]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.level} of {self.mailbox_id}"


class LettersTold(models.Model):
    """How far the letters of a mailbox have been told: the key of the last one that was looked at."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="+")
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.mailbox_id}: {self.last}"


class PushBrowser(models.Model):
    """A browser that one person wants to be pushed to, as long as they are signed in there.

    Its address and keys are secrets: who has them can write into that browser (RFC 8030 8).
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    endpoint_hash = models.CharField(max_length=64, unique=True)  # SHA-256, hex
    keys = EncryptedJSON()  # {"endpoint": …, "p256dh": …, "auth": …}
    session_secret = models.CharField(max_length=40)  # of Django's session: signed out there, pushed no more
    name = models.CharField(max_length=80, blank=True, default="")  # such as "Firefox on Linux"
    made_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)  # in a row

    objects = OwnWishesQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
