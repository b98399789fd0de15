"""People outside take part in a task by e-mail: invited, written to, removed (decision 0033).

Each has a reply address of their own in each task, signed with the installation's key, so that nothing secret is kept
of it and an invented one is refused without a question. It is worth nothing once the guest is removed. A guest gets
what is written for guests and nothing else: no comment of before, no letter, no file.
"""

import base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import spend
from letterdesk.events.record import record
from letterdesk.intake.doors import Place
from letterdesk.intake.models import Arrived
from letterdesk.intake.models import State as ArrivedState
from letterdesk.intake.states import leave
from letterdesk.mail.addresses import address_key
from letterdesk.mail.compose import NotComposable, Outgoing, wire_address
from letterdesk.mail.letters import Address
from letterdesk.mailboxes.models import Mailbox
from letterdesk.outbound import send
from letterdesk.outbound.direct import Composed, compose_to, queue
from letterdesk.outbound.identities import Identity, identities_with_senders
from letterdesk.outbound.models import Delivery, State, VerifiedSender
from letterdesk.outbound.suppression import suppressed_among
from letterdesk.plans.models import Channel

from .change import comment
from .create import BadTask
from .link import lock
from .models import Comment, Guest, Task

DOOR = "guest"
TASK_GONE = "task_gone"
OPEN = (ArrivedState.ASKED, ArrivedState.UNREADABLE, ArrivedState.WAITING)  # of letters that are not decided
PREFIX = "task-"
SIGNED = 24  # characters of the signature: 120 bits
NAMED = 16  # characters of a guest's public id
MOST = 20  # guests of a task
INVITED_PER_HOUR = 30  # by one person
LETTERS_PER_HOUR = 120  # comments for guests, by one person


class NoInbound(Exception):
    """This installation has no domain at which guests could answer. The text says what its operator sets."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Guests cannot answer yet: this server has no domain for their letters. "
                "Its operator sets LETTERDESK_INBOUND_DOMAIN."
            )
        )


class NoSender(Exception):
    """Who writes has no mailbox and no verified sender from which letters could go to guests."""

    def __init__(self) -> None:
        super().__init__(_("You have no mailbox or verified sender from which guests could be written to."))


@dataclass(frozen=True, slots=True)
class Written:
    """A comment that went to guests, and those to whom it did not: there is no such address."""

    comment: Comment
    left_out: Sequence[Guest]
    from_others: Sequence[tuple[Guest, Identity]]  # who got it from another address than they were invited from


def reply_address(guest: Guest) -> str:
    """Where this guest answers. Who knows it may write as the guest, if their letter proves the guest's address."""
    return f"{PREFIX}{guest.public_id}{_signature(guest.public_id)}@{settings.INBOUND.domain}"


def find(local: str, now: datetime) -> Place | None:
    """Whose address this is: not of a removed guest, nor of a task in the bin or a closed account."""
    said = local.removeprefix(PREFIX)
    public_id, signature = said[:NAMED], said[NAMED:]
    if said == local or len(signature) != SIGNED or not said.isascii():
        return None
    if not constant_time_compare(signature, _signature(public_id)):
        return None
    here = Guest.objects.filter(removed_at=None, task__deleted_at=None, account__closed_at=None)
    found = here.filter(public_id=public_id).first()
    return Place(found.account_id, DOOR, found.public_id) if found else None


def _signature(public_id: str) -> str:
    digest = salted_hmac("letterdesk.tasks.guests", public_id, algorithm="sha256").digest()
    return base64.b32encode(digest).decode().lower()[:SIGNED]


def guests_of(task: Task) -> QuerySet[Guest]:
    """Who takes part by e-mail now."""
    return task.guests.filter(removed_at=None).order_by("pk")


def invite(
    task: Task, address: str, *, identity: Identity, by: Employee, now: datetime, name: str = "", words: str = ""
) -> Guest:
    """Write to somebody outside that they may take part, from an identity of `by`. Outside any transaction.

    The caller found the task among the editable ones. Raises NoInbound, BadTask (no address, one of ours, in it
    already, too many), TooFast, CannotSend, NotInPlan, LimitReached (R22), InBin, OSError.
    """
    if not settings.INBOUND.is_on:
        raise NoInbound
    typed = _checked(task, address)
    spend(by.account, "guest.invite", who=by.public_id, most=INVITED_PER_HOUR, within=timedelta(hours=1), now=now)
    guest = Guest(
        account_id=task.account_id, task=task, name=" ".join(name.split())[:200], address=typed,
        key=address_key(typed), words=words.strip(), mailbox=identity.mailbox,
        verified_sender=identity.verified_sender, invited_by=by, invited_at=now,
    )  # fmt: skip
    letter = _letter(guest, _invitation(guest), identity=identity, by=by, now=now)
    guest.message_id = letter.message_id
    with transaction.atomic():
        lock(task)
        if guests_of(task).filter(key=guest.key).exists():
            raise BadTask(_("%(address)s is a guest of this task already.") % {"address": typed})
        if guests_of(task).count() >= MOST:
            raise BadTask(_("A task has %(most)d guests at the most.") % {"most": MOST})
        guest.save(force_insert=True)
        queue(letter, by=by, channel=Channel.TASK, about=guest.reference, now=now)
        _tell("task.guest_invited", guest, by)
    return guest


