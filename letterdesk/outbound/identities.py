"""As whom an employee may write: a mailbox that they own or may reply in, with a name and a signature of their own."""

import re
from dataclasses import dataclass

from letterdesk.accounts.models import Employee
from letterdesk.mail.letters import Address
from letterdesk.mailboxes.models import Mailbox, MailboxState

from .models import Signature

SENDING = (MailboxState.CONNECTED, MailboxState.FAILING, MailboxState.PAUSED)  # never suspended, never disconnected
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Identity:
    """A mailbox to write from: the address and name in From, and what stands below the text."""

    mailbox: Mailbox
    name: str
    signature_html: str = ""
    signature_text: str = ""

    @property
    def address(self) -> Address:
        """As it stands in From."""
        return Address(self.name, self.mailbox.address)


def identities_of(employee: Employee) -> list[Identity]:
    """All that this employee may write as, in two queries; own mailboxes first."""
    usable = Mailbox.objects.editable_by(employee).filter(state__in=SENDING).exclude(smtp_host="")
    mailboxes = list(usable.select_related("account").order_by("name", "pk"))
    signatures = {each.mailbox_id: each for each in Signature.objects.filter(employee=employee, mailbox__in=mailboxes)}
    found = [_identity(mailbox, employee, signatures.get(mailbox.pk)) for mailbox in mailboxes]
    return sorted(found, key=lambda each: each.mailbox.owner_id != employee.pk)


def identity_in(mailbox: Mailbox, employee: Employee) -> Identity | None:
    """The identity in this mailbox; None: this employee may not write there now."""
    return next((each for each in identities_of(employee) if each.mailbox.pk == mailbox.pk), None)


def sign(mailbox: Mailbox, employee: Employee, *, from_name: str = "", html: str = "", text: str = "") -> Signature:
    """Keep how this employee signs in this mailbox. `html` has been cleaned (`words.clean`)."""
    written = {"from_name": _CONTROL.sub("", from_name).strip()[:200], "html": html.replace("\0", "")}
    signature, _made = Signature.objects.update_or_create(
        mailbox=mailbox,
        employee=employee,
        defaults={"account_id": mailbox.account_id, "text": text.replace("\0", ""), **written},
    )
    return signature


def _identity(mailbox: Mailbox, employee: Employee, signature: Signature | None) -> Identity:
    """A shared mailbox goes by its own name, if it has one; a person's own by the person's."""
    is_named = mailbox.name.strip().lower() not in {"", mailbox.address.lower()}
    usual = mailbox.name if is_named and mailbox.owner_id != employee.pk else employee.name
    if signature is None:
        return Identity(mailbox, usual)
    return Identity(mailbox, signature.from_name or usual, signature.html, signature.text)
