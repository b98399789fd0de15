"""Mailboxes polled for CRM alone come and go: connect, pause, resume, mend, disconnect (R30).

No plan is asked for, and they count in no limit: exempt from R1, R2, R11, R12, R14, R15, R18 to R21. What looks at
them is `look.py`; nothing here or there writes to a server.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import spend
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.mail.check import WITHIN, CheckStep, test_login
from letterdesk.mail.compose import NotComposable, wire_address
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, RemoteFolder, Status
from letterdesk.mail.imap_types import Login
from letterdesk.mailboxes.tokens import Consent, Secret, columns_of, provider_of
from letterdesk.sync.connections import guard as default_guard

from ..linking.turns import put_in_turn
from ..models import Pipeline, PolledFolder, PolledLetter, PolledMailbox, PolledState, Returning, Unknown
from ..saving import must_fit
from .claim import ANEW
from .folders import READ, bring_folders, readable
from .keep import ask_anew

PATIENCE = 10.0  # seconds for each answer of a server that is tried
TESTS_PER_HOUR = 10  # of a person (D03)
MOST = 100  # polled mailboxes of an account
SECURITIES = ("tls", "starttls", "none")


class BadPolled(ValueError):
    """It cannot be so; the text says to people what to do."""


@dataclass(frozen=True)
class Older:
    """Letters that lay there before. `since`: from when on, None: none of them; `makes`: they make records, too."""

    since: datetime | None = None
    makes: bool = False


@dataclass(frozen=True)
class Becomes:
    """What becomes of letters, as in a mailbox of Webmail; `responsible` in turn, nobody: who connected it."""

    incoming: str = Unknown.NOTHING
    outgoing: str = Unknown.NOTHING
    returning: str = Returning.NOTHING
    responsible: tuple[Employee, ...] = ()
    came_from: str = ""
    pipeline: Pipeline | None = None  # in which deals begin; None: the first
    reads_cards: bool = False

    def columns(self) -> dict[str, Any]:
        """As the mailbox keeps it. Raises ValueError for words that there are not."""
        return {
            "unknown_incoming": Unknown(self.incoming).value,
            "unknown_outgoing": Unknown(self.outgoing).value,
            "returning": Returning(self.returning).value,
            "came_from": " ".join(self.came_from.split())[:200],
            "pipeline": self.pipeline,
            "reads_cards": self.reads_cards,
        }


def connect(
    address: str,
    server: Login,
    *,
    by: Employee,
    now: datetime,
    older: Older = Older(),
    becomes: Becomes = Becomes(),
    guard: Guard | None = None,
    is_tried: bool = False,
    consent: Consent | None = None,
) -> PolledMailbox:
    """Connect a mailbox whose server lets us in; what comes from now on becomes activities. Outside any transaction.

    `is_tried`: just now, by `try_out`. `consent`: of which the token of `server` is, and which is kept. Raises
    NotAllowed, BadPolled, TooFast beyond 10 tries an hour, and the MailError of what the server said.
    """
    must_administrate(by, by.account_id)
    check(server)
    _check_older(older, now)
    must_fit(by.account_id, becomes.responsible, becomes.pipeline)
    if not is_tried:
        spend_test(by, now)
    secret = _secret(server, consent)
    mailbox = PolledMailbox(
        account=by.account, address=check_address(address), made_at=now, made_by=by, due_at=now,
        older_since=older.since, older_makes=older.makes, secret=secret, signs_in_by=provider_of(secret),
        **_place(server), **becomes.columns(),
    )  # fmt: skip
    _check_room(by)
    folders, status = _look_round(server, guard or default_guard())
    _check_alone(mailbox)
    with _connected_once():
        mailbox.save(force_insert=True)
        bring_folders(mailbox, folders, begins=status)
        _take_over(mailbox)
        put_in_turn(mailbox, list(dict.fromkeys(becomes.responsible)))
        _tell("connected", mailbox, by=by, older=int(older.since is not None))
    return mailbox


def try_out(server: Login, *, by: Employee, now: datetime, guard: Guard | None = None) -> list[CheckStep]:
    """Sign in step by step, up to the first that fails. Outside any transaction. Raises as `connect`, but MailError."""
    must_administrate(by, by.account_id)
    check(server)
    spend_test(by, now)
    return list(test_login(server, guard or default_guard(), timeout=PATIENCE))


def mend(
    mailbox: PolledMailbox,
    server: Login,
    *,
    by: Employee,
    now: datetime,
    guard: Guard | None = None,
    consent: Consent | None = None,
) -> None:
    """Another server, another password or `consent`, tried before it is kept; it is looked at again.

    Raises as `connect`, and BadPolled for another user: all letters of that mailbox would be new ones here.
    """
    must_administrate(by, mailbox.account_id)
    check(server)
    _check_user(mailbox, server)
    spend_test(by, now)
    _look_round(server, guard or default_guard())
    same_place = (mailbox.imap_host, mailbox.imap_user.lower()) == (server.host.lower(), server.user.lower())
    columns = _place(server)
    for name, value in columns.items():
        setattr(mailbox, name, value)
    columns |= columns_of(_secret(server, consent))
    if not same_place:
        _check_alone(mailbox)
    with _connected_once():
        _go(mailbox, PolledState.CONNECTED, out_of=_HERE, due_at=now, **columns)
        if not same_place:  # other numbers; what was taken is known by its content
            anew = {"uidvalidity": None, "begins_after": None, "read_to": 0, "object_id": ""}
            PolledFolder.objects.filter(mailbox=mailbox).update(**anew)
        _tell("changed", mailbox, by=by, what="server")


def check(server: Login) -> None:
    """Raises BadPolled where something is missing, or where the password could be read on the way."""
    if not server.host or not 1 <= server.port <= 65535 or server.security not in SECURITIES:
        raise BadPolled(_("Name the server, its port, and how the connection is secured."))
    if not server.user or not (server.password or server.oauth_token):
        raise BadPolled(_("Name the user and the password with which the server lets us in."))
    if server.security == "none" and not settings.ALLOWED_NETWORKS:
        raise BadPolled(_("Without TLS or STARTTLS the password could be read on the way."))


def check_address(address: str) -> str:
    """The address as it travels. Raises BadPolled for what is none."""
    typed = address.strip()
    try:
        return wire_address(typed)
    except NotComposable:
        raise BadPolled(_("%(address)s is no e-mail address.") % {"address": typed[:320]}) from None


def spend_test(by: Employee, now: datetime) -> None:
    """Count one try of a server. Raises TooFast (D03)."""
    spend(by.account, "polled.test", who=by.public_id, most=TESTS_PER_HOUR, within=timedelta(hours=1), now=now)


@transaction.atomic
def change(mailbox: PolledMailbox, becomes: Becomes, *, by: Employee) -> None:
    """What becomes of letters that come from now on. The caller found it as editable."""
    must_fit(mailbox.account_id, becomes.responsible, becomes.pipeline)
    PolledMailbox.objects.filter(pk=mailbox.pk).update(**becomes.columns())
    put_in_turn(mailbox, list(dict.fromkeys(becomes.responsible)))
    _tell("changed", mailbox, by=by, what="saving")


@transaction.atomic
def choose_folders(mailbox: PolledMailbox, wanted: Collection[int], *, by: Employee, now: datetime) -> None:
    """These folders, by key, are read from now on. Of one switched on, what came since the mailbox was connected."""
    PolledMailbox.objects.filter(pk=mailbox.pk).update(due_at=now, **ANEW)
    folders = PolledFolder.objects.filter(mailbox=mailbox)
    folders.filter(pk__in=wanted, is_on=False).update(is_on=True, begins_after=None, read_to=0, renumbered=0)
    others = folders.exclude(pk__in=wanted)
    others.update(is_on=False, refused=0, refused_text="")
    PolledLetter.objects.put_aside().filter(mailbox=mailbox, folder__in=others).delete()  # nobody asks for them there
    _tell("changed", mailbox, by=by, what="folders")


@transaction.atomic
def choose_older(mailbox: PolledMailbox, older: Older, *, by: Employee, now: datetime) -> None:
    """Take older letters too, or no more of them; those that were taken stay. Raises BadPolled for a day to come."""
    _check_older(older, now)
    chosen = {"older_since": older.since, "older_makes": older.makes, "due_at": now}
    PolledMailbox.objects.filter(pk=mailbox.pk).update(**chosen, **ANEW)
    if older.since is not None:  # what was taken is known by its content, and not taken twice
        ask_anew(mailbox)
    _tell("changed", mailbox, by=by, what="older")


@transaction.atomic
def pause(mailbox: PolledMailbox, *, by: Employee) -> None:
    """Do not look until somebody resumes it; what comes meanwhile is taken then. Raises BadPolled."""
    _go(mailbox, PolledState.PAUSED, out_of=(PolledState.CONNECTED, PolledState.FAILING))
    _tell("paused", mailbox, by=by)


@transaction.atomic
def resume(mailbox: PolledMailbox, *, by: Employee, now: datetime) -> None:
    """Look again, as soon as somebody can. Raises BadPolled."""
    _go(mailbox, PolledState.CONNECTED, out_of=(PolledState.PAUSED, PolledState.FAILING), due_at=now)
    _tell("resumed", mailbox, by=by)


@transaction.atomic
def look_now(mailbox: PolledMailbox, *, by: Employee, now: datetime) -> bool:
    """It is due at once; one that needed a person is resumed. Whether somebody looks already: then it is after that.

    Raises BadPolled for one that is paused or disconnected.
    """
    if not PolledMailbox.objects.filter(pk=mailbox.pk, state=PolledState.CONNECTED).update(due_at=now):
        _go(mailbox, PolledState.CONNECTED, out_of=(PolledState.FAILING,), due_at=now)
        _tell("resumed", mailbox, by=by)
    return bool(PolledMailbox.objects.filter(pk=mailbox.pk, leased_until__gt=now).exists())


@transaction.atomic
def try_letter(letter: PolledLetter, *, now: datetime) -> None:
    """Ask the server once more for a letter that it did not hand over, whatever its size."""
    if PolledLetter.objects.put_aside().filter(pk=letter.pk).update(again_at=now):
        PolledMailbox.objects.filter(pk=letter.mailbox_id, state=PolledState.CONNECTED).update(due_at=now)


@transaction.atomic
def disconnect(mailbox: PolledMailbox, *, by: Employee) -> None:
    """Forget the sign-in and stop for good. Activities stay, and so does all on the server. Raises BadPolled."""
    _go(mailbox, PolledState.DISCONNECTED, out_of=_HERE, **columns_of(None))
    PolledLetter.objects.put_aside().filter(mailbox=mailbox).delete()
    _tell("disconnected", mailbox, by=by)


_HERE = (PolledState.CONNECTED, PolledState.FAILING, PolledState.PAUSED)


def _look_round(server: Login, guard: Guard) -> tuple[list[RemoteFolder], dict[str, Status]]:
    """What folders there are, and how far those go now that are read: STATUS and LIST change nothing, not even what
    is recent. Where the server has names of its own for folders (RFC 8474), all of them are asked for theirs.
    """
    with Connection.open(server, guard, timeout=PATIENCE, within=WITHIN) as connection:
        folders = readable(connection.folders())
        asked = [each.wire_name for each in folders if each.role in READ or connection.has("OBJECTID")]
        status = connection.statuses(asked)
        connection.logout()
    return folders, status


def _take_over(mailbox: PolledMailbox) -> None:
    """What was taken when the same mailbox was connected before is known: what people dropped or purged stays away."""
    same = PolledMailbox.objects.filter(
        account=mailbox.account_id, imap_host=mailbox.imap_host, imap_user__iexact=mailbox.imap_user
    )
    before = same.filter(state=PolledState.DISCONNECTED).order_by("-pk").first()
    here = {each.wire_name: each for each in mailbox.folders.order_by("-pk")}
    if before is None or not here:
        return
    first = list(here.values())[-1]
    letters = PolledLetter.objects.filter(mailbox=before, trouble="")
    for folder in before.folders.filter(pk__in=letters.values("folder")):
        there = here.get(folder.wire_name, first)
        letters.filter(folder=folder).update(mailbox=mailbox, folder=there, uid=0)  # numbers may be others now


def _secret(server: Login, consent: Consent | None) -> Secret:
    return consent.as_secret() if consent else {"password": server.password}


def _place(server: Login) -> dict[str, object]:
    return {
        "imap_host": server.host.strip().lower(),
        "imap_port": server.port,
        "imap_security": server.security,
        "imap_user": server.user.strip(),
    }


def _check_alone(mailbox: PolledMailbox) -> None:
    same = PolledMailbox.objects.filter(
        account=mailbox.account_id, imap_host=mailbox.imap_host, imap_user__iexact=mailbox.imap_user
    )
    if same.exclude(state=PolledState.DISCONNECTED).exclude(pk=mailbox.pk).exists():
        raise BadPolled(_("This mailbox is connected here already."))


@contextmanager
def _connected_once() -> Iterator[None]:
    """One transaction. Raises BadPolled where somebody connects the same mailbox at the same time."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise BadPolled(_("This mailbox is connected here already.")) from None