def write_to_guests(task: Task, text: str, *, by: Employee, now: datetime) -> Written:
    """A comment that the task's guests get by e-mail, each by a letter of their own; all or nobody, and no comment.

    From where the guest was invited if `by` may write there, else from their own first identity. Outside any
    transaction. Raises NoInbound, NoSender, BadTask, TooFast, CannotSend, NotInPlan, LimitReached (R22), InBin.
    """
    if not settings.INBOUND.is_on:
        raise NoInbound
    guests = list(guests_of(task))
    gone = {each.address for each in suppressed_among(task.account_id, [guest.key for guest in guests])}
    reached = [each for each in guests if each.key not in gone]
    identities = identities_with_senders(by)
    if not identities:
        raise NoSender
    if not text.strip() or not reached:
        raise BadTask(_("None of the guests can be written to.") if text.strip() else _("The comment is empty."))
    spend(by.account, "guest.write", who=by.public_id, most=LETTERS_PER_HOUR, within=timedelta(hours=1), now=now)
    said = _said(task, text.strip(), by)
    from_where = [(each, _from(each, identities)) for each in reached]
    letters = [(each, _letter(each, said, identity=theirs, by=by, now=now)) for each, theirs in from_where]
    with transaction.atomic():
        made = comment(task, text, by=by, now=now, for_guests=True)
        here = set(guests_of(task).values_list("pk", flat=True))
        for guest, letter in letters:
            if guest.pk in here:  # else removed while we wrote
                queue(letter, by=by, channel=Channel.TASK, about=guest.reference, now=now)
    others = [(each, theirs) for each, theirs in from_where if not _is_from(each, theirs)]
    return Written(made, [each for each in guests if each.key in gone], others)


@transaction.atomic
def remove(guest: Guest, *, by: Employee, now: datetime) -> bool:
    """Nothing more goes to them, and their address takes no more letters. What they wrote stays.

    What has not left yet does not, nor what somebody is writing this moment: the task first, as everywhere in this
    room, also one in the bin. The caller found the guest among the editable ones. Returns whether it is news.
    """
    list(Task.objects.select_for_update(no_key=True).filter(pk=guest.task_id).values_list("pk"))
    if not Guest.objects.filter(pk=guest.pk, removed_at=None).update(removed_at=now, removed_by=by):
        return False
    waiting = Delivery.objects.filter(account=guest.account_id, about=guest.reference)
    for letter in waiting.filter(state__in=[State.QUEUED, State.DEFERRED], sent_at=None):
        with suppress(send.TooLate):  # it leaves this moment
            send.stop(letter, by=by, now=now)
    _tell("task.guest_removed", guest, by)
    return True


def let_go(task: Task, *, now: datetime) -> None:
    """The task is being purged: what waits at its guests' addresses is not taken. Inside the caller's transaction."""
    guests = task.guests.values("public_id")
    for row in Arrived.objects.filter(door=DOOR, address__in=guests, state__in=OPEN):
        leave(row, ArrivedState.LEFT_OUT, why=TASK_GONE, now=now)


def _checked(task: Task, address: str) -> str:
    typed = address.strip()
    try:
        wire_address(typed)
    except NotComposable:
        raise BadTask(_("%(address)s is no e-mail address.") % {"address": typed[:320]}) from None
    key = address_key(typed)
    if len(typed) > 320:
        raise BadTask(_("%(address)s is no e-mail address.") % {"address": typed[:320]})
    colleagues = Employee.objects.filter(account=task.account_id, email=key)
    mailboxes = Mailbox.objects.filter(account=task.account_id, address__iexact=key)  # it stands there as typed
    senders = VerifiedSender.objects.filter(account=task.account_id, key=key, removed_at=None)
    if settings.INBOUND.local_part(key) or any(rows.exists() for rows in (colleagues, mailboxes, senders)):
        raise BadTask(_("%(address)s is one of your own addresses: put colleagues into the task.") % {"address": typed})
    return typed


def _from(guest: Guest, identities: Sequence[Identity]) -> Identity:
    return next((each for each in identities if _is_from(guest, each)), identities[0])


def _is_from(guest: Guest, identity: Identity) -> bool:
    """Whether the guest was invited from it."""
    mailbox, sender = identity.mailbox, identity.verified_sender
    return (mailbox and mailbox.pk, sender and sender.pk) == (guest.mailbox_id, guest.verified_sender_id)


def _letter(guest: Guest, text: str, *, identity: Identity, by: Employee, now: datetime) -> Composed:
    task = guest.task
    subject = f"[#{task.number}] {task.title}"
    answers = bool(guest.message_id)
    head = Outgoing(
        sender=identity.address, date=now, message_id="", subject=f"Re: {subject}" if answers else subject, text=text,
        reply_to=(Address(identity.name, reply_address(guest)),), in_reply_to=guest.message_id,
        references=(guest.message_id,) if answers else (),
    )  # fmt: skip
    return compose_to(Address(guest.name, guest.address), head, identity=identity, by=by, now=now)


def _invitation(guest: Guest) -> str:
    facts = {"who": guest.invited_by.name, "company": guest.account.name, "title": guest.task.title}
    begin = _("%(who)s of %(company)s asks you to take part in “%(title)s”.") % facts
    return "\n\n".join(part for part in (begin, guest.words, _how()) if part) + "\n"


def _said(task: Task, text: str, by: Employee) -> str:
    begin = _("%(who)s wrote in “%(title)s”:") % {"who": by.name, "title": task.title}
    return f"{begin}\n\n{text}\n\n{_how()}\n"


def _how() -> str:
    told = _("Answer this letter: what you write, and the files in it, go to all who work on this with us.")
    return f"-- \n{told}"


def _tell(kind: str, guest: Guest, by: Employee | None) -> None:
    record(kind, account=guest.account, by=by, topic=guest.task.topic, subject=guest.task.reference,
           guest=guest.public_id)  # fmt: skip
