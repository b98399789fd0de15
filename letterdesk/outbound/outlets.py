"""Through what a letter leaves: a mailbox, or a verified sender of the account (R24)."""

from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mail.errors import MailError, SignInAgain
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login
from letterdesk.mailboxes.login import smtp_login
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans.limits import NotInPlan, require
from letterdesk.plans.models import Channel
from letterdesk.plans.usage import require_channel

from .identities import SENDING
from .models import Delivery, VerifiedSender


class Withheld(MailError):
    """The plan, the mailbox's state or a lost right lets nothing out now (R11, R13)."""

    code = "withheld"
    words = "{detail}"
    is_temporary = True


def check_allowed(row: Delivery, *, now: datetime) -> None:
    """R11, R13, R24: nothing leaves through a channel that the plan has no more, and without Webmail only what was
    written in CRM through a mailbox; nor from a suspended mailbox or a removed sender, nor for who has lost the right
    to write there since. Raises Withheld."""
    if row.mailbox is not None and row.mailbox.state not in SENDING:
        raise Withheld(f"The mailbox {row.mailbox.address} is {row.mailbox.get_state_display().lower()}.")
    if not may_write(row.by, row):
        raise Withheld(_("Who sent this letter may not write from %(address)s any more.") % {"address": row.sender})
    try:
        require_channel(row.account, Channel(row.channel), now=now)
        if row.channel != Channel.CRM and row.mailbox is not None:
            require(row.account, integration=True, now=now)
    except NotInPlan as error:
        raise Withheld(error.text) from error


def may_write(employee: Employee | None, row: Delivery) -> bool:
    """Whether this employee may send now from where the letter leaves; nobody is None."""
    if employee is None:
        return False
    if row.mailbox is not None:
        return Mailbox.objects.editable_by(employee).filter(pk=row.mailbox_id).exists()
    return VerifiedSender.objects.usable_by(employee).filter(pk=row.verified_sender_id).exists()


def login_of(row: Delivery, guard: Guard, *, refused: str = "") -> Login:
    """How to sign in where this letter leaves; `refused` as in `smtp_login`. A letter is not lost because its mailbox
    has to be signed in to anew: it waits for that. Raises Withheld and what `smtp_login` raises."""
    if row.mailbox is None:
        return login_to(row.verified_sender)
    try:
        return smtp_login(row.mailbox, guard, refused=refused)
    except SignInAgain as error:
        raise Withheld(error.text) from error


def login_to(sender: VerifiedSender | None) -> Login:
    """How to sign in at the server of a verified sender. Raises Withheld for one that is not there any more."""
    if sender is None or sender.removed_at is not None:
        raise Withheld(_("The sender from which this letter was to leave was removed."))
    password = (sender.secret or {}).get("password", "")
    return Login(sender.smtp_host, sender.smtp_port, sender.smtp_security, sender.smtp_user, password=password)