def _check_room(by: Employee) -> None:
    if PolledMailbox.objects.editable_by(by).exclude(state=PolledState.DISCONNECTED).count() >= MOST:
        raise BadPolled(_("There are %(most)d such mailboxes, which is the most.") % {"most": MOST})


def _check_user(mailbox: PolledMailbox, server: Login) -> None:
    """The same user, or its address, whole or up to the @: servers differ in what they want."""
    address = mailbox.address.lower()
    if server.user.strip().lower() not in {mailbox.imap_user.lower(), address, address.rpartition("@")[0]}:
        raise BadPolled(_("Another user name is another mailbox. Connect it as one of its own."))


def _check_older(older: Older, now: datetime) -> None:
    if older.since is not None and older.since > now:
        raise BadPolled(_("Choose a day that is over."))


def _go(mailbox: PolledMailbox, to: PolledState, *, out_of: Collection[str], **more: object) -> None:
    errors = {"error_code": "", "error_text": "", "error_since": None, "failures": 0}
    if not PolledMailbox.objects.filter(pk=mailbox.pk, state__in=out_of).update(state=to, **errors, **more, **ANEW):
        raise BadPolled(_state_said(mailbox))
    mailbox.refresh_from_db()


def _state_said(mailbox: PolledMailbox) -> str:
    mailbox.refresh_from_db()
    return _("This mailbox is %(state)s.") % {"state": mailbox.get_state_display().lower()}


def _tell(happened: str, mailbox: PolledMailbox, *, by: Employee, **facts: str | int) -> None:
    told: dict[str, Any] = facts
    tell(f"polled.{happened}", account=mailbox.account, by=by, subject=mailbox.reference, **told)
