"""Access for others: a mailbox becomes shared with the first grant to someone other than its owner (R16)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.events.record import record
from letterdesk.plans import limits

from .models import AccessRequest, Grant, Mailbox, MailboxState


class NotShareable(Exception):
    """This cannot be granted; the text says why."""

    code = "not_shareable"


def shared_mailboxes(account: Account) -> int:
    """How many mailboxes of the account someone other than the owner has access to (R15)."""
    to_others = Grant.objects.filter(mailbox=OuterRef("pk")).exclude(employee=OuterRef("owner"))
    mailboxes = Mailbox.objects.filter(account=account).exclude(state=MailboxState.DISCONNECTED)
    return mailboxes.filter(Exists(to_others)).count()


def grant(
    mailbox: Mailbox,
    *,
    to: Employee | Department | None,
    by: Employee,
    now: datetime,
    may_reply: bool = True,
    may_manage: bool = False,
    may_delete_on_server: bool = False,
) -> Grant:
    """Let a person, a department or (None) everyone of the account use the mailbox; granting again changes the rights.

    Raises NotShareable, NotInPlan (R2), and LimitReached when the mailbox would become one shared mailbox too many
    (R15, R16).
    """
    rights = {"may_reply": may_reply, "may_manage": may_manage, "may_delete_on_server": may_delete_on_server}
    with limits.locked(mailbox.account):
        mailbox.refresh_from_db()
        _check(mailbox, to)
        limits.require(mailbox.account, integration=True, now=now)  # R2
        if not mailbox.grants.exists():  # R16: this grant makes it shared
            limits.require(mailbox.account, shared_mailboxes=shared_mailboxes(mailbox.account) + 1, now=now)
        given, _made = Grant.objects.update_or_create(
            mailbox=mailbox,
            employee=to if isinstance(to, Employee) else None,
            department=to if isinstance(to, Department) else None,
            defaults={"account": mailbox.account, **rights},
        )
        if isinstance(to, Employee):
            AccessRequest.objects.filter(mailbox=mailbox, employee=to).delete()
        record("mailbox.shared", account=mailbox.account, by=by, topic=mailbox.topic, subject=_name(to), **rights)
    return given


def revoke(given: Grant, *, by: Employee) -> None:
    """Take access away. The last grant frees the shared mailbox's place (R16)."""
    mailbox = given.mailbox
    with limits.locked(mailbox.account):
        subject = _name(given.employee or given.department)
        if Grant.objects.filter(pk=given.pk).delete()[0]:
            record("mailbox.unshared", account=mailbox.account, by=by, topic=mailbox.topic, subject=subject)


@transaction.atomic
def ask_for_access(mailbox: Mailbox, *, by: Employee) -> None:
    """Ask the owner, once, to be let in; they see it where access is given."""
    _asked, is_new = AccessRequest.objects.get_or_create(
        mailbox=mailbox, employee=by, defaults={"account_id": mailbox.account_id}
    )
    if is_new:
        record("mailbox.access_asked", account=mailbox.account, by=by, topic=mailbox.topic, subject=_name(by))


@transaction.atomic
def decline(asked: AccessRequest, *, by: Employee) -> None:
    """Answer no: the request is gone; nothing keeps the person from asking again."""
    mailbox = asked.mailbox
    if AccessRequest.objects.filter(pk=asked.pk).delete()[0]:
        name = _name(asked.employee)
        record("mailbox.access_declined", account=mailbox.account, by=by, topic=mailbox.topic, subject=name)


def _check(mailbox: Mailbox, to: Employee | Department | None) -> None:
    if to is not None and to.account_id != mailbox.account_id:
        raise NotShareable(_("Access can be given to people and departments of the same company only."))
    if isinstance(to, Employee) and to.pk == mailbox.owner_id:
        raise NotShareable(_("The owner has every right on the mailbox already."))
    if isinstance(to, Employee) and not Employee.objects.filter(pk=to.pk, is_active=True, dismissed_at=None).exists():
        raise NotShareable(_("This person no longer works here."))
    if mailbox.state == MailboxState.DISCONNECTED:
        raise NotShareable(_("A disconnected mailbox cannot be shared."))


def _name(to: Employee | Department | None) -> str:
    if to is None:
        return "everyone"
    return f"{'employee' if isinstance(to, Employee) else 'department'}:{to.public_id}"
