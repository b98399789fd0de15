"""Mailboxes come and go: connect, pause, resume, mend, transfer, disconnect. The server is never written to here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.plans import limits

from . import forget, listing
from .intentions import drop
from .jobs import forget_mailboxes
from .models import Folder, Mailbox, MailboxState, PendingChange
from .retention import tombstones
from .tokens import Secret, columns_of, provider_of

COUNTED: tuple[MailboxState, ...] = (  # R14: suspended ones do not count
    MailboxState.CONNECTED,
    MailboxState.FAILING,
    MailboxState.PAUSED,
)


class AlreadyConnected(Exception):
    """This mailbox is connected in this account already; the text says by whom, `mailbox` is that one."""

    code = "already_connected"

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(f"This mailbox is already connected by {mailbox.owner.name} as {mailbox.name}.")
        self.mailbox = mailbox


class NotPossible(Exception):
    """The mailbox is in a state in which this cannot be done."""

    code = "not_possible"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a mailbox lies and whom the server knows there; without the secret."""

    imap_host: str
    imap_port: int = 993
    imap_security: str = "tls"
    imap_user: str = ""
    smtp_host: str = ""
    smtp_port: int = 465
    smtp_security: str = "tls"
    smtp_user: str = ""

    def columns(self, address: str) -> dict[str, str | int]:
        """As the mailbox keeps them: host names in small letters, the address where no user is named."""
        columns = {name: getattr(self, name) for name in self.__dataclass_fields__}
        hosts = {"imap_host": self.imap_host.strip().lower(), "smtp_host": self.smtp_host.strip().lower()}
        return columns | hosts | {"imap_user": self.imap_user.strip() or address}


def owned(owner: Employee) -> QuerySet[Mailbox]:
    """The mailboxes that count against this employee's limit (R14): connected, failing or paused, with a server."""
    return Mailbox.objects.filter(owner=owner, state__in=COUNTED).exclude(imap_host="")


def connected_as(account: Account, server: Server, address: str) -> Mailbox | None:
    """The mailbox of this account that is this one on the server; None: it is not connected."""
    return _same(account, server.columns(address.strip()))


def connect(
    owner: Employee,
    *,
    address: str,
    server: Server,
    secret: Secret,
    name: str = "",
    fetch_days: int | None,
    by: Employee,
    now: datetime,
) -> Mailbox:
    """Connect a mailbox for `owner`; the sync fetches its letters of the last `fetch_days` (None: all the plan allows).

    `secret` is {"password": …} or a consent's (tokens.py). Whether the server lets us in is the caller's to test first.
    Raises NotInPlan (R1, R2), LimitReached (R14, R21), AlreadyConnected, and NotPossible for an owner who left.
    """
    account, address = owner.account, address.strip()
    with limits.locked(account):
        _check_owner(owner, account)
        limits.require(account, integration=True, mailboxes=owned(owner).count() + 1, now=now)  # R1, R14
        _check_depth(account, fetch_days, now)
        columns = server.columns(address)
        _refuse_second(account, columns)
        mailbox = Mailbox.objects.create(
            account=account, owner=owner, address=address, name=name.strip() or address, secret=secret,
            signs_in_by=provider_of(secret), fetch_days=fetch_days, connected_at=now, **columns,
        )  # fmt: skip
        record("mailbox.connected", account=account, by=by, topic=mailbox.topic, subject=mailbox.topic)
    return mailbox


def make_imported(owner: Employee, *, address: str, name: str = "", now: datetime) -> Mailbox:
    """A mailbox without a server, to import into. It counts in no limit; Webmail must be in the plan (R2)."""
    limits.require(owner.account, integration=True, now=now)
    return Mailbox.objects.create(
        account=owner.account, owner=owner, address=address, name=name or address, connected_at=now
    )


@transaction.atomic
def pause(mailbox: Mailbox, *, by: Employee) -> None:
    """Stop syncing until somebody resumes. What is here stays readable."""
    _go(mailbox, MailboxState.PAUSED, out_of=(MailboxState.CONNECTED, MailboxState.FAILING))
    record("mailbox.paused", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic)


def resume(mailbox: Mailbox, *, by: Employee, now: datetime) -> None:
    """Sync again, and fetch again what R9 and R12 had removed (R10). Raises NotInPlan, LimitReached (R14)."""
    with limits.locked(mailbox.account):
        mailbox.refresh_from_db()
        already = owned(mailbox.owner).exclude(pk=mailbox.pk).count()
        limits.require(mailbox.account, integration=True, mailboxes=already + 1, now=now)
        was, out_of = mailbox.state, (MailboxState.PAUSED, MailboxState.FAILING, MailboxState.SUSPENDED)
        _go(mailbox, MailboxState.CONNECTED, out_of=out_of, state_before="")
        tell_resumed(mailbox, was=was, by=by)


def tell_resumed(mailbox: Mailbox, *, was: str, by: Employee | None) -> None:
    """Tombstones of R9 and R12 end, and the sync finds here that it must look anew; after a suspension, what it finds
    acts on nothing (R13).

    Inside the resuming transaction, so that no pass comes in between.
    """
    tombstones.lift(mailbox)
    mailbox.refresh_from_db(fields=["times_resumed"])
    mailbox.times_resumed += 1
    if was == MailboxState.SUSPENDED:
        mailbox.history_from = mailbox.times_resumed
    mailbox.save(update_fields=["times_resumed", "history_from"])
    record("mailbox.resumed", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic, was=was)


