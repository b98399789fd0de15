"""Where the sync stands in each folder, and which process watches which mailbox."""

from django.db import models

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.models import Folder, Mailbox


class FolderCursor(models.Model):
    """How far our copy of a folder has come. Moved only in the transaction that commits the changes up to it.

    UID sets are kept as sequence-sets (`1:4,7`), see `mail.uidset`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    folder = models.OneToOneField(Folder, on_delete=models.CASCADE, related_name="cursor")
    uidvalidity = models.BigIntegerField(null=True)
    uidnext = models.BigIntegerField(default=1)  # every UID below was learned: it is in one of the sets
    modseq = models.BigIntegerField(default=0)  # all changes up to it are here; 0: none that can be trusted
    history_end = models.BigIntegerField(default=0)  # UIDs below lay there at the first look: they act on nothing
    expected = models.PositiveIntegerField(default=0)  # EXISTS as last told by the server
    server_uids = models.TextField(blank=True, default="")  # all UIDs on the server, as last learned
    left_out = models.JSONField(default=dict)  # {"too_old": "1:400", "refused": "7"}: reason → UIDs
    settled = models.JSONField(default=dict)  # STATUS when nothing was left to do; empty: something is
    cutoff = models.DateTimeField(null=True)  # R21, fixed when the depth was chosen: at or before it nothing is fetched
    times_resumed = models.PositiveIntegerField(default=0)  # of the mailbox, when this was last judged by it
    depth = models.IntegerField(default=-1)  # the depth in days that `cutoff` was made of; 0: everything, -1: not yet
    strikes = models.PositiveIntegerField(default=0)  # fetches begun since a batch was last stored (G14)
    suspect = models.TextField(blank=True, default="")  # the UIDs that were being prepared, one by one (G14)
    flags_checked_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)  # some letters with what the server has under their UIDs (A05)
    audited_at = models.DateTimeField(null=True)
    drift = models.JSONField(default=dict)  # what the last audit found wrong, empty: nothing
    vanish_suspected_at = models.DateTimeField(null=True)  # the mass-vanish brake is on (P5)
    validity_changes = models.PositiveIntegerField(default=0)  # in a row (A04)
    stalled_reason = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"{self.folder}: up to {self.uidnext}"


class Lease(models.Model):
    """Which process keeps a mailbox in step.

    Time is the database's; `fence` grows with each holder and guards every write.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="lease")
    holder = models.CharField(max_length=64, blank=True, default="")
    fence = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)  # back-off after failures
    failures = models.PositiveIntegerField(default=0)
    wanted_at = models.DateTimeField(null=True)  # a person asked for a pass now

    class Meta:
        indexes = [models.Index(fields=["holder"], name="lease_of_holder")]

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.holder or 'free'}"


class SyncProcess(models.Model):
    """A running sync process: how the processes know into how many shares the mailboxes fall."""

    name = models.CharField(max_length=64, unique=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
