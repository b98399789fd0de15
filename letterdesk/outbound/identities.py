"""As whom an employee may write: a mailbox that they own or may reply in, with a name and a signature of their own;
from CRM also a verified sender of the account, whose name is the company's (R24)."""

import re
from dataclasses import dataclass

from django.db.models import QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mail.letters import Address
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.plans.models import Channel

from .models import Draft, Signature, VerifiedSender

SENDING = (MailboxState.CONNECTED, MailboxState.FAILING, MailboxState.PAUSED)  # never suspended, never disconnected
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Identity:
    """A mailbox or a verified sender to write from: the address and name in From, and what stands below the text."""

    mailbox: Mailbox | None
    name: str
    signature_html: str = ""
    signature_text: str = ""
    verified_sender: VerifiedSender | None = None  # exactly where there is no mailbox

    @property
    def address(self) -> Address:
        """As it stands in From."""
        return Address(self.name, self.email)

    @property
    def email(self) -> str:
        """The address alone."""
        return self.outlet.address

    @property
    def public_id(self) -> str:
        """What forms call it."""
        return self.outlet.public_id

    @property
    def outlet(self) -> Mailbox | VerifiedSender:
        """The one of the two."""
        outlet = self.mailbox or self.verified_sender
        assert outlet is not None  # noqa: S101  it is made with one of them
        return outlet


def identities_of(employee: Employee) -> list[Identity]:
    """All that this employee may write as, in two queries; own mailboxes first."""
    by_name = _usable(employee).select_related("account").order_by("name", "pk")
    mailboxes = sorted(by_name, key=lambda each: each.owner_id != employee.pk)
    signatures = {each.mailbox_id: each for each in Signature.objects.filter(employee=employee, mailbox__in=mailboxes)}
    return [_identity(mailbox, employee, signatures.get(mailbox.pk)) for mailbox in mailboxes]


def identities_for(draft: Draft, employee: Employee) -> list[Identity]:
    """As whom this draft may go out: what was begun in CRM also from verified senders, for there its copy is kept."""
    return identities_with_senders(employee) if draft.channel == Channel.CRM else identities_of(employee)


def identities_with_senders(employee: Employee) -> list[Identity]:
    """All that this employee may write as, verified senders of the account last."""
    senders = VerifiedSender.objects.usable_by(employee).order_by("name", "address", "pk")
    return identities_of(employee) + [_as_sender(each, employee) for each in senders]


def identity_for(draft: Draft, employee: Employee) -> Identity | None:
    """As whom it goes out as it is; None: this employee may not write from there now."""
    return next((each for each in identities_for(draft, employee) if each.outlet == draft.outlet), None)


def may_write(draft: Draft, employee: Employee) -> bool:
    """Whether this employee may write from there now, in one query."""
    if draft.mailbox is None:
        return identity_for(draft, employee) is not None
    return bool(_usable(employee).filter(pk=draft.mailbox.pk).exists())


def identity_in(mailbox: Mailbox, employee: Employee) -> Identity | None:
    """The identity in this mailbox; None: this employee may not write there now."""
    return next((each for each in identities_of(employee) if each.mailbox == mailbox), None)


def sign(mailbox: Mailbox, employee: Employee, *, from_name: str = "", html: str = "", text: str = "") -> Signature:
    """Keep how this employee signs in this mailbox. `html` has been cleaned (`words.clean`)."""
    written = {"from_name": _CONTROL.sub("", from_name).strip()[:200], "html": html.replace("\0", "")}
    signature, _made = Signature.objects.update_or_create(
        mailbox=mailbox,
        employee=employee,
        defaults={"account_id": mailbox.account_id, "text": text.replace("\0", ""), **written},
    )
    return signature


def _as_sender(each: VerifiedSender, employee: Employee) -> Identity:
    name = each.name or employee.name
    return Identity(None, name, each.signature_html, each.signature_text, verified_sender=each)


def _usable(employee: Employee) -> QuerySet[Mailbox]:
    usable: QuerySet[Mailbox] = Mailbox.objects.editable_by(employee).filter(state__in=SENDING).exclude(smtp_host="")
    return usable


def _identity(mailbox: Mailbox, employee: Employee, signature: Signature | None) -> Identity:
    """A shared mailbox goes by its own name, if it has one; a person's own by the person's."""
    is_named = mailbox.name.strip().lower() not in {"", mailbox.address.lower()}
    usual = mailbox.name if is_named and mailbox.owner_id != employee.pk else employee.name
    if signature is None:
        return Identity(mailbox, usual)
    return Identity(mailbox, signature.from_name or usual, signature.html, signature.text)