def mend(mailbox: Mailbox, *, secret: Secret, server: Server | None = None, by: Employee, now: datetime) -> None:
    """Take a new secret, or new server settings, and sync again if it was not. Raises as `connect`, `resume` do.

    Whoever is renewing a token of before is overtaken. A password may take a consent's place, and the reverse.
    """
    with limits.locked(mailbox.account):
        mailbox.refresh_from_db()
        columns = server.columns(mailbox.address) if server else {}
        if server:
            _refuse_second(mailbox.account, columns, besides=mailbox)
        Mailbox.objects.filter(pk=mailbox.pk).update(**columns, **columns_of(secret))
        mailbox.refresh_from_db()
        if mailbox.state != MailboxState.CONNECTED:
            resume(mailbox, by=by, now=now)


def change_depth(mailbox: Mailbox, fetch_days: int | None, *, now: datetime) -> None:
    """Fetch further back, or less far; the next pass fetches what is newly allowed. Raises LimitReached (R21)."""
    limits.require(mailbox.account, integration=True, now=now)
    _check_depth(mailbox.account, fetch_days, now)
    mailbox.fetch_days = fetch_days
    mailbox.save(update_fields=["fetch_days"])


@transaction.atomic
def settle(mailbox: Mailbox, *, name: str, fetch_days: int | None, by: Employee, now: datetime) -> None:
    """Take another name and another depth. Raises LimitReached (R21); then nothing is changed."""
    if fetch_days != mailbox.fetch_days:
        change_depth(mailbox, fetch_days, now=now)
    mailbox.name = name.strip() or mailbox.address
    mailbox.save(update_fields=["name"])
    record("mailbox.changed", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic,
           fetch_days=fetch_days)  # fmt: skip


def transfer(mailbox: Mailbox, to: Employee, *, by: Employee, now: datetime) -> None:
    """Give the mailbox to another employee of the account. Raises LimitReached beyond the limit of that one (R14).

    A mailbox without a server, or not kept in step, counts for nobody and goes to anyone.
    """
    with limits.locked(mailbox.account):
        mailbox.refresh_from_db()
        _check_owner(to, mailbox.account)
        if mailbox.imap_host and mailbox.state in COUNTED:
            limits.require(mailbox.account, mailboxes=owned(to).exclude(pk=mailbox.pk).count() + 1, now=now)
        before = mailbox.owner
        mailbox.owner = to
        mailbox.save(update_fields=["owner"])
        mailbox.grants.filter(employee=to).delete()  # the owner needs none
        subject = f"employee:{to.public_id}"
        record("mailbox.transferred", account=mailbox.account, by=by, topic=mailbox.topic, subject=subject,
               **{"from": before.public_id})  # fmt: skip


@transaction.atomic
def disconnect(
    mailbox: Mailbox, *, by: Employee | None, keep_copies: bool = True, now: datetime | None = None, why: str = ""
) -> int:
    """Forget the sign-in and stop for good. The mail server is left as it is (R10).

    Kept copies stay readable, for those who could read them, until their period ends (R9). Else they are shown to
    nobody from this moment and removed by a job; what a task holds stays for the task (R4).
    `why` is for the audit where nobody did it. Returns how many intentions are dropped: they can no longer be
    carried out. Raises NotPossible the second time.
    """
    out_of = [state for state in MailboxState if state != MailboxState.DISCONNECTED]
    _go(mailbox, MailboxState.DISCONNECTED, out_of=out_of, **columns_of(None))
    changes = list(PendingChange.objects.filter(mailbox=mailbox).select_related("folder", "target", "placement"))
    listing.refresh(drop(each for each in changes if each.kind != PendingChange.Kind.FLAGS))
    PendingChange.objects.filter(mailbox=mailbox).delete()
    dropped = len(changes)
    if not keep_copies:
        forget.begin(mailbox, now=now or timezone.now())
        forget_mailboxes.later()
    record("mailbox.disconnected", account=mailbox.account, by=by, topic=mailbox.topic, subject=mailbox.topic,
           dropped=dropped, copies_kept=int(keep_copies), why=why)  # fmt: skip
    return dropped


def switch_folder(folder: Folder, *, is_on: bool) -> None:
    """Fetch a folder, or leave it out; what is here of it stays."""
    folder.is_on = is_on
    folder.save(update_fields=["is_on"])


def _check_owner(owner: Employee, account: Account) -> None:
    if not Employee.objects.filter(pk=owner.pk, account=account, is_active=True, dismissed_at=None).exists():
        raise NotPossible(_("A mailbox can belong to an active employee of the same company only."))


def _check_depth(account: Account, fetch_days: int | None, now: datetime) -> None:
    if fetch_days is not None and fetch_days < 1:
        raise NotPossible(_("Fetch at least the last day of mail."))
    limits.require(account, fetch_days=fetch_days, now=now)  # R21; None means as much as the plan has


def _refuse_second(account: Account, columns: dict[str, str | int], *, besides: Mailbox | None = None) -> None:
    found = _same(account, columns, besides=besides)
    if found is not None:
        raise AlreadyConnected(found)


def _same(account: Account, columns: dict[str, str | int], *, besides: Mailbox | None = None) -> Mailbox | None:
    same = Mailbox.objects.filter(account=account, imap_host=columns["imap_host"])
    same = same.filter(imap_user__iexact=columns["imap_user"]).exclude(state=MailboxState.DISCONNECTED)
    found: Mailbox | None = same.exclude(pk=besides.pk if besides else None).select_related("owner").first()
    return found


def _go(mailbox: Mailbox, to: MailboxState, *, out_of: Iterable[MailboxState], **more: object) -> None:
    changed = Mailbox.objects.filter(pk=mailbox.pk, state__in=out_of).update(
        state=to, error_code="", error_text="", error_since=None, **more
    )
    if not changed:
        raise NotPossible(_("This mailbox is %(state)s.") % {"state": mailbox.get_state_display().lower()})
    mailbox.refresh_from_db()
