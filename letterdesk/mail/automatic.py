"""Whether a program wrote a letter, and whether it answers for somebody who has not read ours (RFC 3834)."""

from letterdesk.mail.addresses import read_addresses
from letterdesk.mail.headers import Head
from letterdesk.mail.wording import is_auto_reply_subject

MAIL_SYSTEMS = (
    "mailer-daemon",
    "postmaster",
    "mail-daemon",
    "maildaemon",
    "mailerdaemon",
    "microsoftexchange329e71ec88ae",
)
_PRECEDENCES = {b"bulk", b"junk", b"list", b"auto_reply", b"auto-reply"}


def is_automatic(head: Head) -> bool:
    """Whether a program wrote it: RFC 3834 5, what was used before and beside it, and reports (RFC 6522)."""
    if head.first("content-type").lstrip().lower().startswith(b"multipart/report"):
        return True
    if _submitted(head) not in {b"", b"no"} or head.first("x-autoreply") or head.first("x-autorespond"):
        return True
    if head.first("x-auto-response-suppress").strip().lower() not in {b"", b"none"}:
        return True
    return _precedence(head) in _PRECEDENCES


def is_auto_reply(head: Head, subject: str, content_type: str) -> bool:
    """Whether it answers in somebody's absence: no person has answered, and nothing that waits for one is over.

    A report of a mail system is none. Exchange calls its own `auto-generated`: there, and where
    only a suppression tells that a program wrote, the subject has to say it too.
    """
    is_report = content_type == "multipart/report" or is_from_mail_system(head) or head.first("x-failed-recipients")
    if is_report or not is_automatic(head):
        return False
    if _submitted(head) == b"auto-replied":
        return True
    if head.first("x-autoreply") or head.first("x-autorespond") or _precedence(head) in {b"auto_reply", b"auto-reply"}:
        return True
    return is_auto_reply_subject(subject)


def is_from_mail_system(head: Head) -> bool:
    """Whether the sender is a server's own address (RFC 2142 5, RFC 3464 2)."""
    senders = read_addresses(head.fields.get("from", [])[:1])
    return bool(senders) and senders[0].address.lower().startswith(MAIL_SYSTEMS)


def _submitted(head: Head) -> bytes:
    return head.first("auto-submitted").split(b";")[0].split(b"(")[0].strip().lower()


def _precedence(head: Head) -> bytes:
    return head.first("precedence").strip().lower()
