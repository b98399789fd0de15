"""Administrators add addresses from which the account writes without a mailbox, and their owners prove them (R24).

The server is tried first, by signing in. Then a link goes to the address itself, through the installation's own mail
(EMAIL_URL) and never through that server: who runs a server reads what passes it, so it could prove any address. The
link works once, for 24 hours; of its 32 random bytes only the hash is kept (C20). Before it was opened by somebody who
then said yes – a scanner of links opens, and does not – nobody writes from the address.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Department, Employee
from letterdesk.accounts.pace import spend
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record
from letterdesk.mail import smtp
from letterdesk.mail.addresses import address_key
from letterdesk.mail.compose import NotComposable, wire_address
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login

from .models import Delivery, SenderUser, State, VerifiedSender
from .pacing import check_limit

LIFE = timedelta(hours=24)
PATIENCE = 10.0  # seconds for each answer of a server that is tried
TESTS_PER_HOUR = 10  # of a person (D03)
LINKS_PER_HOUR = 3  # to an address (C26)
LINKS_OF_ACCOUNT = 20  # an hour
MOST = 100  # senders of an account
SECURITIES = ("tls", "starttls", "none")
HOUR = timedelta(hours=1)


class BadSender(ValueError):
    """This cannot be a sender of the account; `field` names what is wrong, the text says what to do."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class LinkInvalid(Exception):
    """The link is wrong, used, replaced by a later one, or too old. Which of these, it does not say."""

    def __init__(self) -> None:
        super().__init__(_("This link is not valid any more. Ask who sent it to you for a new one."))


class NoMail(Exception):
    """The installation sends no e-mail itself, so no link can go to the address."""

    def __init__(self) -> None:
        super().__init__(
            _("This installation sends no e-mail itself, so the address cannot be proved. Its operator sets EMAIL_URL.")
        )


@dataclass(frozen=True)
class Users:
    """Who may write from a sender: everyone, or these people and departments; by themselves nobody."""

    is_everyones: bool = False
    named: tuple[Employee | Department, ...] = ()


def add(
    address: str, server: Login, *, name: str = "", users: Users = Users(), by: Employee, now: datetime
) -> VerifiedSender:
    """Keep a sender whose server has let us in; nobody writes from it yet: `send_link`. Outside any transaction.

    Raises NotAllowed, BadSender, TooFast beyond 10 tries an hour, and the MailError of what the server said.
    """
    must_administrate(by, by.account_id)
    clean = _clean_address(address)
    _check_server(server)
    if VerifiedSender.objects.editable_by(by).count() >= MOST:
        raise BadSender(_("There are %(most)d senders, which is the most.") % {"most": MOST})
    _try(server, by=by, now=now)
    made = VerifiedSender(
        account=by.account, address=clean, key=address_key(clean), name=_clean_name(name), added_by=by, added_at=now,
        is_everyones=users.is_everyones, returns_here=settings.INBOUND.is_on,
    )  # fmt: skip
    _take_server(made, server)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            _name_users(made, users)
            _tell("sender.added", made, by=by)
    except IntegrityError:
        raise BadSender(_("%(address)s is here already.") % {"address": clean}, "address") from None
    return made


def change_server(sender: VerifiedSender, server: Login, *, by: Employee, now: datetime) -> None:
    """Another server, or another password; the address stays proved. Letters that wait go there. Raises as `add`."""
    must_administrate(by, sender.account_id)
    _check_server(server)
    _try(server, by=by, now=now)
    _take_server(sender, server)
    columns = ("smtp_host", "smtp_port", "smtp_security", "smtp_user", "secret")
    with transaction.atomic():
        _write(sender, *columns)
        _tell("sender.changed", sender, by=by, what="server")


@transaction.atomic
def change_use(
    sender: VerifiedSender,
    *,
    name: str,
    users: Users,
    daily_most: int | None,
    by: Employee,
    signature: tuple[str, str] | None = None,
    returns_here: bool | None = None,
) -> None:
    """The name in From, who may write from it, and how many letters a day. Raises BadSender, BadLimit, NotAllowed.

    `signature`: what stands below its letters, as `words.signature` gives it; `returns_here`: whether reports come to
    the inbound port (`return_path.py`); None: as before.
    """
    must_administrate(by, sender.account_id)
    check_limit(daily_most)
    sender.name, sender.is_everyones, sender.daily_most = _clean_name(name), users.is_everyones, daily_most
    if signature is not None:
        sender.signature_html, sender.signature_text = signature
    sender.returns_here = sender.returns_here if returns_here is None else returns_here
    _write(sender, "name", "is_everyones", "daily_most", "signature_html", "signature_text", "returns_here")
    sender.users.all().delete()
    _name_users(sender, users)
    waiting = Delivery.objects.filter(verified_sender=sender, state=State.DEFERRED, error_code="daily_limit")
    waiting.update(next_at=F("due_at"))  # they are judged anew
    _tell("sender.changed", sender, by=by, what="use")


