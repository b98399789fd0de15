"""How long letters stay by own choice, and what the sweep leaves behind: receipts, and what it knows of the clock."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id

from .conversations import Conversation
from .mailboxes import Mailbox


class Receipt(models.Model):
    """What a rule deleted: how many, where, when, never what they said. Each is sealed with the one before (F19)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="receipts", db_index=False)
    number = models.PositiveIntegerField()  # 1, 2, 3 … of the account: a missing one shows
    at = models.DateTimeField()
    rule = models.CharField(max_length=16)  # "R9", "own", "R12", "R29", "disconnected" (forget.py), "account" (its end)
    mailbox = models.CharField(max_length=16)  # its public id: the receipt outlives it
    address = models.CharField(max_length=320)
    count = models.PositiveIntegerField()
    listed = models.CharField(max_length=64)  # SHA-256 of the deleted letters' own hashes, sorted
    previous = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="receipt_once")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count} of {self.address}"


class ReceiptCheck(models.Model):
    """The last time that all receipts of an account were checked: up to which, and what was wrong (`chain.py`)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    number = models.PositiveIntegerField()  # the last receipt that was in a whole chain, and its seal: it must stay
    seal = models.CharField(max_length=64, blank=True)
    flaws = models.JSONField(default=list)  # [what, first, last] as in `chain.Flaw`; empty: the chain was whole

    def __str__(self) -> str:
        return f"{self.number} receipts at {self.at}"


class SweepClock(models.Model):
    """One row: when the sweep last ran, and until when a jump of the clock holds it back (F11, R20)."""

    seen_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"seen {self.seen_at}"


class RetentionRule(models.Model):
    """Own times of an account or of one mailbox, from a moment on. Rows are never changed: a later one takes over.

    None in all three: from then on there are none. A row whose seal does not fit was not made here, and holds nowhere.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="retention_rules", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="retention_rules")
    days = models.PositiveIntegerField(null=True)
    sent_days = models.PositiveIntegerField(null=True)  # of what lies in Sent
    draft_days = models.PositiveIntegerField(null=True)  # of what lies in Drafts
    made_at = models.DateTimeField()
    begins_at = models.DateTimeField()  # later than made_at where the brake holds (F09)
    taken_back_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    by_operator = models.BooleanField(default=False)  # the command line
    going = models.PositiveIntegerField(default=0)  # letters that the preview counted
    seal = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["account", "begins_at"], name="retention_rule_of_account")]

    def __str__(self) -> str:
        return f"{self.days} days from {self.begins_at}"


class LegalHold(models.Model):
    """Letters that must stay whatever any rule says (F05): of the account, a mailbox, a conversation, or an address.

    Each letter under it has a Hold row "legal:<public id>"; they go 30 days after the release (F08).
    """

    class Scope(models.TextChoices):
        ACCOUNT = "account", _("All letters of the company")
        MAILBOX = "mailbox", _("A mailbox")
        CONVERSATION = "conversation", _("A conversation")
        ADDRESS = "address", _("Letters from and to an address")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="legal_holds")
    scope = models.CharField(max_length=12, choices=Scope.choices)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, null=True, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.SET_NULL, null=True, related_name="+")
    address = models.CharField(max_length=320, blank=True, default="")
    reason = models.CharField(max_length=400)
    placed_at = models.DateTimeField()
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    covered_to = models.BigIntegerField(default=0)  # key of the last letter that was looked at while it is placed …
    covered_at = models.DateTimeField(null=True)  # … and when all had their Hold rows: until then nothing near it goes
    released_at = models.DateTimeField(null=True)
    freed_at = models.DateTimeField(null=True)  # its letters follow the rules again

    def __str__(self) -> str:
        return f"{self.scope}: {self.reason}"

    @property
    def reference(self) -> str:
        """How its Hold rows name it."""
        return f"legal:{self.public_id}"
