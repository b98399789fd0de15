"""Letters as they come over the wire, for tests of receiving and what follows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from letterdesk.accounts.models import Account, Employee
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes.models import Folder, Mailbox
from letterdesk.mailboxes.receive import Receipt, prepare, store

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
VALIDITY = 1


def another_mailbox(account: Account, address: str) -> Mailbox:
    """A mailbox of somebody else in this account."""
    owner = Employee.objects.create(account=account, email=address, name=address.partition("@")[0].title())
    return Mailbox.objects.create(
        account=account, owner=owner, address=address, name=address, imap_host="imap.example", imap_user=address
    )


def raw(
    subject: str = "Offer",
    *,
    sender: str = "Anna Berg <anna@berg.example>",
    to: str = "ines@acme.example",
    message_id: str = "",
    references: Sequence[str] = (),
    in_reply_to: str = "",
    body: str = "Good morning",
    attachment: str = "",
) -> bytes:
    """A letter as it came over the wire."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", "Date: Mon, 9 Mar 2026 12:00:00 +0000"]
    lines += [f"Message-ID: <{message_id}>"] if message_id else []
    lines += [f"In-Reply-To: <{in_reply_to}>"] if in_reply_to else []
    lines += ["References: " + "\r\n ".join(f"<{one}>" for one in references)] if references else []
    if attachment:
        lines += ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="x"', "", "--x"]
        lines += ["Content-Type: text/plain; charset=utf-8", "", body, "--x"]
        lines += [f'Content-Type: application/pdf; name="{attachment}"', "Content-Transfer-Encoding: base64"]
        lines += [f'Content-Disposition: attachment; filename="{attachment}"', "", "JVBERi0xLjQ=", "--x--", ""]
    else:
        lines += ["Content-Type: text/plain; charset=utf-8", "", body, ""]
    return "\r\n".join(lines).encode()


def fetched(uid: int, content: bytes, *, at: datetime = BEFORE, flags: Sequence[str] = ()) -> Fetched:
    return Fetched(uid=uid, raw=content, internal_date=at, flags=frozenset(flags))


def receive(folder: Folder, *letters: Fetched, now: datetime = NOW, **options) -> Receipt:
    """As the sync does it: bytes first, then one transaction."""
    prepared = prepare(folder, letters, now=now)
    with transaction.atomic():
        return store(folder, prepared, uidvalidity=options.pop("uidvalidity", VALIDITY), now=now, **options)