def send_link(sender: VerifiedSender, *, by: Employee, now: datetime) -> None:
    """Send the link that proves the address there; an earlier one ends. Outside any transaction.

    Raises NotAllowed, NoMail, TooFast beyond 3 an hour to an address, BadSender where the letter cannot be handed over.
    """
    must_administrate(by, sender.account_id)
    if ".dummy." in settings.EMAIL_BACKEND:
        raise NoMail
    spend(sender.account, "sender.links", most=LINKS_OF_ACCOUNT, within=HOUR, now=now)
    spend(sender.account, "sender.link", who=_hash(sender.key)[:16], most=LINKS_PER_HOUR, within=HOUR, now=now)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        VerifiedSender.objects.filter(pk=sender.pk).update(link_hash=_hash(token), link_expires_at=now + LIFE)
        _tell("sender.link_sent", sender, by=by)
    sender.link_hash, sender.link_expires_at = _hash(token), now + LIFE
    try:
        _write_letter(sender, f"{settings.BASE_URL}/senders/{token}", by)
    except OSError as error:  # smtplib's errors among them
        raise BadSender(_("The link could not be sent just now. Try again later.")) from error


def pending(token: str, *, now: datetime) -> VerifiedSender:
    """The sender that this link proves, for the page that asks. Raises LinkInvalid."""
    found = VerifiedSender.objects.present().filter(link_hash=_hash(token), link_expires_at__gt=now)
    sender: VerifiedSender | None = found.select_related("account", "added_by").first()
    if sender is None:
        raise LinkInvalid
    return sender


@transaction.atomic
def verify(token: str, *, now: datetime) -> VerifiedSender:
    """The owner of the address said yes: from now on letters may leave from it. Raises LinkInvalid, also the second
    time."""
    sender = pending(token, now=now)
    mine = VerifiedSender.objects.present().filter(pk=sender.pk, link_hash=_hash(token))
    if mine.update(link_hash="", link_expires_at=None, verified_at=now) != 1:
        raise LinkInvalid
    sender.refresh_from_db()
    _tell("sender.verified", sender, by=None)
    return sender


@transaction.atomic
def remove(sender: VerifiedSender, *, by: Employee, now: datetime) -> None:
    """Nothing leaves from it any more, and its password is forgotten; what waits is withheld, and told so."""
    must_administrate(by, sender.account_id)
    here = VerifiedSender.objects.present().filter(pk=sender.pk)
    if here.update(removed_at=now, secret=None, link_hash="", link_expires_at=None):
        sender.users.all().delete()
        _tell("sender.removed", sender, by=by)


def _clean_address(address: str) -> str:
    typed = address.strip()
    try:
        return wire_address(typed)
    except NotComposable:
        raise BadSender(_("%(address)s is no e-mail address.") % {"address": typed[:320]}, "address") from None


def _clean_name(name: str) -> str:
    if any(ord(each) < 32 or ord(each) == 127 for each in name):
        raise BadSender(_("The name contains a character that no letter can carry."), "name")
    return " ".join(name.split())[:200]


def _check_server(server: Login) -> None:
    if not server.host or not 1 <= server.port <= 65535 or server.security not in SECURITIES:
        raise BadSender(_("Name the server, its port, and how the connection is secured."), "host")
    if not server.user or not server.password:
        raise BadSender(_("Name the user and the password with which the server lets letters out."), "user")
    if server.security == "none" and not settings.ALLOWED_NETWORKS:
        raise BadSender(_("Without TLS or STARTTLS the password could be read on the way."), "security")


def _try(server: Login, *, by: Employee, now: datetime) -> None:
    spend(by.account, "sender.test", who=by.public_id, most=TESTS_PER_HOUR, within=HOUR, now=now)
    guard = Guard(allowed=tuple(settings.ALLOWED_NETWORKS))
    smtp.sign_in(server, guard, timeout=PATIENCE).close()


def _take_server(sender: VerifiedSender, server: Login) -> None:
    sender.smtp_host, sender.smtp_port, sender.smtp_security = server.host, server.port, server.security
    sender.smtp_user, sender.secret = server.user, {"password": server.password}


def _write(sender: VerifiedSender, *columns: str) -> None:
    """Of a sender that is still here: one that was removed meanwhile gets no password again. Raises BadSender."""
    here = VerifiedSender.objects.present().filter(pk=sender.pk)
    if here.update(**{column: getattr(sender, column) for column in columns}) != 1:
        raise BadSender(_("%(address)s is removed: nothing leaves from it any more.") % {"address": sender.address})


def _name_users(sender: VerifiedSender, users: Users) -> None:
    rows = []
    for each in users.named if not users.is_everyones else ():
        if each.account_id != sender.account_id:  # F10
            raise ValueError(f"{each!r} is of another account than {sender.pk}")
        who = {"employee": each} if isinstance(each, Employee) else {"department": each}
        rows.append(SenderUser(account_id=sender.account_id, sender=sender, **who))
    SenderUser.objects.bulk_create(rows, ignore_conflicts=True)


def _write_letter(sender: VerifiedSender, link: str, by: Employee) -> None:
    facts = {"who": by.name, "company": sender.account.name, "address": sender.address}
    send_mail(
        _("Letters from %(address)s") % facts,
        _("%(who)s of %(company)s would like to send letters from %(address)s with Letterdesk.") % facts
        + "\n\n"
        + _("If you agree, open this address within 24 hours and confirm. It works once:")
        + f"\n\n{link}\n\n"
        + _("If you did not expect this, do nothing: nothing is sent from your address then.")
        + "\n",
        None,
        [sender.address],
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _tell(kind: str, sender: VerifiedSender, *, by: Employee | None, **facts: str) -> None:
    record(kind, account=sender.account, by=by, subject=sender.reference, **facts)


def named_users(sender: VerifiedSender) -> list[Employee | Department]:
    """The people and departments that may write from it, besides everyone."""
    rows = sender.users.select_related("employee", "department").order_by("pk")
    named = [each.employee or each.department for each in rows]
    return [each for each in named if each is not None]
